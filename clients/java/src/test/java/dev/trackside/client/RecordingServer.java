package dev.trackside.client;

import dev.trackside.v1.CollectBatchRequest;
import dev.trackside.v1.CollectBatchResponse;
import dev.trackside.v1.CollectorServiceGrpc;
import dev.trackside.v1.Outcome;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;

/** A small gRPC server that answers as a test says, and keeps the requests. */
final class RecordingServer extends CollectorServiceGrpc.CollectorServiceImplBase implements AutoCloseable {
    final List<CollectBatchRequest> requests = Collections.synchronizedList(new ArrayList<>());
    final String target;
    private final Function<CollectBatchRequest, CollectBatchResponse> answer;
    private final io.grpc.Server server;

    /** What the answer throws is the call's status. */
    RecordingServer(Function<CollectBatchRequest, CollectBatchResponse> answer) throws IOException {
        this.answer = answer;
        server = Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create()).addService(this).build().start();
        target = "127.0.0.1:" + server.getPort();
    }

    RecordingServer() throws IOException {
        this(RecordingServer::accept);
    }

    static CollectBatchResponse accept(CollectBatchRequest request) {
        var response = CollectBatchResponse.newBuilder();
        request.getEntriesList().forEach(entry -> response.addOutcomes(Outcome.OUTCOME_ACCEPTED));
        return response.build();
    }

    @Override
    public void collectBatch(CollectBatchRequest request, StreamObserver<CollectBatchResponse> caller) {
        requests.add(request);
        try {
            caller.onNext(answer.apply(request));
            caller.onCompleted();
        } catch (RuntimeException failure) {
            caller.onError(failure);
        }
    }

    /** How many events each call had. */
    List<Integer> sizes() {
        return requests.stream().map(CollectBatchRequest::getEntriesCount).toList();
    }

    @Override
    public void close() {
        server.shutdownNow();
    }
}

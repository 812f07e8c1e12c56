package dev.trackside.client;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.RetryInfo;
import dev.trackside.v1.CollectBatchRequest;
import dev.trackside.v1.CollectBatchResponse;
import dev.trackside.v1.CollectorServiceGrpc;
import dev.trackside.v1.CollectorServiceGrpc.CollectorServiceBlockingStub;
import dev.trackside.v1.Entry;
import dev.trackside.v1.Event;
import dev.trackside.v1.Outcome;
import dev.trackside.v1.Refusal;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;

/** Sends batches, each until all of it is settled. Every thread that runs it has one call in flight. */
final class Delivery implements Runnable {
    private static final Set<Status.Code> PASSING = Set.of(Status.Code.UNAVAILABLE, Status.Code.RESOURCE_EXHAUSTED,
            Status.Code.DEADLINE_EXCEEDED, Status.Code.CANCELLED);
    // In the text of a status that grpc-java makes of a call which was cut off; nothing else tells it from a server's.
    private static final Pattern CUT_OFF = Pattern.compile("RST_STREAM|unexpected EOS|channel closed|http2 exception");

    private final Options options;
    private final Queue queue;
    private final ManagedChannel channel;
    private final CollectorServiceBlockingStub stub;
    private final AtomicInteger abandoned = new AtomicInteger(); // events given up when it was stopped

    Delivery(String target, Options options, Queue queue) {
        this.options = options;
        this.queue = queue;
        channel = Grpc.newChannelBuilder(target, options.tls).disableRetry()
                .keepAliveTime(30, TimeUnit.SECONDS).keepAliveTimeout(10, TimeUnit.SECONDS).build();
        var metadata = new Metadata();
        if (!options.writeKey.isEmpty()) {
            metadata.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + options.writeKey);
        }
        stub = CollectorServiceGrpc.newBlockingStub(channel)
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(metadata));
    }

    @Override
    public void run() {
        for (var batch = queue.take(); !batch.isEmpty(); batch = queue.take()) {
            deliver(batch);
        }
    }

    /** Gives up what is left: how many events that were. */
    int stop() {
        queue.stop();
        channel.shutdownNow();
        boolean interrupted = Thread.interrupted();
        while (queue.flush(Long.MAX_VALUE) > 0) { // at once: nothing waits for the server any more
            interrupted |= Thread.interrupted();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return abandoned.get();
    }

    private void deliver(List<Event> batch) {
        long began = System.nanoTime();
        long pause = 50_000_000;
        for (var left = batch; !left.isEmpty(); pause = Math.min(2 * pause, 2_500_000_000L)) {
            var answer = collect(left);
            queue.settled(left.size() - answer.left.size());
            left = answer.left;
            long wait = answer.delay > 0 ? random(answer.delay, answer.delay / 5) : random(pause, pause);
            boolean again = answer.mayPass() && wait <= Options.nanos(options.retryFor) - (System.nanoTime() - began);
            if (!left.isEmpty() && (queue.pause(again ? wait : 0) || !again)) {
                giveUp(left, answer.why);
                return;
            }
        }
    }

    private static long random(long least, long spread) {
        return least + ThreadLocalRandom.current().nextLong(spread + 1);
    }

    private void giveUp(List<Event> events, Status why) {
        boolean stopped = queue.pause(0);
        abandoned.addAndGet(stopped ? events.size() : 0);
        events.forEach(event -> tell(options.onLost, event, stopped ? Status.OK.withDescription("closed") : why));
        queue.settled(events.size());
    }

    /** What a call left to send again, why, and the server's delay in nanoseconds, or 0. */
    private record Answer(List<Event> left, Status why, long delay) {
        boolean mayPass() {
            return PASSING.contains(why.getCode()) || CUT_OFF.matcher(String.valueOf(why.getDescription())).find();
        }
    }

    private Answer collect(List<Event> batch) {
        var request = CollectBatchRequest.newBuilder();
        batch.forEach(event -> request.addEntries(Entry.newBuilder().setEvent(event)));
        try {
            var response = stub.withDeadlineAfter(options.callTimeout).collectBatch(request.build());
            if (response.getOutcomesCount() != batch.size()) {
                throw Status.INTERNAL.withDescription("the answer has not one outcome for each event").asRuntimeException();
            }
            var why = Status.UNAVAILABLE.withDescription("the server said RETRY");
            return new Answer(settle(batch, response), why, nanos(response.getRetry().getDelay()));
        } catch (StatusRuntimeException failure) {
            channel.resetConnectBackoff(); // gRPC would wait up to two minutes, and its first wait is a second
            return new Answer(batch, failure.getStatus(), delay(failure));
        }
    }

    /** Tells what became of each event: those to send again. */
    private List<Event> settle(List<Event> batch, CollectBatchResponse response) {
        var left = new ArrayList<Event>();
        var refusals = response.getRefusalsList().iterator();
        for (int i = 0; i < batch.size(); i++) {
            var outcome = response.getOutcomes(i);
            switch (outcome) {
                case OUTCOME_ACCEPTED, OUTCOME_DUPLICATE ->
                    tell(options.onAccepted, batch.get(i), outcome == Outcome.OUTCOME_DUPLICATE);
                case OUTCOME_REFUSED ->
                    tell(options.onRefused, batch.get(i), refusals.hasNext() ? refusals.next() : Refusal.getDefaultInstance());
                default -> left.add(batch.get(i));
            }
        }
        return left;
    }

    private static long delay(StatusRuntimeException failure) {
        try {
            for (var detail : StatusProto.fromThrowable(failure).getDetailsList()) {
                if (detail.is(RetryInfo.class)) {
                    return nanos(detail.unpack(RetryInfo.class).getRetryDelay());
                }
            }
        } catch (InvalidProtocolBufferException | IllegalArgumentException malformed) {
            Options.LOG.log(System.Logger.Level.DEBUG, "the details of a status cannot be read", malformed);
        }
        return 0;
    }

    private static long nanos(com.google.protobuf.Duration delay) {
        return Options.nanos(Duration.ofSeconds(delay.getSeconds(), delay.getNanos()));
    }

    /** Calls the program back. What it throws is its own, and must not end a thread of ours. */
    static <Why> void tell(BiConsumer<Event, Why> callback, Event event, Why why) {
        try {
            callback.accept(event, why);
        } catch (Throwable failure) {
            Options.LOG.log(System.Logger.Level.ERROR, "a callback failed", failure);
        }
    }
}

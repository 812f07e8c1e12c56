package dev.trackside.client;

import static java.util.concurrent.TimeUnit.NANOSECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import com.google.common.util.concurrent.Uninterruptibles;
import com.google.protobuf.util.Durations;
import dev.trackside.v1.CollectBatchRequest;
import dev.trackside.v1.CollectBatchResponse;
import dev.trackside.v1.CollectorServiceGrpc;
import dev.trackside.v1.Entry;
import dev.trackside.v1.Event;
import dev.trackside.v1.Outcome;
import dev.trackside.v1.Refusal;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** Makes the calls: sends each batch until all its events are settled. It has a thread for each call in flight. */
final class Sender {
    private static final Status ASKED_TO_RETRY = Status.UNAVAILABLE.withDescription(
            "the server could not queue the event and asked to send it again");

    private final String target;
    private final Options options;
    private final Batcher batcher;
    private final ManagedChannel channel;
    private final List<Thread> threads = new ArrayList<>();
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final AtomicInteger abandoned = new AtomicInteger(); // events that were given up because the sender was stopped
    private volatile Status lastFailure = Status.OK; // of the last call; OK if it was answered

    Sender(String target, Options options, Batcher batcher) {
        this.target = target;
        this.options = options;
        this.batcher = batcher;
        var metadata = new Metadata();
        if (!options.writeKey.isEmpty()) {
            var name = Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
            metadata.put(name, "Bearer " + options.writeKey);
        }
        channel = Grpc.newChannelBuilder(target, options.tls)
                .intercept(MetadataUtils.newAttachHeadersInterceptor(metadata))
                .disableRetry().keepAliveTime(30, SECONDS).keepAliveTimeout(10, SECONDS).build();
        for (int i = 0; i < options.calls; i++) {
            var thread = new Thread(this::run, "trackside-sender-" + i);
            thread.setDaemon(true);
            threads.add(thread);
            thread.start();
        }
    }

    /** Ends the calls and the waits, and gives up what is left of a closed batcher. It returns how many events. */
    int stop() {
        stopped.countDown();
        channel.shutdownNow();
        threads.forEach(Uninterruptibles::joinUninterruptibly);
        return abandoned.get();
    }

    private boolean isStopped() {
        return stopped.getCount() == 0;
    }

    private void run() {
        for (var events = batcher.take(); !events.isEmpty(); events = batcher.take()) {
            send(events);
        }
    }

    private void send(List<Event> events) {
        long giveUpAt = System.nanoTime() + options.retryFor.toNanos();
        for (int resend = 0; !isStopped(); resend++) {
            Status failure;
            long delay;
            try {
                var response = call(events);
                events = settle(events, response);
                if (events.isEmpty()) {
                    lastFailure = Status.OK;
                    return;
                }
                failure = ASKED_TO_RETRY;
                delay = Durations.toNanos(response.getRetry().getDelay());
            } catch (StatusRuntimeException failed) {
                if (isStopped()) {
                    break; // stop cancelled the call
                }
                channel.resetConnectBackoff(); // gRPC's own waits have no setting: they grow from 1 s to two minutes
                failure = failed.getStatus();
                delay = Retry.delayOf(failed);
            }
            lastFailure = failure;
            long wait = Retry.waitBefore(resend, delay);
            if (!Retry.isRetryable(failure) || giveUpAt - System.nanoTime() < wait) {
                lose(events, failure);
                return;
            }
            Uninterruptibles.awaitUninterruptibly(stopped, wait, NANOSECONDS);
        }
        abandoned.addAndGet(events.size());
        lose(events, whyAbandoned());
    }

    private CollectBatchResponse call(List<Event> events) {
        var request = CollectBatchRequest.newBuilder();
        for (var event : events) {
            request.addEntries(Entry.newBuilder().setEvent(event));
        }
        var service = CollectorServiceGrpc.newBlockingStub(channel).withDeadlineAfter(options.callTimeout);
        return service.collectBatch(request.build());
    }

    /** Reports each event's outcome. It returns the events to send again: also those without an outcome. */
    private List<Event> settle(List<Event> events, CollectBatchResponse response) {
        var refusals = new HashMap<Integer, Refusal>();
        response.getRefusalsList().forEach(refusal -> refusals.put(refusal.getIndex(), refusal));
        var again = new ArrayList<Event>();
        for (int i = 0; i < events.size(); i++) {
            var event = events.get(i);
            var outcome = i < response.getOutcomesCount() ? response.getOutcomes(i) : Outcome.OUTCOME_RETRY;
            switch (outcome) {
                case OUTCOME_ACCEPTED -> Options.callBack(options.onAccepted, event, false);
                case OUTCOME_DUPLICATE -> Options.callBack(options.onAccepted, event, true);
                case OUTCOME_REFUSED ->
                    Options.callBack(options.onRefused, event, refusals.getOrDefault(i, Refusal.getDefaultInstance()));
                default -> again.add(event);
            }
        }
        batcher.settle(events.size() - again.size());
        return again;
    }

    private void lose(List<Event> events, Status why) {
        events.forEach(event -> Options.callBack(options.onLost, event, why));
        batcher.settle(events.size());
    }

    private Status whyAbandoned() {
        var last = lastFailure;
        if (last.isOk()) {
            return Status.CANCELLED.withDescription("the client was closed before " + target + " answered");
        }
        var cause = last.getCause() == null ? "" : ": " + last.getCause().getMessage();
        return last.withDescription("the client was closed; the last status of " + target + " was " + last.getCode() + ": "
                + last.getDescription() + cause);
    }
}

package dev.trackside.client;

import static com.google.common.collect.Iterators.getNext;
import static com.google.common.util.concurrent.Uninterruptibles.*;
import static com.google.protobuf.util.Durations.toNanos;
import static io.grpc.Status.Code.*;
import static java.util.concurrent.TimeUnit.*;

import com.google.common.util.concurrent.ThreadFactoryBuilder;
import com.google.rpc.RetryInfo;
import dev.trackside.v1.*;
import io.grpc.*;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.*;

/** Gathers events in batches, and sends each until all of it is settled. */
abstract class Batcher implements AutoCloseable {
    static final List<Status.Code> PASSING = List.of(UNAVAILABLE, RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED, CANCELLED);
    // In the text of a status that grpc-java makes of a call which was cut off; nothing else tells it from a server's.
    private static final String CUT_OFF = "(?s).*(RST_STREAM|unexpected EOS|channel closed|http2 exception).*";

    final Options options = new Options();
    private final ManagedChannel channel;
    private final ExecutorService calls;
    private final Semaphore room; // has a permit less for each event that is not settled
    private final CountDownLatch stopped = new CountDownLatch(1); // is down when the time to close is over
    private volatile List<Entry> batch = new ArrayList<>(); // the one that gathers
    private int bytes; // of its events
    private volatile boolean closed;

    Batcher(String target, Consumer<Options> configure) {
        configure.accept(options);
        if (options.batchEvents > Options.LIMITS.getDeliveryEvents() || options.batchBytes > Options.LARGEST_EVENT
                || options.queueEvents < 1 || options.calls < 1 || !options.writeKey.matches("[ -~]*"))
            throw new IllegalArgumentException("writeKey, batchEvents, batchBytes, queueEvents or calls is off limits");
        var key = new Metadata();
        key.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + options.writeKey);
        channel = Grpc.newChannelBuilder(target, options.tls).intercept(MetadataUtils.newAttachHeadersInterceptor(key))
                .disableRetry().keepAliveTime(30, SECONDS).keepAliveTimeout(10, SECONDS).build();
        calls = Executors.newFixedThreadPool(options.calls, new ThreadFactoryBuilder().setDaemon(true).build());
        room = new Semaphore(options.queueEvents);
    }

    /** Waits for room, and puts an event into the batch that gathers. */
    void put(Event event) {
        if (!tryAcquireUninterruptibly(room, options.fullWait)) throw new RejectedExecutionException("queue is full");
        synchronized (this) {
            if (closed) {
                room.release();
                throw new IllegalStateException("the client is closed");
            }
            var last = batch;
            last.add(Entry.newBuilder().setEvent(event).build());
            bytes += event.getSerializedSize() + 10; // with the entry around it
            long wait = NANOSECONDS.convert(options.flushInterval);
            if (last.size() == 1) CompletableFuture.delayedExecutor(wait, NANOSECONDS, calls).execute(() -> ship(last));
            if (last.size() >= options.batchEvents || bytes >= options.batchBytes) ship(last);
        }
    }

    /** Delivers a batch as soon as a call is free, unless that was done. Another begins. */
    private synchronized void ship(List<Entry> whole) {
        if (whole != batch || whole.isEmpty()) return;
        calls.execute(() -> deliver(whole));
        batch = new ArrayList<>();
        bytes = 0;
    }

    /** Sends a batch until all of it is settled. */
    private void deliver(List<Entry> whole) {
        var left = List.copyOf(whole);
        whole.clear(); // its timer still holds it
        long until = System.nanoTime() + NANOSECONDS.convert(options.retryFor);
        double wait = 0; // nanoseconds, as all times here
        var why = Status.OK;
        double pause = 80e6;
        while (!left.isEmpty() && !awaitUninterruptibly(stopped, (long) wait, NANOSECONDS)) {
            try {
                var service = CollectorServiceGrpc.newBlockingStub(channel).withDeadlineAfter(options.callTimeout);
                var response = service.collectBatch(CollectBatchRequest.newBuilder().addAllEntries(left).build());
                left = settle(left, response);
                why = Status.UNAVAILABLE.withDescription("the server said RETRY");
                wait = toNanos(response.getRetry().getDelay());
            } catch (RuntimeException failure) {
                channel.resetConnectBackoff(); // gRPC would wait up to two minutes, and its first wait is a second
                why = Status.fromThrowable(failure);
                wait = delay(failure);
            }
            wait = (wait > 0 ? wait : pause) * (1 + Math.random() / 5);
            pause = Math.min(2 * pause, 4e9);
            boolean passes = PASSING.contains(why.getCode()) || String.valueOf(why.getDescription()).matches(CUT_OFF);
            if (!passes || until - System.nanoTime() < wait) break;
        }
        why = channel.isShutdown() ? Status.OK.withDescription("closed") : why;
        for (var entry : left) tell(options.onLost, entry.getEvent(), why);
        room.release(left.size());
    }

    /** How long the server asks to wait: 0, it does not. */
    private static double delay(RuntimeException failure) {
        try {
            for (var detail : StatusProto.fromThrowable(failure).getDetailsList())
                if (detail.is(RetryInfo.class)) return toNanos(detail.unpack(RetryInfo.class).getRetryDelay());
        } catch (Exception unreadable) {
            // as if it did not
        }
        return 0;
    }

    /** Tells what became of each event: those to send again, also where the answer forgot them. */
    private List<Entry> settle(List<Entry> entries, CollectBatchResponse response) {
        var again = new ArrayList<Entry>();
        var outcomes = response.getOutcomesList().iterator();
        var refusals = response.getRefusalsList().iterator();
        for (var entry : entries) {
            var event = entry.getEvent();
            switch (getNext(outcomes, Outcome.OUTCOME_RETRY)) {
                case OUTCOME_ACCEPTED -> tell(options.onAccepted, event, false);
                case OUTCOME_DUPLICATE -> tell(options.onAccepted, event, true);
                case OUTCOME_REFUSED -> tell(options.onRefused, event, getNext(refusals, Refusal.getDefaultInstance()));
                default -> again.add(entry);
            }
        }
        room.release(entries.size() - again.size());
        return again;
    }

    /** Calls the program back. What it throws is its own, and must not end a thread of ours. */
    static <Why> void tell(BiConsumer<Event, Why> callback, Event event, Why why) {
        try {
            callback.accept(event, why);
        } catch (Throwable failure) {
            Options.LOG.log(System.Logger.Level.ERROR, "a callback failed", failure);
        }
    }

    /** Sends what is queued and waits until all is settled, or for the timeout: how many events are not settled. */
    public int flush(Duration timeout) {
        long until = System.nanoTime() + NANOSECONDS.convert(timeout);
        do {
            ship(batch);
            sleepUninterruptibly(Duration.ofMillis(1));
        } while (room.availablePermits() < options.queueEvents && until - System.nanoTime() > 0
                && !Thread.currentThread().isInterrupted());
        return options.queueEvents - room.availablePermits();
    }

    /** Closes within 10 seconds. */
    @Override
    public void close() {
        close(Duration.ofSeconds(10));
    }

    /** Takes no more events, flushes, and gives up what is left after the timeout: how many events that were. */
    public int close(Duration timeout) {
        closed = true;
        int left = flush(timeout);
        channel.shutdownNow();
        stopped.countDown();
        calls.shutdown();
        awaitTerminationUninterruptibly(calls);
        return left;
    }
}

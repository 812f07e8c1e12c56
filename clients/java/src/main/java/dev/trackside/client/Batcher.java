package dev.trackside.client;

import com.google.common.collect.Iterators;
import com.google.common.util.concurrent.ThreadFactoryBuilder;
import com.google.common.util.concurrent.Uninterruptibles;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.RetryInfo;
import dev.trackside.v1.*;
import dev.trackside.v1.CollectorServiceGrpc.CollectorServiceBlockingStub;
import io.grpc.*;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.*;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/** Gathers events in batches, and sends each until all of it is settled. */
abstract class Batcher implements AutoCloseable {
    // In the text of a status that grpc-java makes of a call which was cut off; nothing else tells it from a server's.
    private static final Pattern CUT_OFF = Pattern.compile("RST_STREAM|unexpected EOS|channel closed|http2 exception");

    final Options options = new Options();
    private final ManagedChannel channel; // is shut down when the time to close is over
    private final CollectorServiceBlockingStub service;
    private final ExecutorService calls;
    private List<Entry> batch = new ArrayList<>(); // the one that gathers
    private int bytes; // of its events
    private int unsettled; // events
    private int flushing; // flushes that wait
    private boolean closed;

    Batcher(String target, Consumer<Options> configure) {
        configure.accept(options);
        options.check();
        channel = Grpc.newChannelBuilder(target, options.tls).disableRetry()
                .keepAliveTime(30, TimeUnit.SECONDS).keepAliveTimeout(10, TimeUnit.SECONDS).build();
        var key = new Metadata();
        key.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + options.writeKey);
        var attach = MetadataUtils.newAttachHeadersInterceptor(key);
        service = CollectorServiceGrpc.newBlockingStub(channel).withInterceptors(attach);
        calls = Executors.newFixedThreadPool(options.calls, new ThreadFactoryBuilder().setDaemon(true).build());
    }

    /** Waits for room. An interrupt ends the wait as the end of its time does. */
    synchronized void put(Event event) {
        boolean free = await(() -> closed || unsettled < options.queueEvents, options.fullWait);
        if (closed) throw new IllegalStateException("the client is closed");
        if (!free) throw new RejectedExecutionException("the queue is full");
        int size = event.getSerializedSize() + 10; // with the entry around it
        if (bytes + size > options.batchBytes) ship(batch);
        var last = batch;
        last.add(Entry.newBuilder().setEvent(event).build());
        bytes += size;
        unsettled++;
        if (last.size() == 1) {
            long wait = flushing > 0 ? 0 : options.flushInterval.toNanos();
            CompletableFuture.delayedExecutor(wait, TimeUnit.NANOSECONDS, calls).execute(() -> ship(last));
        }
        if (last.size() == options.batchEvents) ship(last);
    }

    /** Delivers a batch as soon as a call is free, unless that was done. Another begins. */
    private synchronized void ship(List<Entry> last) {
        if (last != batch || last.isEmpty()) return;
        var whole = List.copyOf(last);
        calls.execute(() -> deliver(whole));
        last.clear(); // its timer still holds it
        batch = new ArrayList<>();
        bytes = 0;
    }

    /** Sends entries until all are settled. */
    private void deliver(List<Entry> left) {
        long until = System.nanoTime() + options.retryFor.toNanos();
        double pause = 50e6;
        double wait;
        Status why;
        do {
            com.google.protobuf.Duration asked;
            try {
                var request = CollectBatchRequest.newBuilder().addAllEntries(left).build();
                var response = service.withDeadlineAfter(options.callTimeout).collectBatch(request);
                left = settle(left, response);
                why = Status.UNAVAILABLE.withDescription("the server said RETRY");
                asked = response.getRetry().getDelay();
            } catch (StatusRuntimeException failure) {
                channel.resetConnectBackoff(); // gRPC would wait up to two minutes, and its first wait is a second
                why = failure.getStatus();
                asked = delay(failure);
            }
            wait = (asked.getSeconds() * 1e9 + asked.getNanos()) * (1 + Math.random() / 5);
            wait = wait > 0 ? wait : pause * (1 + Math.random());
            pause = Math.min(2 * pause, 2.5e9);
        } while (!left.isEmpty() && mayPass(why) && until - System.nanoTime() >= wait
                && !await(channel::isShutdown, Duration.ofNanos((long) wait)));
        boolean stopped = channel.isShutdown();
        why = stopped ? Status.OK.withDescription("closed") : why;
        for (var entry : left) tell(options.onLost, entry.getEvent(), why);
        settled(stopped ? 0 : left.size()); // `close` counts those that it gives up
    }

    private static boolean mayPass(Status why) {
        return switch (why.getCode()) {
            case UNAVAILABLE, RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED, CANCELLED -> true;
            default -> CUT_OFF.matcher(String.valueOf(why.getDescription())).find();
        };
    }

    /** How long the server asks to wait: 0, it does not. */
    private static com.google.protobuf.Duration delay(StatusRuntimeException failure) {
        try {
            for (var detail : StatusProto.fromThrowable(failure).getDetailsList())
                if (detail.is(RetryInfo.class)) return detail.unpack(RetryInfo.class).getRetryDelay();
        } catch (InvalidProtocolBufferException | IllegalArgumentException malformed) {
            Options.LOG.log(System.Logger.Level.DEBUG, "the details of a status cannot be read", malformed);
        }
        return com.google.protobuf.Duration.getDefaultInstance();
    }

    /** Tells what became of each event: those to send again. */
    private List<Entry> settle(List<Entry> entries, CollectBatchResponse response) {
        if (response.getOutcomesCount() != entries.size())
            throw Status.INTERNAL.withDescription("the answer has not one outcome for each event").asRuntimeException();
        var again = new ArrayList<Entry>();
        var refusals = response.getRefusalsList().iterator();
        var unknown = Refusal.getDefaultInstance();
        for (int i = 0; i < entries.size(); i++) {
            var event = entries.get(i).getEvent();
            switch (response.getOutcomes(i)) {
                case OUTCOME_ACCEPTED -> tell(options.onAccepted, event, false);
                case OUTCOME_DUPLICATE -> tell(options.onAccepted, event, true);
                case OUTCOME_REFUSED -> tell(options.onRefused, event, Iterators.getNext(refusals, unknown));
                default -> again.add(entries.get(i));
            }
        }
        settled(entries.size() - again.size());
        return again;
    }

    private synchronized void settled(int count) {
        unsettled -= count;
        notifyAll();
    }

    /** Calls the program back. What it throws is its own, and must not end a thread of ours. */
    static <Why> void tell(BiConsumer<Event, Why> callback, Event event, Why why) {
        try {
            callback.accept(event, why);
        } catch (Throwable failure) {
            Options.LOG.log(System.Logger.Level.ERROR, "a callback failed", failure);
        }
    }

    /** Waits until it is so, the time is over or the thread is interrupted: whether it is so. */
    private synchronized boolean await(BooleanSupplier so, Duration time) {
        long until = System.nanoTime() + TimeUnit.NANOSECONDS.convert(time);
        try {
            while (!so.getAsBoolean() && until - System.nanoTime() > 0)
                TimeUnit.NANOSECONDS.timedWait(this, until - System.nanoTime());
        } catch (InterruptedException interrupt) {
            Thread.currentThread().interrupt();
        }
        return so.getAsBoolean();
    }

    /** Flushes for at most 30 seconds. */
    public int flush() {
        return flush(Duration.ofSeconds(30));
    }

    /** Sends what is queued and waits until all is settled, or for the timeout: how many events are not settled. */
    public synchronized int flush(Duration timeout) {
        ship(batch);
        flushing++;
        await(() -> unsettled == 0, timeout);
        flushing--;
        return unsettled;
    }

    /** Closes within 10 seconds. */
    @Override
    public void close() {
        close(Duration.ofSeconds(10));
    }

    /** Takes no more events, flushes, and gives up what is left after the timeout: how many events that were. */
    public int close(Duration timeout) {
        synchronized (this) {
            if (closed) return 0;
            closed = true;
            notifyAll(); // who waits for room
            flush(timeout);
            channel.shutdownNow();
            calls.shutdown();
            notifyAll(); // who waits to send again
        }
        Uninterruptibles.awaitTerminationUninterruptibly(calls);
        int lost = unsettled;
        settled(lost);
        return lost;
    }
}

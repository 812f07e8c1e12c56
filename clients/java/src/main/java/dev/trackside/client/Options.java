package dev.trackside.client;

import dev.trackside.v1.CollectorServiceProto;
import dev.trackside.v1.Event;
import dev.trackside.v1.Limits;
import dev.trackside.v1.OptionsProto;
import dev.trackside.v1.Refusal;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/**
 * How a client works. What is out of its bounds is an IllegalArgumentException. Times are kept in nanoseconds.
 *
 * <p>One of the callbacks is told of each event that a call took, once. They run on the client's threads ({@code onRefused}
 * also in the call itself), should be short, and must not call {@code flush} or {@code close}.
 */
public final class Options {
    static final System.Logger LOG = System.getLogger("dev.trackside.client");
    private static final Limits LIMITS = CollectorServiceProto.getDescriptor()
            .findServiceByName("CollectorService").getOptions().getExtension(OptionsProto.limits);
    static final int LARGEST_EVENT = LIMITS.getMessageBytes() - 1024; // with the request around it, it just fits a message

    String writeKey = "";
    ChannelCredentials tls = InsecureChannelCredentials.create();
    int batchEvents = 200;
    int batchBytes = 1_000_000;
    int queueEvents = 10_000;
    int calls = 4;
    long fullWait = nanos(Duration.ofSeconds(5));
    long flushInterval = nanos(Duration.ofMillis(100));
    long callTimeout = nanos(Duration.ofSeconds(10));
    long retryFor = nanos(Duration.ofSeconds(300));
    BiConsumer<Event, Boolean> onAccepted = (event, duplicate) -> {};
    BiConsumer<Event, Refusal> onRefused = (event, why) -> warn(event, why.getDescription());
    BiConsumer<Event, Status> onLost = (event, why) -> warn(event, why.getCode() + ", " + why.getDescription());

    Options() {}

    /** The write key of events that have none of their own: none. */
    public Options writeKey(String writeKey) {
        check("writeKey", writeKey.chars().allMatch(c -> c >= ' ' && c <= '~'));
        this.writeKey = writeKey;
        return this;
    }

    /** How to speak TLS, such as {@code TlsChannelCredentials.create()}, which trusts Java's roots: no TLS. */
    public Options tls(ChannelCredentials tls) {
        this.tls = tls;
        return this;
    }

    /** Most events in a call: 200. */
    public Options batchEvents(int events) {
        batchEvents = bounded("batchEvents", events, LIMITS.getDeliveryEvents());
        return this;
    }

    /** Most bytes of events in a call; a larger event goes alone: 1,000,000. */
    public Options batchBytes(int bytes) {
        batchBytes = bounded("batchBytes", bytes, LARGEST_EVENT);
        return this;
    }

    /** Most events that are not settled, those in flight included: 10,000. */
    public Options queueEvents(int events) {
        queueEvents = bounded("queueEvents", events, Integer.MAX_VALUE);
        return this;
    }

    /** Most calls in flight; 1 keeps the events' order: 4. */
    public Options calls(int calls) {
        this.calls = bounded("calls", calls, 100);
        return this;
    }

    /** Longest that a call waits for room in the queue: 5 s. */
    public Options fullWait(Duration time) {
        fullWait = bounded("fullWait", time);
        return this;
    }

    /** Longest that an event waits for others to fill its batch: 0.1 s. */
    public Options flushInterval(Duration time) {
        flushInterval = bounded("flushInterval", time);
        return this;
    }

    /** Deadline of a call: 10 s. */
    public Options callTimeout(Duration time) {
        callTimeout = bounded("callTimeout", time);
        return this;
    }

    /** How long a batch is sent again before its events are given up: 300 s. */
    public Options retryFor(Duration time) {
        retryFor = bounded("retryFor", time);
        return this;
    }

    /** The event is durable in the server's queue; whether it already was: does nothing. */
    public Options onAccepted(BiConsumer<Event, Boolean> callback) {
        onAccepted = callback;
        return this;
    }

    /** The event is not taken, and never will be as it is: logs a warning. */
    public Options onRefused(BiConsumer<Event, Refusal> callback) {
        onRefused = callback;
        return this;
    }

    /** The event was given up; by {@code close}, with code OK: logs a warning. */
    public Options onLost(BiConsumer<Event, Status> callback) {
        onLost = callback;
        return this;
    }

    static long nanos(Duration time) {
        return TimeUnit.NANOSECONDS.convert(time); // at most what a long holds, 292 years
    }

    private static int bounded(String name, int value, int most) {
        check(name, value >= 1 && value <= most);
        return value;
    }

    private static long bounded(String name, Duration time) {
        check(name, !time.isNegative());
        return nanos(time);
    }

    private static void check(String name, boolean good) {
        if (!good) {
            throw new IllegalArgumentException(name + " is out of bounds");
        }
    }

    private static void warn(Event event, String why) {
        LOG.log(System.Logger.Level.WARNING, "event {0} is not queued: {1}", event.getMessageId(), why);
    }
}

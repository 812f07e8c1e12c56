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
import java.util.function.BiConsumer;

/**
 * How a client works. They are set while it is made, and not after.
 *
 * <p>One of the callbacks is called for each event that a call took, once. They run on the client's threads
 * ({@code onRefused} also in the call itself), should be short, and must not call {@code flush} or {@code close}.
 */
public final class Options {
    private static final Limits LIMITS = CollectorServiceProto.getDescriptor()
            .findServiceByName("CollectorService").getOptions().getExtension(OptionsProto.limits);
    private static final Duration LONGEST = Duration.ofSeconds(2_147_483); // 24 days: the longest timer that all clients have
    private static final System.Logger LOG = System.getLogger("dev.trackside.client");

    /** In bytes; the rest of a message is for the request around the event. */
    static final int LARGEST_EVENT = LIMITS.getMessageBytes() - 1024;

    /** The write key of events that have none of their own. */
    public String writeKey = "";
    /** How to speak TLS: not at all by default. {@code TlsChannelCredentials.create()} trusts Java's roots. */
    public ChannelCredentials tls = InsecureChannelCredentials.create();
    /** Most events in a call. */
    public int batchEvents = 200;
    /** Most bytes of events in a call. A larger event goes alone. */
    public int batchBytes = 1_000_000;
    /** Most events that are not settled, those in flight included. */
    public int queueEvents = 10_000;
    /** Most calls in flight; 1 keeps the order of the events. */
    public int calls = 4;
    /** How long a call waits for room when the queue is full. */
    public Duration fullWait = Duration.ofSeconds(5);
    /** Longest that an event waits for others to fill its batch. */
    public Duration flushInterval = Duration.ofMillis(100);
    /** Deadline of a call. */
    public Duration callTimeout = Duration.ofSeconds(10);
    /** How long a batch is sent again before its events are given up. */
    public Duration retryFor = Duration.ofSeconds(300);
    /** The event is durable in the server's queue, and whether it already was. */
    public BiConsumer<Event, Boolean> onAccepted = (event, duplicate) -> {};
    /** The event is invalid, and sending it again cannot help. */
    public BiConsumer<Event, Refusal> onRefused = (event, why) -> LOG.log(System.Logger.Level.WARNING,
            "event {0} was refused: {1}", event.getMessageId(), why.getDescription());
    /** The event was given up. The code is the last call's status; CANCELLED if no call was answered. */
    public BiConsumer<Event, Status> onLost = (event, why) -> LOG.log(System.Logger.Level.WARNING,
            "event {0} was lost: {1}: {2}", event.getMessageId(), why.getCode(), why.getDescription());

    void check() {
        check("batchEvents", batchEvents, LIMITS.getDeliveryEvents());
        check("batchBytes", batchBytes, LARGEST_EVENT);
        check("queueEvents", queueEvents, 1_000_000_000);
        check("calls", calls, 100);
        check("fullWait", fullWait);
        check("flushInterval", flushInterval);
        check("callTimeout", callTimeout);
        check("retryFor", retryFor);
        if (!writeKey.matches("[ -~]*")) {
            throw new IllegalArgumentException("writeKey must be printable ASCII, because it is sent as gRPC metadata");
        }
    }

    private static void check(String name, int value, int most) {
        if (value < 1 || value > most) {
            throw new IllegalArgumentException(name + " must be from 1 to " + most + ", not " + value);
        }
    }

    private static void check(String name, Duration value) {
        if (value.isNegative() || value.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(name + " must be from 0 to " + LONGEST + ", not " + value);
        }
    }

    /** Calls one of the program's callbacks. What it throws is logged, and must not end a thread of the client. */
    static <Why> void callBack(BiConsumer<Event, Why> callback, Event event, Why why) {
        try {
            callback.accept(event, why);
        } catch (Throwable failure) {
            LOG.log(System.Logger.Level.ERROR, "a callback failed", failure);
        }
    }
}

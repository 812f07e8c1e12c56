package dev.trackside.client;

import dev.trackside.v1.*;
import io.grpc.*;
import java.time.Duration;
import java.util.function.BiConsumer;

/**
 * How a client works. They are set while it is made, and not after.
 *
 * <p>One of the callbacks is told of each event that a call took, once. They run on the client's threads
 * ({@code onRefused} also in the call itself), should be short, and must not call {@code flush} or {@code close}.
 */
public final class Options {
    static final Limits LIMITS = CollectorServiceProto.getDescriptor()
            .findServiceByName("CollectorService").getOptions().getExtension(OptionsProto.limits);
    static final int LARGEST_EVENT = LIMITS.getMessageBytes() / 2 - 1024; // fits beside a batch that is not full
    static final System.Logger LOG = System.getLogger("dev.trackside.client");

    /** The write key of events that have none of their own. */
    public String writeKey = "";
    /** How to speak TLS, such as {@code TlsChannelCredentials.create()}, which trusts Java's roots: not at all. */
    public ChannelCredentials tls = InsecureChannelCredentials.create();
    /** Most events in a call. */
    public int batchEvents = 200;
    /** So many bytes of events make a call full, too. */
    public int batchBytes = 1_000_000;
    /** Most events that are not settled, those in flight included. */
    public int queueEvents = 10_000;
    /** Most calls in flight; 1 keeps the events' order. */
    public int calls = 4;
    /** Longest that a call waits for room in the queue. */
    public Duration fullWait = Duration.ofSeconds(5);
    /** Longest that an event waits for others to fill its batch. */
    public Duration flushInterval = Duration.ofMillis(100);
    /** Deadline of a call. */
    public Duration callTimeout = Duration.ofSeconds(10);
    /** How long a batch is sent again before its events are given up. */
    public Duration retryFor = Duration.ofSeconds(300);
    /** The event is durable in the server's queue; whether it was already. */
    public BiConsumer<Event, Boolean> onAccepted = (event, duplicate) -> {};
    /** The event is not taken, and never will be as it is. */
    public BiConsumer<Event, Refusal> onRefused = (event, why) -> warn(event, why.getDescription());
    /** The event was given up; by {@code close}, with the code OK. */
    public BiConsumer<Event, Status> onLost = (event, why) -> warn(event, why);

    private static void warn(Event event, Object why) {
        LOG.log(System.Logger.Level.WARNING, "event {0} is not queued: {1}", event.getMessageId(), why);
    }
}

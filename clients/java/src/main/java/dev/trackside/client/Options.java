package dev.trackside.client;

import static com.google.common.base.Preconditions.checkArgument;

import dev.trackside.v1.Event;
import dev.trackside.v1.Refusal;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.Status;
import java.time.Duration;
import java.util.function.BiConsumer;
import java.util.stream.Stream;

/**
 * How a client works. They are set while it is made, and not after.
 *
 * <p>One of the callbacks is told of each event that a call took, once. They run on the client's threads
 * ({@code onRefused} also in the call itself), should be short, and must not call {@code flush} or {@code close}.
 */
public final class Options {
    static final System.Logger LOG = System.getLogger("dev.trackside.client");

    /** The write key of events that have none of their own. */
    public String writeKey = "";
    /** How to speak TLS, such as {@code TlsChannelCredentials.create()}, which trusts Java's roots: not at all. */
    public ChannelCredentials tls = InsecureChannelCredentials.create();
    /** Most events in a call. */
    public int batchEvents = 200;
    /** Most bytes of events in a call; a larger event goes alone. */
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
    public BiConsumer<Event, Status> onLost = (event, why) -> warn(event, why.getCode() + ", " + why.getDescription());

    void check() {
        checkArgument(writeKey.matches("[ -~]*"), "writeKey is not printable ASCII");
        checkArgument(batchEvents >= 1 && batchEvents <= Rules.LIMITS.getDeliveryEvents(), "batchEvents is off limits");
        checkArgument(batchBytes >= 1 && batchBytes <= Rules.LARGEST_EVENT, "batchBytes is off limits");
        checkArgument(queueEvents >= 1 && calls >= 1 && calls <= 100, "queueEvents or calls is off limits");
        var times = Stream.of(fullWait, flushInterval, callTimeout, retryFor);
        checkArgument(times.allMatch(time -> !time.isNegative() && time.toDays() < 36_500),
                "fullWait, flushInterval, callTimeout or retryFor is negative, or longer than a century");
    }

    private static void warn(Event event, String why) {
        LOG.log(System.Logger.Level.WARNING, "event {0} is not queued: {1}", event.getMessageId(), why);
    }
}

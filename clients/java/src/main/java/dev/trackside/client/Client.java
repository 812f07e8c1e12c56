package dev.trackside.client;

import dev.trackside.v1.Alias;
import dev.trackside.v1.Event;
import dev.trackside.v1.Group;
import dev.trackside.v1.Identify;
import dev.trackside.v1.Page;
import dev.trackside.v1.Screen;
import dev.trackside.v1.Track;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * Sends events from threads of its own. Any thread may use it.
 *
 * <p>A call makes an event, queues it and returns its messageId. Where it throws, the event was not taken:
 * {@link QueueFullException}, {@link ClosedException}, or IllegalArgumentException or ClassCastException for a value that
 * JSON does not have. Whatever else becomes of the event, a callback of the options is told. What is null is left out.
 */
public final class Client implements AutoCloseable {
    static {
        Rules.check(Event.getDefaultInstance()); // the first check compiles the rules, which takes a second
    }

    private final Options options = new Options();
    private final Queue queue;
    private final Delivery delivery;

    /** Makes a client of the server at a target: {@code host:port}, or what else gRPC takes as a name. It connects later. */
    public Client(String target, Consumer<Options> configure) {
        configure.accept(options);
        options.check();
        queue = new Queue(options);
        delivery = new Delivery(target, options, queue);
        for (int call = 1; call <= options.calls; call++) {
            var thread = new Thread(delivery, "trackside-" + call);
            thread.setDaemon(true);
            thread.start();
        }
    }

    /** Ties a user to traits. */
    public String identify(String userId, Map<String, ?> traits, With... with) {
        var kind = Identify.newBuilder();
        Text.set(kind::setTraitsJson, traits);
        return send(Event.newBuilder().setIdentify(kind), userId, with);
    }

    /** Records an action. */
    public String track(String userId, String event, Map<String, ?> properties, With... with) {
        var kind = Track.newBuilder().setEvent(Text.of(event));
        Text.set(kind::setPropertiesJson, properties);
        return send(Event.newBuilder().setTrack(kind), userId, with);
    }

    /** Records the view of a page. */
    public String page(String userId, String name, Map<String, ?> properties, With... with) {
        var kind = Page.newBuilder().setName(Text.of(name));
        Text.set(kind::setPropertiesJson, properties);
        return send(Event.newBuilder().setPage(kind), userId, with);
    }

    /** Records the view of a screen in an application. */
    public String screen(String userId, String name, Map<String, ?> properties, With... with) {
        var kind = Screen.newBuilder().setName(Text.of(name));
        Text.set(kind::setPropertiesJson, properties);
        return send(Event.newBuilder().setScreen(kind), userId, with);
    }

    /** Ties a user to a group. */
    public String group(String userId, String groupId, Map<String, ?> traits, With... with) {
        var kind = Group.newBuilder().setGroupId(Text.of(groupId));
        Text.set(kind::setTraitsJson, traits);
        return send(Event.newBuilder().setGroup(kind), userId, with);
    }

    /** Joins two identities of one user. */
    public String alias(String userId, String previousId, With... with) {
        return send(Event.newBuilder().setAlias(Alias.newBuilder().setPreviousId(Text.of(previousId))), userId, with);
    }

    private String send(Event.Builder event, String userId, With... more) {
        for (With with : more) {
            event.mergeFrom(with.event);
        }
        return send(event.setUserId(Text.of(userId)));
    }

    /** Sends an event that the caller built. It is given the messageId and the timestamp that it lacks. */
    public String collect(Event event) {
        return send(event.toBuilder());
    }

    private String send(Event.Builder draft) {
        if (draft.getMessageId().isEmpty()) {
            draft.setMessageId(UUID.randomUUID().toString());
        }
        if (!draft.hasTimestamp()) {
            draft.setTimestamp(With.proto(Instant.now().truncatedTo(ChronoUnit.MILLIS)));
        }
        var event = draft.build();
        var refusal = Rules.check(event);
        if (refusal != null) {
            Delivery.tell(options.onRefused, event, refusal);
        } else {
            queue.put(event, event.getSerializedSize() + 10); // with the entry around it
        }
        return event.getMessageId();
    }

    /** Flushes for at most 30 seconds. */
    public int flush() {
        return flush(Duration.ofSeconds(30));
    }

    /** Sends what is queued and waits until all is settled, or for the timeout: how many events are not settled. */
    public int flush(Duration timeout) {
        return queue.flush(Options.nanos(timeout));
    }

    /** Closes within 10 seconds. */
    @Override
    public void close() {
        close(Duration.ofSeconds(10));
    }

    /** Takes no more events, flushes, and gives up what is left after the timeout: how many events that were. */
    public int close(Duration timeout) {
        if (!queue.close()) {
            return 0;
        }
        flush(timeout);
        return delivery.stop();
    }
}

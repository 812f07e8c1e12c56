package dev.trackside.client;

import dev.trackside.v1.Alias;
import dev.trackside.v1.Event;
import dev.trackside.v1.Group;
import dev.trackside.v1.Identify;
import dev.trackside.v1.Page;
import dev.trackside.v1.Screen;
import dev.trackside.v1.Track;
import java.time.Duration;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Sends events from threads of its own. Any thread may use it.
 *
 * <p>A call makes an event, queues it and returns its messageId. It throws if the event was not taken: a
 * ClosedException, a QueueFullException, or a JsonIOException for a value that has no JSON form. A callback of the
 * options reports what happened to every other event. A null argument is left out.
 */
public final class Client implements AutoCloseable {
    private final Options options = new Options();
    private final Batcher batcher;
    private final Sender sender;

    /** Sets more of an event of any kind, such as its anonymousId, its timestamp or the JSON text of its context. */
    public interface With extends Consumer<Event.Builder> {}

    /** Makes a client of the server at {@code host:port}, or another name that gRPC resolves. It connects later. */
    public Client(String target, Consumer<Options> configure) {
        configure.accept(options);
        options.check();
        Events.check(Event.getDefaultInstance()); // the first check compiles the rules, which takes a second
        batcher = new Batcher(options);
        sender = new Sender(target, options, batcher);
    }

    /** Ties a user to traits. */
    public String identify(String userId, Map<String, ?> traits, With... with) {
        var identify = Identify.newBuilder();
        if (traits != null) {
            identify.setTraitsJson(json(traits));
        }
        return send(userId, Event.newBuilder().setIdentify(identify), with);
    }

    /** Records an action. */
    public String track(String userId, String event, Map<String, ?> properties, With... with) {
        var track = Track.newBuilder().setEvent(Events.text(event));
        if (properties != null) {
            track.setPropertiesJson(json(properties));
        }
        return send(userId, Event.newBuilder().setTrack(track), with);
    }

    /** Records the view of a page. */
    public String page(String userId, String name, Map<String, ?> properties, With... with) {
        var page = Page.newBuilder().setName(Events.text(name));
        if (properties != null) {
            page.setPropertiesJson(json(properties));
        }
        return send(userId, Event.newBuilder().setPage(page), with);
    }

    /** Records the view of a screen in an application. */
    public String screen(String userId, String name, Map<String, ?> properties, With... with) {
        var screen = Screen.newBuilder().setName(Events.text(name));
        if (properties != null) {
            screen.setPropertiesJson(json(properties));
        }
        return send(userId, Event.newBuilder().setScreen(screen), with);
    }

    /** Ties a user to a group. */
    public String group(String userId, String groupId, Map<String, ?> traits, With... with) {
        var group = Group.newBuilder().setGroupId(Events.text(groupId));
        if (traits != null) {
            group.setTraitsJson(json(traits));
        }
        return send(userId, Event.newBuilder().setGroup(group), with);
    }

    /** Joins two identities of one user. */
    public String alias(String userId, String previousId, With... with) {
        var alias = Alias.newBuilder().setPreviousId(Events.text(previousId));
        return send(userId, Event.newBuilder().setAlias(alias), with);
    }

    private String send(String userId, Event.Builder event, With[] with) {
        event.setUserId(Events.text(userId));
        for (var each : with) {
            each.accept(event);
        }
        return collect(event);
    }

    /** A free-form value as the JSON text that an event's fields take. The text of null is empty, which leaves it out. */
    public static String json(Map<String, ?> value) {
        return value == null ? "" : Events.json(value);
    }

    /** Sends an event that the caller built. Its messageId and timestamp are filled in if they are unset. */
    public String collect(Event.Builder builder) {
        batcher.checkOpen();
        var event = Events.complete(builder);
        var refusal = Events.check(event);
        if (refusal.isPresent()) {
            Options.callBack(options.onRefused, event, refusal.get());
        } else {
            batcher.put(event, Events.bytes(event));
        }
        return event.getMessageId();
    }

    /** Flushes for at most 30 seconds. */
    public int flush() {
        return flush(Duration.ofSeconds(30));
    }

    /** Sends what is queued. It returns how many events are not settled after the timeout: 0 if all are. */
    public int flush(Duration timeout) {
        return batcher.flush(timeout);
    }

    /** Closes within 10 seconds. */
    @Override
    public void close() {
        close(Duration.ofSeconds(10));
    }

    /** Takes no more events, flushes, and gives up the rest after the timeout. It returns how many were given up. */
    public int close(Duration timeout) {
        if (!batcher.close()) {
            return 0;
        }
        batcher.flush(timeout);
        return sender.stop();
    }
}

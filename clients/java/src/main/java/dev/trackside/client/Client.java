package dev.trackside.client;

import com.google.protobuf.Message;
import dev.trackside.v1.*;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * Sends events from threads of its own. Any thread may use it.
 *
 * <p>A call makes an event, queues it and returns its messageId. Where it throws, the event was not taken: an
 * IllegalStateException where the client is closed, a RejectedExecutionException where its queue stayed full, an
 * IllegalArgumentException or a ClassCastException for a value that JSON does not have. Whatever else becomes of the
 * event, a callback of the options is told. What is null is left out.
 */
public final class Client extends Batcher {
    private static final Pattern HALVES = Pattern.compile("\\p{Cs}"); // of surrogate pairs: UTF-8 does not have them

    /** Says more about an event of any kind. */
    public interface With extends Consumer<Common> {}

    /** What an event of any kind may say besides. */
    public static final class Common {
        /** Who the user is, where that is not known. */
        public String anonymousId;
        /** What makes a resend safe, in place of a random UUID. */
        public String messageId;
        /** When it happened, if not at the time of the call. */
        public Instant timestamp;
        /** Its circumstances. */
        public Map<String, ?> context;
        /** Which destinations it is meant for. */
        public Map<String, ?> integrations;
        /** Members that the specification does not name. */
        public Map<String, ?> extra;
    }

    /** Makes a client of the server at {@code host:port}, or what else gRPC takes as a name. It connects later. */
    public Client(String target, Consumer<Options> configure) {
        super(target, configure);
        Rules.check(Event.getDefaultInstance()); // the first check compiles the rules, which takes a second
    }

    /** Ties a user to traits. */
    public String identify(String userId, Map<String, ?> traits, With... with) {
        return send(userId, Identify.newBuilder(), "traits_json", traits, with);
    }

    /** Records an action. */
    public String track(String userId, String event, Map<String, ?> properties, With... with) {
        return send(userId, Track.newBuilder().setEvent(text(event)), "properties_json", properties, with);
    }

    /** Records the view of a page. */
    public String page(String userId, String name, Map<String, ?> properties, With... with) {
        return send(userId, Page.newBuilder().setName(text(name)), "properties_json", properties, with);
    }

    /** Records the view of a screen in an application. */
    public String screen(String userId, String name, Map<String, ?> properties, With... with) {
        return send(userId, Screen.newBuilder().setName(text(name)), "properties_json", properties, with);
    }

    /** Ties a user to a group. */
    public String group(String userId, String groupId, Map<String, ?> traits, With... with) {
        return send(userId, Group.newBuilder().setGroupId(text(groupId)), "traits_json", traits, with);
    }

    /** Joins two identities of one user. */
    public String alias(String userId, String previousId, With... with) {
        return send(userId, Alias.newBuilder().setPreviousId(text(previousId)), "", null, with);
    }

    private String send(String userId, Message.Builder kind, String field, Map<String, ?> own, With... with) {
        var common = new Common();
        List.of(with).forEach(each -> each.accept(common));
        var event = Event.newBuilder().setUserId(text(userId)).setAnonymousId(text(common.anonymousId))
                .setMessageId(text(common.messageId));
        if (common.timestamp != null) stamp(event, common.timestamp);
        setText(event, "context_json", common.context);
        setText(event, "integrations_json", common.integrations);
        setText(event, "extra_json", common.extra);
        setText(kind, field, own);
        var name = kind.getDescriptorForType().getName().toLowerCase(Locale.ROOT);
        return collect(event.setField(Event.getDescriptor().findFieldByName(name), kind.build()));
    }

    /** Sets a field to the JSON text of a free-form value, unless that is null. */
    private static void setText(Message.Builder message, String field, Map<String, ?> value) {
        if (value == null) return;
        message.setField(message.getDescriptorForType().findFieldByName(field), text(Json.of(value, 1).toString()));
    }

    static void stamp(Event.Builder event, Instant time) {
        event.getTimestampBuilder().setSeconds(time.getEpochSecond()).setNanos(time.getNano());
    }

    private static String text(String given) {
        return given == null ? "" : HALVES.matcher(given).replaceAll("\ufffd");
    }

    /** Sends an event that the caller built. It is given the messageId and the timestamp that it lacks. */
    public String collect(Event event) {
        return collect(event.toBuilder());
    }

    private String collect(Event.Builder event) {
        if (event.getMessageId().isEmpty()) event.setMessageId(UUID.randomUUID().toString());
        if (!event.hasTimestamp()) stamp(event, Instant.now().truncatedTo(ChronoUnit.MILLIS));
        var whole = event.build();
        var refusal = Rules.check(whole);
        if (refusal == null) put(whole);
        else tell(options.onRefused, whole, refusal);
        return whole.getMessageId();
    }
}

package dev.trackside.client;

import com.google.protobuf.Timestamp;
import dev.trackside.v1.Event;
import java.time.Instant;
import java.util.Map;

/** What an event of any kind may say besides. It does not change: each method returns another, which says more. */
public final class With {
    final Event event;

    /** Says nothing yet. */
    public With() {
        this(Event.newBuilder());
    }

    private With(Event.Builder event) {
        this.event = event.buildPartial();
    }

    /** Who the user is, where that is not known. */
    public With anonymousId(String anonymousId) {
        return new With(event.toBuilder().setAnonymousId(Text.of(anonymousId)));
    }

    /** What makes a resend safe, in place of a random UUID. */
    public With messageId(String messageId) {
        return new With(event.toBuilder().setMessageId(Text.of(messageId)));
    }

    /** When it happened, if not at the time of the call. */
    public With timestamp(Instant timestamp) {
        return new With(event.toBuilder().setTimestamp(proto(timestamp)));
    }

    /** Its circumstances. */
    public With context(Map<String, ?> context) {
        return new With(event.toBuilder().setContextJson(Text.of(context)));
    }

    /** Which destinations it is meant for. */
    public With integrations(Map<String, ?> integrations) {
        return new With(event.toBuilder().setIntegrationsJson(Text.of(integrations)));
    }

    /** Members that the specification does not name. */
    public With extra(Map<String, ?> extra) {
        return new With(event.toBuilder().setExtraJson(Text.of(extra)));
    }

    static Timestamp.Builder proto(Instant instant) {
        return Timestamp.newBuilder().setSeconds(instant.getEpochSecond()).setNanos(instant.getNano());
    }
}

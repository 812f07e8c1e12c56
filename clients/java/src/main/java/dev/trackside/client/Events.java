package dev.trackside.client;

import build.buf.protovalidate.Config;
import build.buf.protovalidate.Validator;
import build.buf.protovalidate.ValidatorFactory;
import build.buf.protovalidate.Violation;
import build.buf.protovalidate.exceptions.ValidationException;
import com.google.common.base.CaseFormat;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonNull;
import com.google.gson.JsonPrimitive;
import com.google.gson.JsonSerializer;
import com.google.gson.ReflectionAccessFilter.FilterResult;
import com.google.protobuf.util.Timestamps;
import dev.trackside.v1.Event;
import dev.trackside.v1.Reason;
import dev.trackside.v1.Refusal;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;

/** Writes free-form values as JSON, completes events, and checks them by the rules that the protos state. */
final class Events {
    // Native rules are quicker than the same rules in CEL.
    private static final Validator VALIDATOR = ValidatorFactory.newBuilder()
            .withConfig(Config.newBuilder().setFailFast(true).setEnableNativeRules(true).build()).build();
    private static final JsonSerializer<Number> FINITE = (number, type, context) ->
            Double.isFinite(number.doubleValue()) ? new JsonPrimitive(number) : JsonNull.INSTANCE;
    // Gson writes JSON's own types, and does not read the fields of objects of other classes.
    private static final Gson GSON = new GsonBuilder().serializeNulls().disableHtmlEscaping()
            .registerTypeAdapter(Double.class, FINITE).registerTypeAdapter(double.class, FINITE)
            .registerTypeAdapter(Float.class, FINITE).registerTypeAdapter(float.class, FINITE)
            .addReflectionAccessFilter(type -> FilterResult.BLOCK_ALL).create();
    private static final Pattern HALF_SURROGATE_PAIR = Pattern.compile("\\p{Cs}");

    private Events() {}

    static String json(Map<String, ?> value) {
        return text(GSON.toJson(value));
    }

    /** The text as UTF-8 can have it; null is empty. */
    static String text(String given) {
        return given == null ? "" : HALF_SURROGATE_PAIR.matcher(given).replaceAll("\ufffd");
    }

    /** Fills in the messageId and the timestamp if they are unset. */
    static Event complete(Event.Builder event) {
        if (event.getMessageId().isEmpty()) {
            event.setMessageId(UUID.randomUUID().toString());
        }
        if (!event.hasTimestamp()) {
            event.setTimestamp(Timestamps.fromMillis(System.currentTimeMillis()));
        }
        return event.build();
    }

    /** The event's bytes in a request: the entry around it has at most two tags and two lengths. */
    static int bytes(Event event) {
        return event.getSerializedSize() + 10;
    }

    /** Why the server would refuse the event, as far as that is known here. */
    static Optional<Refusal> check(Event event) {
        if (bytes(event) > Options.LARGEST_EVENT) {
            var description = "the event has " + bytes(event) + " bytes, and a gRPC message holds " + Options.LARGEST_EVENT;
            return Optional.of(Refusal.newBuilder()
                    .setReason(Reason.REASON_EVENT_TOO_LARGE).setDescription(description).build());
        }
        try {
            return VALIDATOR.validate(event).getViolations().stream().findFirst().map(Events::refusal);
        } catch (ValidationException broken) {
            throw new IllegalStateException("a rule of the protos cannot be run", broken);
        }
    }

    private static Refusal refusal(Violation violation) {
        var field = field(violation);
        return Refusal.newBuilder().setReason(reason(violation.toProto().getRuleId())).setField(field)
                .setDescription(field + ": " + violation.toProto().getMessage()).build();
    }

    /** The JSON name of the field. A rule of the whole message begins its id with that name. */
    private static String field(Violation violation) {
        var path = violation.toProto().getField().getElementsList();
        if (path.isEmpty()) {
            return violation.toProto().getRuleId().split("\\.")[0];
        }
        var name = path.get(path.size() - 1).getFieldName();
        return name.equals("kind") ? "type" : CaseFormat.LOWER_UNDERSCORE.to(CaseFormat.LOWER_CAMEL, name);
    }

    private static Reason reason(String rule) {
        if (rule.equals("required") || rule.endsWith(".required")) {
            return Reason.REASON_REQUIRED;
        }
        return rule.startsWith("timestamp.") ? Reason.REASON_INVALID_TIMESTAMP : Reason.REASON_INVALID_VALUE;
    }
}

package dev.trackside.client;

import build.buf.protovalidate.Config;
import build.buf.protovalidate.Validator;
import build.buf.protovalidate.ValidatorFactory;
import build.buf.protovalidate.exceptions.ValidationException;
import build.buf.validate.Violation;
import com.google.common.base.CaseFormat;
import com.google.common.collect.Iterables;
import dev.trackside.v1.*;

/** The rules that the protos state. */
final class Rules {
    static final Limits LIMITS = CollectorServiceProto.getDescriptor()
            .findServiceByName("CollectorService").getOptions().getExtension(OptionsProto.limits);
    static final int LARGEST_EVENT = LIMITS.getMessageBytes() - 1024; // in a request it just fits a message
    // With native rules a check takes 25 µs in place of 44; the rest is the protos' own conditions, in CEL.
    private static final Validator VALIDATOR = ValidatorFactory.newBuilder()
            .withConfig(Config.newBuilder().setFailFast(true).setEnableNativeRules(true).build()).build();

    /** Why the server would refuse the event, as far as that is known here, and else null. */
    static Refusal check(Event event) {
        var why = Refusal.newBuilder();
        if (event.getSerializedSize() > LARGEST_EVENT)
            return why.setReason(Reason.REASON_EVENT_TOO_LARGE).setDescription("larger than a message may be").build();
        try {
            var violations = VALIDATOR.validate(event).getViolations();
            return violations.isEmpty() ? null : say(why, violations.get(0).toProto());
        } catch (ValidationException broken) {
            throw new IllegalStateException("a rule of the protos cannot be run", broken);
        }
    }

    private static Refusal say(Refusal.Builder why, Violation violation) {
        var rule = violation.getRuleId(); // such as "timestamp.gte", or "userId.required" of the whole event
        var path = violation.getField().getElementsList();
        var name = path.isEmpty() ? rule.split("\\.")[0]
                : CaseFormat.LOWER_UNDERSCORE.to(CaseFormat.LOWER_CAMEL, Iterables.getLast(path).getFieldName());
        var field = name.equals("kind") ? "type" : name;
        var reason = rule.endsWith("required") ? Reason.REASON_REQUIRED
                : rule.startsWith("timestamp.") ? Reason.REASON_INVALID_TIMESTAMP : Reason.REASON_INVALID_VALUE;
        return why.setReason(reason).setField(field).setDescription(field + ": " + violation.getMessage()).build();
    }
}

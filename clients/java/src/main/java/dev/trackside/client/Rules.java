package dev.trackside.client;

import build.buf.protovalidate.Config;
import build.buf.protovalidate.Validator;
import build.buf.protovalidate.ValidatorFactory;
import build.buf.protovalidate.exceptions.ValidationException;
import build.buf.validate.Violation;
import dev.trackside.v1.Event;
import dev.trackside.v1.Reason;
import dev.trackside.v1.Refusal;
import java.util.regex.Pattern;

/** The rules that the protos state. */
final class Rules {
    // With native rules a check takes 25 µs in place of 44; the rest is the protos' own conditions, in CEL.
    private static final Validator VALIDATOR = ValidatorFactory.newBuilder()
            .withConfig(Config.newBuilder().setFailFast(true).setEnableNativeRules(true).build()).build();
    private static final Pattern WORD = Pattern.compile("_(.)");

    /** Why the server would refuse the event, as far as that is known here, and else null. */
    static Refusal check(Event event) {
        if (event.getSerializedSize() > Options.LARGEST_EVENT) {
            return refusal(Reason.REASON_EVENT_TOO_LARGE, "", "larger than a message may be");
        }
        try {
            var violations = VALIDATOR.validate(event).getViolations();
            return violations.isEmpty() ? null : refusal(violations.get(0).toProto());
        } catch (ValidationException broken) {
            throw new IllegalStateException("a rule of the protos cannot be run", broken);
        }
    }

    private static Refusal refusal(Violation violation) {
        var rule = violation.getRuleId();
        var field = rule.substring(0, Math.max(0, rule.lastIndexOf('.'))); // a rule of the whole event is named for it
        if (violation.hasField()) {
            var path = violation.getField();
            var name = path.getElements(path.getElementsCount() - 1).getFieldName();
            field = WORD.matcher(name).replaceAll(letter -> letter.group(1).toUpperCase());
        }
        var reason = rule.endsWith("required") ? Reason.REASON_REQUIRED
                : rule.startsWith("timestamp.") ? Reason.REASON_INVALID_TIMESTAMP : Reason.REASON_INVALID_VALUE;
        return refusal(reason, field.equals("kind") ? "type" : field, field + ": " + violation.getMessage());
    }

    private static Refusal refusal(Reason reason, String field, String description) {
        return Refusal.newBuilder().setReason(reason).setField(field).setDescription(description).build();
    }
}

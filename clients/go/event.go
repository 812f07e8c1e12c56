package trackside

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"time"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	pb "github.com/trackside/trackside/clients/go/tracksidev1"
)

// With is what an event of any kind may say besides. A field's zero value says nothing.
type With struct {
	AnonymousID, MessageID       string
	Timestamp                    time.Time
	Context, Integrations, Extra map[string]any
}

// setText gives a field the JSON text of a free-form value, unless that is nil.
func setText(message proto.Message, field protoreflect.Name, value map[string]any) error {
	if value == nil {
		return nil
	}
	text, err := encode(value)
	if odd := new(json.UnsupportedValueError); errors.As(err, &odd) && odd.Value.CanFloat() {
		text, err = encode(finite(value, limits.Nesting+2))
	}
	reflected := message.ProtoReflect()
	reflected.Set(reflected.Descriptor().Fields().ByName(field), protoreflect.ValueOfString(text))
	return err
}

func encode(value any) (string, error) {
	text := &strings.Builder{}
	encoder := json.NewEncoder(text)
	encoder.SetEscapeHTML(false) // an escape is six times as long, and an event's size is bounded
	err := encoder.Encode(value)
	return strings.TrimSuffix(text.String(), "\n"), err
}

// finite copies a value, with null for the numbers that JSON does not have, as deep as the server takes it.
func finite(value any, depth uint32) any {
	if depth == 0 {
		return value
	}
	switch value := value.(type) {
	case float64:
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return nil
		}
	case map[string]any:
		clean := make(map[string]any, len(value))
		for name, inner := range value {
			clean[name] = finite(inner, depth-1)
		}
		return clean
	case []any:
		clean := make([]any, len(value))
		for i, inner := range value {
			clean[i] = finite(inner, depth-1)
		}
		return clean
	}
	return value
}

// check says why the server would refuse the event, as far as that is known here, and else is nil.
func check(event *pb.Event, size int) *pb.Refusal {
	if size > largestEvent {
		return &pb.Refusal{Reason: pb.Reason_REASON_EVENT_TOO_LARGE, Description: "larger than a message may be"}
	}
	broken := new(protovalidate.ValidationError)
	if !errors.As(protovalidate.Validate(event, protovalidate.WithFailFast()), &broken) {
		return nil
	}
	violation, reason := broken.Violations[0], pb.Reason_REASON_INVALID_VALUE
	rule := violation.Proto.GetRuleId()
	field := rule[:max(0, strings.LastIndex(rule, "."))] // a rule of the whole event is named for its field
	if violation.FieldDescriptor != nil {
		field = violation.FieldDescriptor.JSONName()
	}
	switch {
	case field == "": // the rule of the oneof `kind`
		field, reason = "type", pb.Reason_REASON_REQUIRED
	case strings.HasSuffix(rule, "required"):
		reason = pb.Reason_REASON_REQUIRED
	case strings.HasPrefix(rule, "timestamp."):
		reason = pb.Reason_REASON_INVALID_TIMESTAMP
	}
	return &pb.Refusal{Reason: reason, Field: field, Description: violation.String()}
}

package trackside

import (
	jsonv1 "encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"buf.build/go/protovalidate"
	"github.com/go-json-experiment/json" // encoding/json/v2, which Go has itself from 1.27
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	pb "github.com/trackside/trackside/clients/go/tracksidev1"
)

// freeForm is a free-form value and the field that takes its JSON text.
type freeForm struct {
	message proto.Message
	field   protoreflect.Name
	value   Object
}

// write sets the field, unless the value is nil.
func (f freeForm) write() error {
	if f.value == nil {
		return nil
	}
	text, err := json.Marshal(f.value, jsonForm)
	if err != nil {
		return err
	}
	message := f.message.ProtoReflect()
	message.Set(message.Descriptor().Fields().ByName(f.field), protoreflect.ValueOfString(string(text)))
	return nil
}

// jsonForm writes values that JSON does not have: U+FFFD for invalid UTF-8, and null for a number that is not finite.
var jsonForm = json.JoinOptions(jsontext.AllowInvalidUTF8(true), json.WithMarshalers(json.JoinMarshalers(
	json.MarshalFunc(func(number jsonv1.Number) ([]byte, error) { return []byte(number), nil }),
	json.MarshalToFunc(writeFinite[float64]),
	json.MarshalToFunc(writeFinite[float32]),
)))

func writeFinite[Float float32 | float64](text *jsontext.Encoder, number Float) error {
	if math.IsNaN(float64(number)) || math.IsInf(float64(number), 0) {
		return text.WriteToken(jsontext.Null)
	}
	return errors.ErrUnsupported // tells the encoder to write the number as usual
}

// check returns why the server would refuse the event, as far as that is known here, or nil.
func check(event *pb.Event, size int) *pb.Refusal {
	if size > largestEvent {
		description := fmt.Sprintf("the event has %d bytes, and a gRPC message holds %d", size, largestEvent)
		return &pb.Refusal{Reason: pb.Reason_REASON_EVENT_TOO_LARGE, Description: description}
	}
	invalid, isInvalid := errors.AsType[*protovalidate.ValidationError](protovalidate.Validate(event, protovalidate.WithFailFast()))
	if !isInvalid {
		return nil
	}
	violation := invalid.Violations[0]
	field := fieldOf(violation)
	description := field + ": " + violation.Proto.GetMessage()
	return &pb.Refusal{Reason: reasonOf(violation.Proto.GetRuleId()), Field: field, Description: description}
}

// fieldOf returns the JSON name of a violation's field. A rule of the whole message begins its id with that name.
func fieldOf(violation *protovalidate.Violation) string {
	if violation.FieldDescriptor != nil {
		return violation.FieldDescriptor.JSONName()
	}
	name, _, isNamed := strings.Cut(violation.Proto.GetRuleId(), ".")
	if isNamed {
		return name
	}
	return "type" // the rule is that of the oneof `kind`
}

func reasonOf(rule string) pb.Reason {
	switch {
	case rule == "required" || strings.HasSuffix(rule, ".required"):
		return pb.Reason_REASON_REQUIRED
	case strings.HasPrefix(rule, "timestamp."):
		return pb.Reason_REASON_INVALID_TIMESTAMP
	default:
		return pb.Reason_REASON_INVALID_VALUE
	}
}

package trackside

import (
	"cmp"
	"context"
	jsonv1 "encoding/json"
	"errors"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"

	"buf.build/go/protovalidate"
	"github.com/go-json-experiment/json" // encoding/json/v2, which Go has itself from 1.27
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/trackside/trackside/clients/go/tracksidev1"
)

var (
	service     = pb.File_trackside_v1_collector_service_proto.Services().ByName("CollectorService")
	limits      = proto.GetExtension(service.Options(), pb.E_Limits).(*pb.Limits)
	halfMessage = int(limits.MessageBytes)/2 - 1024 // for a batch that is not full yet, and for one more event

	// reasons are told by a word of a rule's id: "required", "userId.required", "timestamp.gte".
	reasons = map[string]pb.Reason{"required": pb.Reason_REASON_REQUIRED, "timestamp": pb.Reason_REASON_INVALID_TIMESTAMP}
	passing = []codes.Code{codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded, codes.Canceled}
	// In the text of an INTERNAL that grpc-go makes of a call which was cut off; nothing else tells it from a server's.
	cutOff = regexp.MustCompile("RST_STREAM|unexpected EOF|without sending trailers")

	// textForm is JSON without what it does not have: halves of characters become U+FFFD, odd numbers null.
	textForm = json.JoinOptions(jsontext.AllowInvalidUTF8(true), json.WithMarshalers(json.JoinMarshalers(
		json.MarshalFunc(func(number jsonv1.Number) ([]byte, error) { return []byte(number), nil }),
		json.MarshalToFunc(func(text *jsontext.Encoder, number float64) error {
			if number-number == 0 {
				return errors.ErrUnsupported // here: it is written as ever
			}
			return text.WriteToken(jsontext.Null)
		}))))
)

func (c *Client) send(ctx context.Context, event *pb.Event, own Object, more []With) (string, error) {
	with := append(slices.Clip(more), With{})[0]
	event.AnonymousId, event.MessageId = with.AnonymousID, with.MessageID
	event.Timestamp = timestamppb.New(cmp.Or(with.Timestamp, time.Now().Truncate(time.Millisecond)))
	message := event.ProtoReflect()
	kind := message.Get(message.WhichOneof(message.Descriptor().Oneofs().ByName("kind"))).Message()
	err := cmp.Or(setText(kind, "traits_json", own), setText(kind, "properties_json", own),
		setText(message, "context_json", with.Context), setText(message, "integrations_json", with.Integrations),
		setText(message, "extra_json", with.Extra))
	if err != nil {
		return "", err
	}
	return c.Collect(ctx, event)
}

// setText gives a field, where the message has it, the JSON text of a free-form value, where there is one.
func setText(message protoreflect.Message, name protoreflect.Name, value Object) error {
	field := message.Descriptor().Fields().ByName(name)
	if field == nil || value == nil {
		return nil
	}
	text, err := json.Marshal(value, textForm)
	message.Set(field, protoreflect.ValueOfString(string(text)))
	return err
}

// Collect takes over an event that the caller built. It is given the messageId and the timestamp that it lacks.
func (c *Client) Collect(ctx context.Context, event *pb.Event) (string, error) {
	event.MessageId = cmp.Or(event.MessageId, uuid.NewString())
	event.Timestamp = cmp.Or(event.Timestamp, timestamppb.New(time.Now().Truncate(time.Millisecond)))
	if _, err := proto.Marshal(event); err != nil {
		return "", err // a string that is not UTF-8 would take its whole batch along
	}
	select {
	case c.room <- struct{}{}:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if c.unsettled.Add(1); c.closed.Load() {
		c.unsettled.Add(-1)
		<-c.room
		return "", ErrClosed
	}
	if why := check(event); why != nil {
		settle(c, c.options.OnRefused, event, why)
	} else {
		c.queue <- &pb.Entry{Content: &pb.Entry_Event{Event: event}}
	}
	return event.MessageId, nil
}

// check says why the server would refuse the event, as far as that is known here, and else is nil.
func check(event *pb.Event) *pb.Refusal {
	if proto.Size(event) > halfMessage {
		return &pb.Refusal{Reason: pb.Reason_REASON_EVENT_TOO_LARGE, Description: "too large for a message"}
	}
	broken := new(protovalidate.ValidationError)
	if !errors.As(protovalidate.Validate(event, protovalidate.WithFailFast()), &broken) {
		return nil
	}
	violation := broken.Violations[0]
	first, last, _ := strings.Cut(violation.Proto.GetRuleId(), ".")
	reason := cmp.Or(reasons[first], reasons[last], pb.Reason_REASON_INVALID_VALUE)
	why := &pb.Refusal{Reason: reason, Field: first, Description: violation.String()}
	if violation.FieldDescriptor != nil {
		why.Field = violation.FieldDescriptor.JSONName()
	} else if last == "" { // the rule of the oneof `kind`
		why.Field = "type"
	}
	return why
}

// gather makes batches of what is queued, and sends each as soon as a call is free.
func (c *Client) gather() {
	calls, most := make(chan struct{}, c.options.Calls), min(c.options.BatchBytes, halfMessage)
	for first := range c.queue {
		batch, bytes := []*pb.Entry{first}, proto.Size(first)
		c.due.Reset(c.options.FlushInterval)
		for due := false; (!due || len(c.queue) > 0) && len(batch) < c.options.BatchEvents && bytes < most; {
			select {
			case entry := <-c.queue:
				batch, bytes = append(batch, entry), bytes+proto.Size(entry)
			case <-c.due.C:
				due = true
			}
		}
		calls <- struct{}{}
		go c.deliver(batch, calls)
	}
}

// deliver sends a batch until all of it is settled.
func (c *Client) deliver(batch []*pb.Entry, calls <-chan struct{}) {
	defer func() { <-calls }()
	until, pause := time.Now().Add(c.options.RetryFor), 80*time.Millisecond
	left, why := c.collect(batch)
	for delay, again := resend(why); again && c.ctx.Err() == nil && time.Now().Before(until); delay, again = resend(why) {
		wait := cmp.Or(max(delay, 0), pause)
		pause = min(2*pause, 4*time.Second)
		select {
		case <-time.After(wait + rand.N(wait/5+1)):
		case <-c.ctx.Done():
		}
		left, why = c.collect(left)
	}
	for _, entry := range left {
		settle(c, c.options.OnLost, entry.GetEvent(), cmp.Or(context.Cause(c.ctx), why))
	}
}

// collect makes a call, and settles what it can: the events that are left, and why.
func (c *Client) collect(batch []*pb.Entry) (left []*pb.Entry, why error) {
	ctx, cancel := context.WithTimeout(c.ctx, c.options.CallTimeout)
	defer cancel()
	response, err := pb.NewCollectorServiceClient(c.connection).CollectBatch(ctx, &pb.CollectBatchRequest{Entries: batch})
	if err == nil && len(response.Outcomes) != len(batch) {
		err = status.Error(codes.Internal, "the answer does not have one outcome for each event")
	}
	if err != nil {
		c.connection.ResetConnectBackoff() // the wait before a resend is enough
		return batch, err
	}
	delay := &errdetails.RetryInfo{RetryDelay: response.Retry.GetDelay()}
	retry, _ := status.New(codes.Unavailable, "the server said RETRY").WithDetails(delay)
	for _, refusal := range response.Refusals {
		settle(c, c.options.OnRefused, batch[refusal.Index].GetEvent(), refusal)
	}
	for i, outcome := range response.Outcomes {
		switch outcome {
		case pb.Outcome_OUTCOME_ACCEPTED, pb.Outcome_OUTCOME_DUPLICATE:
			settle(c, c.options.OnAccepted, batch[i].GetEvent(), outcome == pb.Outcome_OUTCOME_DUPLICATE)
		case pb.Outcome_OUTCOME_RETRY:
			left, why = append(left, batch[i]), retry.Err()
		}
	}
	return left, why
}

// resend says how long the server said to wait, or 0, and whether sending the same again may help.
func resend(err error) (delay time.Duration, again bool) {
	why, info := status.Convert(err), &errdetails.RetryInfo{}
	for _, detail := range why.Proto().GetDetails() {
		_ = detail.UnmarshalTo(info) // does nothing where the detail is something else
	}
	broken := why.Code() == codes.Internal && cutOff.MatchString(why.Message())
	return info.RetryDelay.AsDuration(), broken || slices.Contains(passing, why.Code())
}

// settle tells the program what became of an event, and makes room for another.
func settle[Why any](c *Client, callback func(*pb.Event, Why), event *pb.Event, why Why) {
	callback(event, why)
	c.unsettled.Add(-1)
	<-c.room
}

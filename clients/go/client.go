// Package trackside sends events to Trackside over gRPC. New is where to start.
package trackside

import (
	"cmp"
	"context"
	jsonv1 "encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"buf.build/go/protovalidate"
	"github.com/go-json-experiment/json" // encoding/json/v2, which Go has itself from 1.27
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/trackside/trackside/clients/go/tracksidev1"
)

// ErrClosed is what a call returns on a client that is closed, and why Close gives events up.
var ErrClosed = errors.New("trackside: the client is closed")

// Options says how a client works. In brackets are the defaults. A number out of its bounds is the nearest within them.
type Options struct {
	WriteKey string                           // the write key of events that have none of their own (none)
	TLS      credentials.TransportCredentials // such as credentials.NewTLS(&tls.Config{}) (no TLS)

	// Most events in a call (200), how many bytes of events make a call full, too (1,000,000), most events that wait for
	// a call (10,000), and most calls in flight (4); 1 keeps the events' order.
	BatchEvents, BatchBytes, QueueEvents, Calls int

	// How long an event waits for others to fill its batch (0.1 s), the deadline of a call (10 s), and how long a batch
	// is sent again before its events are given up (300 s).
	FlushInterval, CallTimeout, RetryFor time.Duration

	// One of these is told of each event that a call took, once. They run on the client's goroutines (OnRefused also in
	// the call itself), should be short, and must not call Flush or Close.
	OnAccepted func(event *pb.Event, duplicate bool)  // it is durable in the server's queue (does nothing)
	OnRefused  func(event *pb.Event, why *pb.Refusal) // it is not taken, and never will be as it is (logs a warning)
	OnLost     func(event *pb.Event, why error)       // it was given up (logs a warning)
}

// Object is a free-form value: whatever encoding/json/v2 can write, and null for numbers that are not finite.
type Object = map[string]any

// Client sends events from goroutines of its own. Any goroutine may use it.
//
// A call makes an event, queues it and returns its messageId. It waits only where the queue is full, until there is
// room or its context ends. An error says that the event was not taken. Whatever else becomes of the event, a callback
// of the options is told.
type Client struct {
	options    Options
	connection *grpc.ClientConn
	ctx        context.Context // of all that is sent
	giveUp     context.CancelCauseFunc
	closed     atomic.Bool
	unsettled  atomic.Int64   // events, and those that wait for room
	queue      chan *pb.Entry // those of them that are in no batch yet
	due        *time.Timer    // when the batch that gathers is sent, though it is not full
}

// With is what an event of any kind may say besides. A field's zero value says nothing.
type With struct {
	AnonymousID, MessageID       string
	Timestamp                    time.Time
	Context, Integrations, Extra Object
}

// New makes a client of the server at target: `host:port`, or what else gRPC takes as a name. It connects when it must.
func New(target string, configure func(*Options)) (*Client, error) {
	c := &Client{due: time.NewTimer(0), options: Options{
		TLS: insecure.NewCredentials(), BatchEvents: 200, BatchBytes: 1_000_000, QueueEvents: 10_000, Calls: 4,
		FlushInterval: 100 * time.Millisecond, CallTimeout: 10 * time.Second, RetryFor: 300 * time.Second,
		OnAccepted: func(*pb.Event, bool) {}, OnRefused: warn[*pb.Refusal], OnLost: warn[error],
	}}
	configure(&c.options)
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(c.options.TLS), grpc.WithDisableRetry(),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}))
	if err != nil {
		return nil, err
	}
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+c.options.WriteKey)
	c.ctx, c.giveUp = context.WithCancelCause(ctx)
	c.connection, c.queue = connection, make(chan *pb.Entry, max(c.options.QueueEvents, 1))
	go c.gather()
	return c, nil
}

func warn[Why any](event *pb.Event, why Why) {
	slog.Warn("trackside: an event is not queued", "messageId", event.MessageId, "why", why)
}

// Identify ties a user to traits.
func (c *Client) Identify(ctx context.Context, userID string, traits Object, more ...With) (string, error) {
	return c.send(ctx, &pb.Event{UserId: userID, Kind: &pb.Event_Identify{Identify: &pb.Identify{}}}, traits, more)
}

// Track records an action.
func (c *Client) Track(ctx context.Context, userID, event string, properties Object, more ...With) (string, error) {
	return c.send(ctx, &pb.Event{UserId: userID, Kind: &pb.Event_Track{Track: &pb.Track{Event: event}}}, properties, more)
}

// Page records the view of a page.
func (c *Client) Page(ctx context.Context, userID, name string, properties Object, more ...With) (string, error) {
	return c.send(ctx, &pb.Event{UserId: userID, Kind: &pb.Event_Page{Page: &pb.Page{Name: name}}}, properties, more)
}

// Screen records the view of a screen in an application.
func (c *Client) Screen(ctx context.Context, userID, name string, properties Object, more ...With) (string, error) {
	return c.send(ctx, &pb.Event{UserId: userID, Kind: &pb.Event_Screen{Screen: &pb.Screen{Name: name}}}, properties, more)
}

// Group ties a user to a group.
func (c *Client) Group(ctx context.Context, userID, groupID string, traits Object, more ...With) (string, error) {
	return c.send(ctx, &pb.Event{UserId: userID, Kind: &pb.Event_Group{Group: &pb.Group{GroupId: groupID}}}, traits, more)
}

// Alias joins two identities of one user.
func (c *Client) Alias(ctx context.Context, userID, previous string, more ...With) (string, error) {
	return c.send(ctx, &pb.Event{UserId: userID, Kind: &pb.Event_Alias{Alias: &pb.Alias{PreviousId: previous}}}, nil, more)
}

// Collect takes over an event that the caller built. It is given the messageId and the timestamp that it lacks.
func (c *Client) Collect(ctx context.Context, event *pb.Event) (string, error) {
	event.MessageId = cmp.Or(event.MessageId, uuid.NewString())
	event.Timestamp = cmp.Or(event.Timestamp, timestamppb.New(time.Now().Truncate(time.Millisecond)))
	if _, err := proto.Marshal(event); err != nil {
		return "", err // a string that is not UTF-8 would take its whole batch along
	}
	if why := check(event); why != nil {
		c.options.OnRefused(event, why)
		return event.MessageId, nil
	}
	if c.unsettled.Add(1); c.closed.Load() {
		c.unsettled.Add(-1)
		return "", ErrClosed
	}
	select {
	case c.queue <- &pb.Entry{Content: &pb.Entry_Event{Event: event}}:
		return event.MessageId, nil
	case <-ctx.Done():
		c.unsettled.Add(-1)
		return "", ctx.Err()
	}
}

// Flush sends what is queued and waits until all is settled, or for the timeout: how many events are not settled.
func (c *Client) Flush(timeout time.Duration) int {
	for end := time.Now().Add(timeout); c.unsettled.Load() > 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		c.due.Reset(0)
	}
	return int(c.unsettled.Load())
}

// Close takes no more events, flushes, and gives up what is left after the timeout: how many events that were.
func (c *Client) Close(timeout time.Duration) (left int) {
	if !c.closed.Swap(true) {
		left = c.Flush(timeout)
		c.giveUp(ErrClosed)
		c.Flush(time.Hour) // at once: nothing waits for the server any more
		close(c.queue)
		_ = c.connection.Close()
	}
	return left
}

// textForm is JSON without what it does not have: halves of characters become U+FFFD, odd numbers null.
var textForm = json.JoinOptions(jsontext.AllowInvalidUTF8(true), json.WithMarshalers(json.JoinMarshalers(
	json.MarshalFunc(func(number jsonv1.Number) ([]byte, error) { return []byte(number), nil }),
	json.MarshalToFunc(func(text *jsontext.Encoder, number float64) error {
		if number-number == 0 {
			return errors.ErrUnsupported // here: it is written as ever
		}
		return text.WriteToken(jsontext.Null)
	}))))

func (c *Client) send(ctx context.Context, event *pb.Event, own Object, more []With) (string, error) {
	with := append(slices.Clip(more), With{})[0]
	event.AnonymousId, event.MessageId = with.AnonymousID, with.MessageID
	event.Timestamp = timestamppb.New(cmp.Or(with.Timestamp, time.Now().Truncate(time.Millisecond)))
	message := event.ProtoReflect()
	kind := message.Get(message.WhichOneof(message.Descriptor().Oneofs().ByName("kind"))).Message()
	if err := cmp.Or(set(kind, "traits", own), set(kind, "properties", own), set(message, "context", with.Context),
		set(message, "integrations", with.Integrations), set(message, "extra", with.Extra)); err != nil {
		return "", err
	}
	return c.Collect(ctx, event)
}

// set gives a message the JSON text of a free-form value, where there is one and the message has a field for it.
func set(message protoreflect.Message, name protoreflect.Name, value Object) error {
	field := message.Descriptor().Fields().ByName(name + "_json")
	if field == nil || value == nil {
		return nil
	}
	text, err := json.Marshal(value, textForm)
	message.Set(field, protoreflect.ValueOfString(string(text)))
	return err
}

var service = pb.File_trackside_v1_collector_service_proto.Services().ByName("CollectorService").Options()
var limits = proto.GetExtension(service, pb.E_Limits).(*pb.Limits)
var halfMessage = int(limits.MessageBytes)/2 - 1024 // for a batch that is not full yet, and for one more event

// words of a rule's id tell the reason: "required", "userId.required", "timestamp.gte".
var words = map[string]pb.Reason{"required": pb.Reason_REASON_REQUIRED, "timestamp": pb.Reason_REASON_INVALID_TIMESTAMP}

// check says why the server would refuse the event, as far as that is known here, and else is nil.
func check(event *pb.Event) *pb.Refusal {
	if proto.Size(event) > halfMessage {
		return &pb.Refusal{Reason: pb.Reason_REASON_EVENT_TOO_LARGE, Description: "too large for a message"}
	}
	if broken, isBroken := errors.AsType[*protovalidate.ValidationError](protovalidate.Validate(event)); isBroken {
		violation := broken.Violations[0]
		field, rule, _ := strings.Cut(violation.Proto.GetRuleId(), ".")
		reason := cmp.Or(words[field], words[rule], pb.Reason_REASON_INVALID_VALUE)
		if violation.FieldDescriptor != nil {
			field = violation.FieldDescriptor.JSONName()
		} else if rule == "" { // that of the oneof `kind`
			field = "type"
		}
		return &pb.Refusal{Reason: reason, Field: field, Description: violation.String()}
	}
	return nil
}

// gather makes batches of what is queued, and sends each as soon as a call is free.
func (c *Client) gather() {
	calls := make(chan struct{}, max(c.options.Calls, 1))
	events, size := min(c.options.BatchEvents, int(limits.DeliveryEvents)), min(c.options.BatchBytes, halfMessage)
	for first := range c.queue {
		batch, bytes := []*pb.Entry{first}, proto.Size(first)
		c.due.Reset(c.options.FlushInterval)
		for due := false; (!due || len(c.queue) > 0) && len(batch) < events && bytes < size; {
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
	until, pause := time.Now().Add(c.options.RetryFor), 80*time.Millisecond
	left, why := c.collect(batch)
	for delay, again := resend(why); again && c.ctx.Err() == nil && time.Now().Before(until); delay, again = resend(why) {
		delay, pause = cmp.Or(max(delay, 0), pause), min(2*pause, 4*time.Second)
		ctx, cancel := context.WithTimeout(c.ctx, delay+rand.N(delay/5+1))
		<-ctx.Done()
		cancel()
		c.connection.ResetConnectBackoff() // this wait was enough
		left, why = c.collect(left)
	}
	for _, entry := range left {
		c.options.OnLost(entry.GetEvent(), cmp.Or(context.Cause(c.ctx), why))
	}
	c.unsettled.Add(-int64(len(left)))
	<-calls
}

// collect makes a call, and settles what it can: the events that are left, and why.
func (c *Client) collect(batch []*pb.Entry) (left []*pb.Entry, why error) {
	ctx, cancel := context.WithTimeout(c.ctx, c.options.CallTimeout)
	defer cancel()
	response, err := pb.NewCollectorServiceClient(c.connection).CollectBatch(ctx, &pb.CollectBatchRequest{Entries: batch})
	if err != nil || len(response.Outcomes) != len(batch) {
		return batch, cmp.Or(err, status.Error(codes.Internal, "the answer does not have one outcome for each event"))
	}
	delay := &errdetails.RetryInfo{RetryDelay: response.Retry.GetDelay()}
	retry, _ := status.New(codes.Unavailable, "the server said RETRY").WithDetails(delay)
	for _, refusal := range response.Refusals {
		c.options.OnRefused(batch[refusal.Index].GetEvent(), refusal)
	}
	for i, outcome := range response.Outcomes {
		if outcome == pb.Outcome_OUTCOME_ACCEPTED || outcome == pb.Outcome_OUTCOME_DUPLICATE {
			c.options.OnAccepted(batch[i].GetEvent(), outcome == pb.Outcome_OUTCOME_DUPLICATE)
		} else if outcome != pb.Outcome_OUTCOME_REFUSED {
			left, why = append(left, batch[i]), retry.Err()
		}
	}
	c.unsettled.Add(int64(len(left) - len(batch)))
	return left, why
}

// passing are the codes after which sending the same again may help.
var passing = []codes.Code{codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded, codes.Canceled}

// cutOff tells the INTERNAL that grpc-go makes of a broken connection from a server's.
var cutOff = regexp.MustCompile("code = Internal desc = .*(RST_STREAM|unexpected EOF|without sending trailers)")

// resend says how long the server said to wait, or 0, and whether sending the same again may help.
func resend(err error) (delay time.Duration, again bool) {
	why, info := status.Convert(err), &errdetails.RetryInfo{}
	for _, detail := range why.Proto().GetDetails() {
		_ = detail.UnmarshalTo(info) // does nothing where the detail is something else
	}
	return info.RetryDelay.AsDuration(), slices.Contains(passing, why.Code()) || cutOff.MatchString(why.String())
}

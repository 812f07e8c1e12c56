// Package trackside sends events to Trackside over gRPC. New is where to start.
package trackside

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"

	pb "github.com/trackside/trackside/clients/go/tracksidev1"
)

// ErrClosed is what a call returns on a client that is closed, and why Close gives events up.
var ErrClosed = errors.New("trackside: the client is closed")

// Options says how a client works. Each comment ends with the default.
type Options struct {
	WriteKey      string                           // the write key of events that have none of their own: none
	TLS           credentials.TransportCredentials // such as credentials.NewTLS(&tls.Config{}): no TLS
	BatchEvents   int                              // most events in a call: 200
	BatchBytes    int                              // so many bytes of events make a call full, too: 1,000,000
	QueueEvents   int                              // most events that are not settled, those in flight included: 10,000
	Calls         int                              // most calls in flight; 1 keeps the events' order: 4
	FlushInterval time.Duration                    // longest that an event waits for others to fill its batch: 0.1 s
	CallTimeout   time.Duration                    // deadline of a call: 10 s
	RetryFor      time.Duration                    // how long a batch is sent again before its events are given up: 300 s

	// One of these is told of each event that a call took, once. They run on the client's goroutines (OnRefused also in
	// the call itself), should be short, and must not call Flush or Close.
	OnAccepted func(event *pb.Event, duplicate bool)  // it is durable in the server's queue: does nothing
	OnRefused  func(event *pb.Event, why *pb.Refusal) // it is not taken, and never will be as it is: logs a warning
	OnLost     func(event *pb.Event, why error)       // it was given up: logs a warning
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
	unsettled  atomic.Int64   // events
	room       chan struct{}  // has one for each of them, and no more than there may be
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
	o := Options{
		TLS: insecure.NewCredentials(), BatchEvents: 200, BatchBytes: 1_000_000, QueueEvents: 10_000, Calls: 4,
		FlushInterval: 100 * time.Millisecond, CallTimeout: 10 * time.Second, RetryFor: 300 * time.Second,
		OnAccepted: func(*pb.Event, bool) {}, OnRefused: warn[*pb.Refusal], OnLost: warn[error],
	}
	configure(&o)
	if min(o.BatchEvents, o.QueueEvents, o.Calls) < 1 || o.BatchEvents > int(limits.DeliveryEvents) {
		return nil, errors.New("trackside: BatchEvents, QueueEvents or Calls is out of its bounds")
	}
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(o.TLS), grpc.WithDisableRetry(),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}))
	if err != nil {
		return nil, err
	}
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+o.WriteKey)
	ctx, giveUp := context.WithCancelCause(ctx)
	c := &Client{options: o, connection: connection, ctx: ctx, giveUp: giveUp, due: time.NewTimer(0),
		room: make(chan struct{}, o.QueueEvents), queue: make(chan *pb.Entry, o.QueueEvents)}
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

// Flush sends what is queued and waits until all is settled, or for the timeout: how many events are not settled.
func (c *Client) Flush(timeout time.Duration) int {
	for until := time.Now().Add(timeout); c.unsettled.Load() > 0 && time.Now().Before(until); {
		c.due.Reset(0)
		time.Sleep(time.Millisecond)
	}
	return int(c.unsettled.Load())
}

// Close takes no more events, flushes, and gives up what is left after the timeout: how many events that were.
func (c *Client) Close(timeout time.Duration) int {
	if c.closed.Swap(true) {
		return 0
	}
	left := c.Flush(timeout)
	c.giveUp(ErrClosed)
	c.Flush(time.Hour) // at once: nothing waits for the server any more
	close(c.queue)
	_ = c.connection.Close()
	return left
}

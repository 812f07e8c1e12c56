// Package trackside sends events to Trackside over gRPC. Client is where to start.
package trackside

import (
	"cmp"
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/trackside/trackside/clients/go/tracksidev1"
)

// Client sends events from goroutines of its own. Any goroutine may use it.
//
// A call makes an event, queues it and returns its messageId. It waits only where the queue is full, until there is room,
// Options.FullWait is over or its context ends. An error says that the event was not taken. Whatever else becomes of an
// event, a callback of the options is told.
type Client struct {
	options    Options
	queue      *queue
	connection *grpc.ClientConn
	ctx        context.Context // of all that is sent; ended when the time to close is over
	cancel     context.CancelFunc
	abandoned  atomic.Int64 // events given up for that
}

// New makes a client of the server at target: `host:port`, or what else gRPC takes as a name. It connects in the background.
func New(target string, options Options) (*Client, error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	connection, err := connect(target, options.TLS)
	if err != nil {
		return nil, err
	}
	c := &Client{options: options, connection: connection}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.queue = &queue{options: options, deliver: c.deliver, changed: sync.Cond{L: &sync.Mutex{}}}
	c.queue.timer = time.AfterFunc(options.FlushInterval, func() { c.queue.change(func() {}) })
	return c, nil
}

// Identify ties a user to traits.
func (c *Client) Identify(ctx context.Context, userID string, traits map[string]any, more ...With) (string, error) {
	kind := &pb.Event_Identify{Identify: &pb.Identify{}}
	return c.send(ctx, &pb.Event{UserId: userID, Kind: kind}, setText(kind.Identify, "traits_json", traits), more)
}

// Track records an action.
func (c *Client) Track(ctx context.Context, userID, event string, properties map[string]any, more ...With) (string, error) {
	kind := &pb.Event_Track{Track: &pb.Track{Event: event}}
	return c.send(ctx, &pb.Event{UserId: userID, Kind: kind}, setText(kind.Track, "properties_json", properties), more)
}

// Page records the view of a page.
func (c *Client) Page(ctx context.Context, userID, name string, properties map[string]any, more ...With) (string, error) {
	kind := &pb.Event_Page{Page: &pb.Page{Name: name}}
	return c.send(ctx, &pb.Event{UserId: userID, Kind: kind}, setText(kind.Page, "properties_json", properties), more)
}

// Screen records the view of a screen in an application.
func (c *Client) Screen(ctx context.Context, userID, name string, properties map[string]any, more ...With) (string, error) {
	kind := &pb.Event_Screen{Screen: &pb.Screen{Name: name}}
	return c.send(ctx, &pb.Event{UserId: userID, Kind: kind}, setText(kind.Screen, "properties_json", properties), more)
}

// Group ties a user to a group.
func (c *Client) Group(ctx context.Context, userID, groupID string, traits map[string]any, more ...With) (string, error) {
	kind := &pb.Event_Group{Group: &pb.Group{GroupId: groupID}}
	return c.send(ctx, &pb.Event{UserId: userID, Kind: kind}, setText(kind.Group, "traits_json", traits), more)
}

// Alias joins two identities of one user.
func (c *Client) Alias(ctx context.Context, userID, previousID string, more ...With) (string, error) {
	kind := &pb.Event_Alias{Alias: &pb.Alias{PreviousId: previousID}}
	return c.send(ctx, &pb.Event{UserId: userID, Kind: kind}, nil, more)
}

func (c *Client) send(ctx context.Context, event *pb.Event, err error, more []With) (string, error) {
	for _, with := range more {
		event.AnonymousId, event.MessageId = with.AnonymousID, with.MessageID
		if !with.Timestamp.IsZero() {
			event.Timestamp = timestamppb.New(with.Timestamp)
		}
		err = errors.Join(err, setText(event, "context_json", with.Context),
			setText(event, "integrations_json", with.Integrations), setText(event, "extra_json", with.Extra))
	}
	if err != nil {
		return "", err
	}
	return c.Collect(ctx, event)
}

// Collect takes over an event that the caller built. It is given the messageId and the timestamp that it lacks.
func (c *Client) Collect(ctx context.Context, event *pb.Event) (string, error) {
	event.MessageId = cmp.Or(event.MessageId, uuid.NewString())
	event.Timestamp = cmp.Or(event.Timestamp, timestamppb.New(time.Now().Truncate(time.Millisecond)))
	encoded, err := proto.Marshal(event) // fails on a string that is not UTF-8, which would take its whole batch along
	if err != nil {
		return "", err
	}
	if why := check(event, len(encoded)); why != nil {
		tell(c.options.OnRefused, event, why)
		return event.MessageId, nil
	}
	return event.MessageId, c.queue.put(ctx, event, len(encoded)+10) // with the entry around it
}

// Flush sends what is queued and waits until all is settled, or for the timeout: how many events are not settled.
func (c *Client) Flush(timeout time.Duration) int {
	return c.queue.flush(timeout)
}

// Close takes no more events, flushes, and gives up what is left after the timeout: how many events that were.
func (c *Client) Close(timeout time.Duration) int {
	var again bool
	c.queue.change(func() { again, c.queue.closed = c.queue.closed, true })
	if again {
		return 0
	}
	c.queue.flush(timeout)
	c.cancel()
	c.queue.flush(math.MaxInt64) // at once: nothing waits for the server any more
	_ = c.connection.Close()
	return int(c.abandoned.Load())
}

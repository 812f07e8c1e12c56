// Package trackside sends events to Trackside over gRPC. New is where to start.
package trackside

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/trackside/trackside/clients/go/tracksidev1"
)

// Object is a free-form value: whatever encoding/json/v2 can write, and null for numbers that are not finite.
type Object = map[string]any

// With holds members that an event of any kind may have. A field's zero value leaves the member out.
type With struct {
	AnonymousID, MessageID       string
	Timestamp                    time.Time
	Context, Integrations, Extra Object
}

// Client sends events from goroutines of its own. Any goroutine may use it.
//
// A call makes an event, queues it and returns its messageId. If the queue is full it waits for room, until
// Options.FullWait is over or its context ends. An error means that the event was not taken. A callback of the options
// reports what happened to every other event.
type Client struct {
	options *Options
	batcher *batcher
	sender  *sender
}

// New makes a client of the server at target: `host:port`, or another name that gRPC resolves. It connects when it must.
func New(target string, configure func(*Options)) (*Client, error) {
	options := defaults()
	configure(&options)
	if err := options.check(); err != nil {
		return nil, err
	}
	batcher := newBatcher(&options)
	sender, err := startSender(target, &options, batcher)
	if err != nil {
		return nil, err
	}
	return &Client{&options, batcher, sender}, nil
}

// Identify ties a user to traits.
func (c *Client) Identify(ctx context.Context, userID string, traits Object, with ...With) (string, error) {
	identify := &pb.Identify{}
	event := &pb.Event{UserId: userID, Kind: &pb.Event_Identify{Identify: identify}}
	return c.send(ctx, event, freeForm{identify, "traits_json", traits}, with)
}

// Track records an action.
func (c *Client) Track(ctx context.Context, userID, event string, properties Object, with ...With) (string, error) {
	track := &pb.Track{Event: event}
	made := &pb.Event{UserId: userID, Kind: &pb.Event_Track{Track: track}}
	return c.send(ctx, made, freeForm{track, "properties_json", properties}, with)
}

// Page records the view of a page.
func (c *Client) Page(ctx context.Context, userID, name string, properties Object, with ...With) (string, error) {
	page := &pb.Page{Name: name}
	event := &pb.Event{UserId: userID, Kind: &pb.Event_Page{Page: page}}
	return c.send(ctx, event, freeForm{page, "properties_json", properties}, with)
}

// Screen records the view of a screen in an application.
func (c *Client) Screen(ctx context.Context, userID, name string, properties Object, with ...With) (string, error) {
	screen := &pb.Screen{Name: name}
	event := &pb.Event{UserId: userID, Kind: &pb.Event_Screen{Screen: screen}}
	return c.send(ctx, event, freeForm{screen, "properties_json", properties}, with)
}

// Group ties a user to a group.
func (c *Client) Group(ctx context.Context, userID, groupID string, traits Object, with ...With) (string, error) {
	group := &pb.Group{GroupId: groupID}
	event := &pb.Event{UserId: userID, Kind: &pb.Event_Group{Group: group}}
	return c.send(ctx, event, freeForm{group, "traits_json", traits}, with)
}

// Alias joins two identities of one user.
func (c *Client) Alias(ctx context.Context, userID, previousID string, with ...With) (string, error) {
	event := &pb.Event{UserId: userID, Kind: &pb.Event_Alias{Alias: &pb.Alias{PreviousId: previousID}}}
	return c.send(ctx, event, freeForm{}, with)
}

func (c *Client) send(ctx context.Context, event *pb.Event, own freeForm, given []With) (string, error) {
	if len(given) > 1 {
		return "", errors.New("trackside: a call takes one With")
	}
	var with With
	if len(given) == 1 {
		with = given[0]
	}
	event.AnonymousId, event.MessageId = with.AnonymousID, with.MessageID
	if !with.Timestamp.IsZero() {
		event.Timestamp = timestamppb.New(with.Timestamp)
	}
	for _, each := range []freeForm{
		own, {event, "context_json", with.Context}, {event, "integrations_json", with.Integrations}, {event, "extra_json", with.Extra},
	} {
		if err := each.write(); err != nil {
			return "", err
		}
	}
	return c.Collect(ctx, event)
}

// Collect sends an event that the caller built and changes no more. Its messageId and timestamp are filled in if unset.
func (c *Client) Collect(ctx context.Context, event *pb.Event) (string, error) {
	if c.batcher.isClosed() {
		return "", ErrClosed
	}
	if event.MessageId == "" {
		event.MessageId = uuid.NewString()
	}
	if event.Timestamp == nil {
		event.Timestamp = timestamppb.New(time.Now().Truncate(time.Millisecond))
	}
	encoded, err := proto.Marshal(event)
	if err != nil {
		return "", err // such as a string that is not UTF-8, which would fail the whole batch
	}
	size := len(encoded) + 10 // the entry around it has at most two tags and two lengths
	if why := check(event, size); why != nil {
		callBack(func() { c.options.OnRefused(event, why) })
		return event.MessageId, nil
	}
	if err := c.batcher.put(ctx, event, size); err != nil {
		return "", err
	}
	return event.MessageId, nil
}

// Flush sends what is queued. It returns how many events are not settled after the timeout: 0 if all are.
func (c *Client) Flush(timeout time.Duration) int {
	return c.batcher.flush(timeout)
}

// Close takes no more events, flushes, and gives up the rest after the timeout. It returns how many were given up.
func (c *Client) Close(timeout time.Duration) int {
	if !c.batcher.close() {
		return 0
	}
	c.batcher.flush(timeout)
	return c.sender.stop()
}

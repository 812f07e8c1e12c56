package trackside

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	pb "github.com/trackside/trackside/clients/go/tracksidev1"
)

// ErrClosed is returned by a call on a closed client. errors.Is also finds it in the reason of events that Close gave up.
var ErrClosed = errors.New("trackside: the client is closed")

// ErrQueueFull is returned by a call if the queue stayed full for Options.FullWait.
var ErrQueueFull = errors.New("trackside: the queue is full")

// Options says how a client works. New sets the defaults, and returns an error for a value out of bounds.
type Options struct {
	WriteKey string                           // the write key of events that have none of their own; default: none
	TLS      credentials.TransportCredentials // such as credentials.NewTLS(&tls.Config{}); default: no TLS

	BatchEvents int // most events in a call; default: 200
	BatchBytes  int // most bytes of events in a call, though a larger event goes alone; default: 1,000,000
	QueueEvents int // most events that are not settled, those in flight included; default: 10,000
	Calls       int // most calls in flight; 1 keeps the order of the events; default: 4

	FullWait      time.Duration // how long a call waits for room when the queue is full; default: 5 s
	FlushInterval time.Duration // longest that an event waits for others to fill its batch; default: 0.1 s
	CallTimeout   time.Duration // the deadline of a call; default: 10 s
	RetryFor      time.Duration // how long a batch is sent again before its events are given up; default: 300 s

	// One of these is called for each event that a call took, once. They run on the client's goroutines (OnRefused also
	// in the call itself), should be short, and must not call Flush or Close. A panic in one is logged.
	OnAccepted func(event *pb.Event, duplicate bool)  // the event is durable in the server's queue; default: nothing
	OnRefused  func(event *pb.Event, why *pb.Refusal) // the event is invalid; default: logs a warning
	OnLost     func(event *pb.Event, why error)       // the event was given up; why has a gRPC status; default: logs a warning
}

const longest = 2_147_483 * time.Second // 24 days: the longest timer that all clients have

var (
	serviceOptions = pb.File_trackside_v1_collector_service_proto.Services().ByName("CollectorService").Options()
	limits         = proto.GetExtension(serviceOptions, pb.E_Limits).(*pb.Limits)
	largestEvent   = int(limits.MessageBytes) - 1024 // bytes; the rest of a message is for the request around the event
)

func defaults() Options {
	return Options{
		TLS:           insecure.NewCredentials(),
		BatchEvents:   200,
		BatchBytes:    1_000_000,
		QueueEvents:   10_000,
		Calls:         4,
		FullWait:      5 * time.Second,
		FlushInterval: 100 * time.Millisecond,
		CallTimeout:   10 * time.Second,
		RetryFor:      300 * time.Second,
		OnAccepted:    func(*pb.Event, bool) {},
		OnRefused: func(event *pb.Event, why *pb.Refusal) {
			slog.Warn("trackside: an event was refused", "messageId", event.MessageId, "why", why.Description)
		},
		OnLost: func(event *pb.Event, why error) {
			said := status.Convert(why)
			slog.Warn("trackside: an event was lost", "messageId", event.MessageId, "code", nameOf(said.Code()), "why", said.Message())
		},
	}
}

func (o *Options) check() error {
	for _, count := range []struct {
		name        string
		value, most int
	}{
		{"BatchEvents", o.BatchEvents, int(limits.DeliveryEvents)},
		{"BatchBytes", o.BatchBytes, largestEvent},
		{"QueueEvents", o.QueueEvents, 1_000_000_000},
		{"Calls", o.Calls, 100},
	} {
		if count.value < 1 || count.value > count.most {
			return fmt.Errorf("trackside: %s must be from 1 to %d, not %d", count.name, count.most, count.value)
		}
	}
	for _, duration := range []struct {
		name  string
		value time.Duration
	}{
		{"FullWait", o.FullWait}, {"FlushInterval", o.FlushInterval}, {"CallTimeout", o.CallTimeout}, {"RetryFor", o.RetryFor},
	} {
		if duration.value < 0 || duration.value > longest {
			return fmt.Errorf("trackside: %s must be from 0 to %s, not %s", duration.name, longest, duration.value)
		}
	}
	if strings.ContainsFunc(o.WriteKey, func(c rune) bool { return c < ' ' || c > '~' }) {
		return errors.New("trackside: WriteKey must be printable ASCII, because it is sent as gRPC metadata")
	}
	return nil
}

// callBack runs one of the program's callbacks. A panic is logged, and must not end a goroutine of the client.
func callBack(run func()) {
	defer func() {
		if failure := recover(); failure != nil {
			slog.Error("trackside: a callback panicked", "panic", failure)
		}
	}()
	run()
}

package trackside

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	pb "github.com/trackside/trackside/clients/go/tracksidev1"
)

// Options says how a client works. Zero is the default, which ends each comment; for no wait at all say a nanosecond.
type Options struct {
	WriteKey      string        // the write key of events that have none of their own: none
	TLS           *tls.Config   // how to speak TLS; an empty one trusts the system's roots: no TLS
	BatchEvents   int           // most events in a call: 200
	BatchBytes    int           // most bytes of events in a call; a larger event goes alone: 1,000,000
	QueueEvents   int           // most events that are not settled, those in flight included: 10,000
	Calls         int           // most calls in flight; 1 keeps the events' order: 4
	FullWait      time.Duration // longest that a call waits for room in the queue: 5 s
	FlushInterval time.Duration // longest that an event waits for others to fill its batch: 0.1 s
	CallTimeout   time.Duration // deadline of a call: 10 s
	RetryFor      time.Duration // how long a batch is sent again before its events are given up: 300 s

	// One of these is told of each event that a call took, once. They run on the client's goroutines (OnRefused also in
	// the call itself), should be short, and must not call Flush or Close.
	OnAccepted func(event *pb.Event, duplicate bool)     // it is durable in the server's queue: does nothing
	OnRefused  func(event *pb.Event, why *pb.Refusal)    // it is not taken, and never will be as it is: logs a warning
	OnLost     func(event *pb.Event, why *status.Status) // it was given up; by Close, with code OK: logs a warning
}

var (
	service      = pb.File_trackside_v1_collector_service_proto.Services().ByName("CollectorService")
	limits       = proto.GetExtension(service.Options(), pb.E_Limits).(*pb.Limits)
	largestEvent = int(limits.MessageBytes) - 1024 // with the request around it, it just fits a message
)

// complete puts the defaults in, and fails where an option is out of its bounds.
func (o *Options) complete() error {
	if strings.ContainsFunc(o.WriteKey, func(r rune) bool { return r < ' ' || r > '~' }) {
		return errors.New("trackside: WriteKey has characters that are not printable ASCII")
	}
	return errors.Join(
		fill("BatchEvents", &o.BatchEvents, 200, int(limits.DeliveryEvents)),
		fill("BatchBytes", &o.BatchBytes, 1_000_000, largestEvent),
		fill("QueueEvents", &o.QueueEvents, 10_000, math.MaxInt),
		fill("Calls", &o.Calls, 4, 100),
		fill("FullWait", &o.FullWait, 5*time.Second, math.MaxInt64),
		fill("FlushInterval", &o.FlushInterval, 100*time.Millisecond, math.MaxInt64),
		fill("CallTimeout", &o.CallTimeout, 10*time.Second, math.MaxInt64),
		fill("RetryFor", &o.RetryFor, 300*time.Second, math.MaxInt64))
}

func fill[T int | time.Duration](name string, option *T, standard, most T) error {
	if *option < 0 || *option > most {
		return fmt.Errorf("trackside: %s is %v, and must be from 1 to %v", name, *option, most)
	}
	*option = cmp.Or(*option, standard)
	return nil
}

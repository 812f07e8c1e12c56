package trackside

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "github.com/trackside/trackside/clients/go/tracksidev1"
)

var errAskedToRetry = status.Error(codes.Unavailable, "the server could not queue the event and asked to send it again")

// sender makes the calls: it sends each batch until all its events are settled.
type sender struct {
	target     string
	options    *Options
	batcher    *batcher
	connection *grpc.ClientConn
	service    pb.CollectorServiceClient
	ctx        context.Context // of every call and wait; stop cancels it
	cancel     context.CancelFunc
	running    sync.WaitGroup

	mutex       sync.Mutex
	lastFailure error // of the last call; nil if it was answered
	abandoned   int   // events that were given up because the sender was stopped
}

func startSender(target string, options *Options, batcher *batcher) (*sender, error) {
	connection, err := grpc.NewClient(target,
		grpc.WithTransportCredentials(options.TLS),
		grpc.WithDisableRetry(),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: 20 * time.Second,
		}),
	)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	if options.WriteKey != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+options.WriteKey)
	}
	s := &sender{
		target: target, options: options, batcher: batcher,
		connection: connection, service: pb.NewCollectorServiceClient(connection),
	}
	s.ctx, s.cancel = context.WithCancel(ctx)
	for range options.Calls {
		s.running.Go(s.run)
	}
	return s, nil
}

// stop ends the calls and the waits, and gives up what is left of a closed batcher. It returns how many events.
func (s *sender) stop() int {
	s.cancel()
	s.running.Wait()
	_ = s.connection.Close()
	return s.abandoned
}

func (s *sender) run() {
	for events := s.batcher.take(); events != nil; events = s.batcher.take() {
		s.send(events)
	}
}

func (s *sender) send(events []*pb.Event) {
	giveUpAt := time.Now().Add(s.options.RetryFor)
	for attempt := 0; s.ctx.Err() == nil; attempt++ {
		response, failure := s.call(events)
		if failure != nil && s.ctx.Err() != nil {
			break // stop cancelled the call
		}
		var delay time.Duration
		if failure != nil {
			delay = delayOf(failure)
		} else {
			events = s.settle(events, response)
			if len(events) == 0 {
				s.note(nil)
				return
			}
			failure, delay = errAskedToRetry, response.GetRetry().GetDelay().AsDuration()
		}
		s.note(failure)
		wait := waitBefore(attempt, delay)
		if !isRetryable(failure) || time.Now().Add(wait).After(giveUpAt) {
			s.lose(events, failure)
			return
		}
		select {
		case <-time.After(wait):
		case <-s.ctx.Done():
		}
	}
	s.abandon(events)
}

func (s *sender) call(events []*pb.Event) (*pb.CollectBatchResponse, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.options.CallTimeout)
	defer cancel()
	entries := make([]*pb.Entry, len(events))
	for i, event := range events {
		entries[i] = &pb.Entry{Content: &pb.Entry_Event{Event: event}}
	}
	return s.service.CollectBatch(ctx, &pb.CollectBatchRequest{Entries: entries})
}

// settle reports each event's outcome. It returns the events to send again: also those without an outcome.
func (s *sender) settle(events []*pb.Event, response *pb.CollectBatchResponse) (again []*pb.Event) {
	refusals := map[int]*pb.Refusal{}
	for _, refusal := range response.Refusals {
		refusals[int(refusal.Index)] = refusal
	}
	for i, event := range events {
		outcome := pb.Outcome_OUTCOME_RETRY
		if i < len(response.Outcomes) {
			outcome = response.Outcomes[i]
		}
		switch outcome {
		case pb.Outcome_OUTCOME_ACCEPTED:
			callBack(func() { s.options.OnAccepted(event, false) })
		case pb.Outcome_OUTCOME_DUPLICATE:
			callBack(func() { s.options.OnAccepted(event, true) })
		case pb.Outcome_OUTCOME_REFUSED:
			why := refusals[i]
			if why == nil {
				why = &pb.Refusal{}
			}
			callBack(func() { s.options.OnRefused(event, why) })
		default:
			again = append(again, event)
		}
	}
	s.batcher.settle(len(events) - len(again))
	return again
}

func (s *sender) lose(events []*pb.Event, why error) {
	for _, event := range events {
		callBack(func() { s.options.OnLost(event, why) })
	}
	s.batcher.settle(len(events))
}

func (s *sender) note(failure error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.lastFailure = failure
}

// abandon loses the events of a sender that was stopped.
func (s *sender) abandon(events []*pb.Event) {
	s.mutex.Lock()
	s.abandoned += len(events)
	why := closedError{status.Newf(codes.Canceled, "the client was closed before %s answered", s.target)}
	if s.lastFailure != nil {
		last := status.Convert(s.lastFailure)
		why = closedError{status.Newf(last.Code(), "the client was closed; the last status of %s was %s: %s",
			s.target, nameOf(last.Code()), last.Message())}
	}
	s.mutex.Unlock()
	s.lose(events, why)
}

// closedError is the reason for events that Close gave up. It has the last status, and errors.Is finds ErrClosed in it.
type closedError struct{ status *status.Status }

func (e closedError) Error() string              { return fmt.Sprintf("trackside: %s", e.status.Message()) }
func (e closedError) GRPCStatus() *status.Status { return e.status }
func (e closedError) Unwrap() error              { return ErrClosed }

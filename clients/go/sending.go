package trackside

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"runtime/debug"
	"slices"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "github.com/trackside/trackside/clients/go/tracksidev1"
)

var (
	passing = []codes.Code{codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded, codes.Canceled}
	// In the text of an INTERNAL that grpc-go makes of a call which was cut off; nothing else tells it from a server's.
	cutOff = regexp.MustCompile("RST_STREAM|unexpected EOF|without sending trailers")
)

func connect(target string, config *tls.Config) (*grpc.ClientConn, error) {
	transport := insecure.NewCredentials()
	if config != nil {
		transport = credentials.NewTLS(config)
	}
	again := backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second}
	return grpc.NewClient(target, grpc.WithDisableRetry(), grpc.WithTransportCredentials(transport),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: again, MinConnectTimeout: 5 * time.Second}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}))
}

// deliver sends a batch until all of it is settled.
func (c *Client) deliver(batch []item) {
	until, wait := time.Now().Add(c.options.RetryFor), time.Duration(0)
	for pause := 50 * time.Millisecond; len(batch) > 0; pause = min(2*pause, 2500*time.Millisecond) {
		select {
		case <-time.After(wait):
		case <-c.ctx.Done():
		}
		left, why, delay := c.collect(batch)
		wait = pause + rand.N(pause)
		if delay > 0 {
			wait = delay + rand.N(delay/5+1)
		}
		again := slices.Contains(passing, why.Code()) || why.Code() == codes.Internal && cutOff.MatchString(why.Message())
		if c.ctx.Err() != nil {
			again, why = false, status.New(codes.OK, "closed")
			c.abandoned.Add(int64(len(left)))
		}
		if !again || time.Now().Add(wait).After(until) {
			for _, lost := range left {
				tell(c.options.OnLost, lost.event, why)
			}
			left = nil
		}
		c.queue.change(func() { c.queue.unsettled -= len(batch) - len(left) })
		batch = left
	}
}

// collect makes a call and tells what became of its events: those that are left, why, and the server's delay.
func (c *Client) collect(batch []item) (left []item, why *status.Status, delay time.Duration) {
	ctx, cancel := context.WithTimeout(c.ctx, c.options.CallTimeout)
	defer cancel()
	if c.options.WriteKey != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+c.options.WriteKey)
	}
	request := &pb.CollectBatchRequest{}
	for _, item := range batch {
		request.Entries = append(request.Entries, &pb.Entry{Content: &pb.Entry_Event{Event: item.event}})
	}
	response, err := pb.NewCollectorServiceClient(c.connection).CollectBatch(ctx, request)
	if err == nil && len(response.Outcomes) != len(batch) {
		err = status.Error(codes.Internal, "the answer does not have one outcome for each event")
	}
	if err != nil {
		why = status.Convert(err)
		for _, detail := range why.Details() {
			if info, ok := detail.(*errdetails.RetryInfo); ok {
				delay = info.RetryDelay.AsDuration()
			}
		}
		return batch, why, delay
	}
	refusals := map[int]*pb.Refusal{}
	for _, refusal := range response.Refusals {
		refusals[int(refusal.Index)] = refusal
	}
	for i, outcome := range response.Outcomes {
		switch event := batch[i].event; outcome {
		case pb.Outcome_OUTCOME_RETRY:
			left = append(left, batch[i])
		case pb.Outcome_OUTCOME_REFUSED:
			tell(c.options.OnRefused, event, refusals[i])
		default:
			if c.options.OnAccepted != nil {
				tell(c.options.OnAccepted, event, outcome == pb.Outcome_OUTCOME_DUPLICATE)
			}
		}
	}
	return left, status.New(codes.Unavailable, "the server said RETRY"), response.GetRetry().GetDelay().AsDuration()
}

// tell calls the program back. A panic there is the program's own, and must not end a goroutine of ours.
func tell[Why any](callback func(*pb.Event, Why), event *pb.Event, why Why) {
	defer func() {
		if failure := recover(); failure != nil {
			slog.Error("trackside: a callback failed", "panic", failure, "stack", string(debug.Stack()))
		}
	}()
	if callback == nil {
		slog.Warn("trackside: an event is not queued", "messageId", event.MessageId, "why", fmt.Sprint(why))
		return
	}
	callback(event, why)
}

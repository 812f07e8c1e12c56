package trackside_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	trackside "github.com/trackside/trackside/clients/go"
	pb "github.com/trackside/trackside/clients/go/tracksidev1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

func TestAnEventThatIsSentTwiceIsAcceptedThenADuplicate(t *testing.T) {
	server := sharedServer(t)
	var results results
	client := start(t, server.Target, results.options(trackside.Options{WriteKey: server.key, Calls: 1}))
	for range 2 {
		_, err := client.Track(t.Context(), "u", "E", nil, trackside.With{MessageID: "m"})
		must(t, err)
	}
	flush(t, client)
	same(t, "accepted", results.accepted, []string{"m", "m"})
	same(t, "duplicate", results.duplicate, []string{"m"})
	same(t, "queued", server.queued(), []string{"m"})
}

func TestTheWriteKeyTravelsAsMetadataAndAnUnknownOneIsRefused(t *testing.T) {
	server := serve(t, "--enforce", t.Name())
	proxy := open(t, server.Target)
	var results results
	right := start(t, proxy.target, trackside.Options{WriteKey: server.key})
	wrong := start(t, proxy.target, results.options(trackside.Options{WriteKey: "wrong"}))
	sent := track(t, right, 1)
	flush(t, right)
	track(t, wrong, 1)
	flush(t, wrong)
	equal(t, "metadata", proxy.calls[0].authorization, "Bearer "+server.key)
	equal(t, "reason", results.refused[0].Reason, pb.Reason_REASON_INVALID_WRITE_KEY)
	equal(t, "field", results.refused[0].Field, "writeKey")
	same(t, "queued", server.queued(), sent)
}

func TestEventsThatTheServerCannotQueueAreSentAgainAloneUntilItCan(t *testing.T) {
	server := serve(t)
	var results results
	client := start(t, server.Target, results.options(trackside.Options{WriteKey: server.key}))
	server.do("break")
	refused, err := client.Track(t.Context(), "u", "E", nil, trackside.With{Extra: map[string]any{"type": "mine"}})
	must(t, err)
	sent := track(t, client, 10)
	for deadline := time.Now().Add(time.Minute); client.Flush(100*time.Millisecond) != 10 && time.Now().Before(deadline); {
	}
	same(t, "settled", results.settled, []string{refused})
	server.do("mend")
	flush(t, client)
	once(t, "accepted", results.accepted, sent)
	once(t, "queued", server.queued(), sent)
}

func TestEventsAreGivenUpWithTheLastStatusAfterRetryFor(t *testing.T) {
	server := serve(t)
	server.do("break")
	var results results
	client := start(t, server.Target, results.options(trackside.Options{WriteKey: server.key, RetryFor: time.Nanosecond}))
	track(t, client, 2)
	flush(t, client)
	equal(t, "lost", len(results.lost), 2)
	equal(t, "code", status.Code(results.lost[0]), codes.Unavailable)
}

func TestAnOverloadedServerGetsEveryEventInTheEnd(t *testing.T) {
	server := serve(t, "TRACKSIDE_MAX_PENDING_BYTES=1")
	var results results
	var sent []string
	client := start(t, server.Target, results.options(trackside.Options{WriteKey: server.key, BatchEvents: 1, Calls: 8}))
	for slowest := time.Duration(0); slowest < time.Second; { // the server's delay when it is overloaded
		if len(sent) == 2000 {
			t.Fatal("the server was never overloaded")
		}
		began := time.Now()
		sent = append(sent, track(t, client, 100)...)
		flush(t, client)
		slowest = time.Since(began)
	}
	once(t, "accepted", results.accepted, sent)
	once(t, "queued", server.queued(), sent)
}

func TestACallPastItsDeadlineIsSentAgain(t *testing.T) {
	server := serve(t)
	var results results
	client := start(t, server.Target, results.options(trackside.Options{WriteKey: server.key, CallTimeout: 300 * time.Millisecond}))
	sent := track(t, client, 1)
	flush(t, client)
	server.do("pause")
	sent = append(sent, track(t, client, 1)...)
	equal(t, "not settled", client.Flush(time.Second), 1)
	server.do("resume")
	flush(t, client)
	same(t, "accepted", results.accepted, sent)
	same(t, "queued", server.queued(), sent)
}

func TestARestartInTheMiddleLosesNothing(t *testing.T) {
	server := serve(t)
	var results results
	client := start(t, server.Target, results.options(trackside.Options{WriteKey: server.key, BatchEvents: 10}))
	sent := track(t, client, 500)
	server.do("restart")
	sent = append(sent, track(t, client, 500)...)
	flush(t, client)
	once(t, "accepted", results.accepted, sent)
	once(t, "queued", server.queued(), sent)
}

func Test10000EventsAreConservedThroughKillsOfTheServer(t *testing.T) {
	server := serve(t)
	var results results
	options := results.options(trackside.Options{WriteKey: server.key, BatchEvents: 20, QueueEvents: 1000, FullWait: time.Minute})
	settle, kill := options.OnAccepted, make(chan bool, 6)
	var accepted atomic.Int64
	options.OnAccepted = func(event *pb.Event, duplicate bool) {
		settle(event, duplicate)
		if accepted.Add(1)%1500 == 0 { // other calls are in flight
			kill <- true
		}
	}
	client := start(t, server.Target, options)
	var killer sync.WaitGroup
	killer.Go(func() {
		for range kill {
			server.do("kill")
			server.do("start")
		}
	})
	sent := track(t, client, 10_000)
	flush(t, client)
	close(kill)
	killer.Wait()
	equal(t, "lost", len(results.lost), 0)
	once(t, "accepted", results.accepted, sent)
	once(t, "queued", server.queued(), sent)
}

func TestACallThatIsCutOffIsSentAgainWithItsMessageIds(t *testing.T) {
	server := sharedServer(t)
	proxy := open(t, server.Target, reset, answerLost)
	var results results
	client := start(t, proxy.target, results.options(trackside.Options{WriteKey: server.key, FlushInterval: time.Hour}))
	sent := track(t, client, 3)
	flush(t, client)
	for _, call := range proxy.calls {
		same(t, "call", call.messageIDs, sent)
	}
	equal(t, "calls", len(proxy.calls), 3)
	same(t, "duplicate", results.duplicate, sent)
	same(t, "queued", server.queued(), sent)
}

func TestAStatusThatMayPassIsSentAgainAfterTheServersDelay(t *testing.T) {
	server := sharedServer(t)
	overloaded, err := status.New(codes.ResourceExhausted, "full").WithDetails(
		&errdetails.RetryInfo{RetryDelay: durationpb.New(300 * time.Millisecond)})
	must(t, err)
	proxy := open(t, server.Target, failed(overloaded), failed(status.New(codes.Unavailable, "down")), failed(status.New(codes.Canceled, "")))
	var results results
	client := start(t, proxy.target, results.options(trackside.Options{WriteKey: server.key}))
	sent := track(t, client, 1)
	flush(t, client)
	same(t, "accepted", results.accepted, sent)
	equal(t, "calls", len(proxy.calls), 4)
	for i, least := range []time.Duration{300 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond} {
		wait := proxy.calls[i+1].at.Sub(proxy.calls[i].at)
		equal(t, "the server's delay, or half of the n-th back-off", wait >= least && wait < least*2+10*time.Second, true)
	}
}

func TestAStatusThatDoesNotPassLosesItsBatchAtOnce(t *testing.T) {
	server := sharedServer(t)
	for _, code := range []codes.Code{codes.InvalidArgument, codes.Internal, codes.PermissionDenied, codes.Unimplemented} {
		proxy := open(t, server.Target, failed(status.New(code, "no")))
		var results results
		client := start(t, proxy.target, results.options(trackside.Options{WriteKey: server.key, FlushInterval: time.Hour}))
		track(t, client, 2)
		flush(t, client)
		equal(t, "calls", len(proxy.calls), 1)
		equal(t, "lost", len(results.lost), 2)
		equal(t, "code", status.Code(results.lost[0]), code)
		equal(t, "description", status.Convert(results.lost[0]).Message(), "no")
	}
}

func TestEventsThatTheAnswerForgotAreSentAgain(t *testing.T) {
	server := sharedServer(t)
	outcomes := []pb.Outcome{pb.Outcome_OUTCOME_ACCEPTED}
	proxy := open(t, server.Target, answered(&pb.CollectBatchResponse{}), answered(&pb.CollectBatchResponse{Outcomes: outcomes}))
	client := start(t, proxy.target, trackside.Options{WriteKey: server.key, FlushInterval: time.Hour})
	sent := track(t, client, 2)
	flush(t, client)
	equal(t, "calls", len(proxy.calls), 3)
	same(t, "all are sent again", proxy.calls[1].messageIDs, sent)
	same(t, "the second is sent again", proxy.calls[2].messageIDs, sent[1:])
}

func TestARefusalReachesTheEventOfItsIndex(t *testing.T) {
	server := sharedServer(t)
	refused, accepted := pb.Outcome_OUTCOME_REFUSED, pb.Outcome_OUTCOME_ACCEPTED
	proxy := open(t, server.Target, answered(&pb.CollectBatchResponse{
		Outcomes: []pb.Outcome{refused, accepted, refused},
		Refusals: []*pb.Refusal{{Index: 2, Description: "number 2"}, {Index: 9, Description: "of no event"}},
	}))
	var results results
	client := start(t, proxy.target, results.options(trackside.Options{WriteKey: server.key, FlushInterval: time.Hour}))
	sent := track(t, client, 3)
	flush(t, client)
	same(t, "settled", results.settled, sent)
	equal(t, "without a refusal", results.refused[0].Description, "")
	equal(t, "with one", results.refused[1].Description, "number 2")
}

func TestAnEventWhoseOutcomeIsNotKnownIsSentAgain(t *testing.T) {
	server := sharedServer(t)
	outcomes := []pb.Outcome{99, pb.Outcome_OUTCOME_ACCEPTED}
	proxy := open(t, server.Target, answered(&pb.CollectBatchResponse{Outcomes: outcomes}))
	client := start(t, proxy.target, trackside.Options{WriteKey: server.key, FlushInterval: time.Hour})
	sent := track(t, client, 2)
	flush(t, client)
	equal(t, "calls", len(proxy.calls), 2)
	same(t, "sent again", proxy.calls[1].messageIDs, sent[:1])
}

func TestABatchGoesOutWhenItIsFullAndTheRestWithAFlush(t *testing.T) {
	server := sharedServer(t)
	for _, c := range []struct {
		name     string
		options  trackside.Options
		expected []int
	}{
		{"events", trackside.Options{BatchEvents: 3}, []int{3, 3, 1}},
		{"bytes", trackside.Options{BatchBytes: 2500}, []int{2, 2, 2, 1}},
		{"an event larger than a batch", trackside.Options{BatchBytes: 500}, []int{1, 1, 1, 1, 1, 1, 1}},
	} {
		proxy := open(t, server.Target)
		c.options.WriteKey, c.options.Calls, c.options.FlushInterval = server.key, 1, time.Hour
		client := start(t, proxy.target, c.options)
		for range 7 {
			_, err := client.Track(t.Context(), "u", "E", map[string]any{"text": strings.Repeat("x", 1000)})
			must(t, err)
		}
		flush(t, client)
		if sizes := proxy.sizes(); !slices.Equal(sizes, c.expected) {
			t.Errorf("%s: %v, not %v", c.name, sizes, c.expected)
		}
	}
}

func TestABatchGoesOutWhenItsFirstEventHasWaited(t *testing.T) {
	server := sharedServer(t)
	accepted := make(chan bool)
	options := trackside.Options{WriteKey: server.key, FlushInterval: 50 * time.Millisecond}
	options.OnAccepted = func(*pb.Event, bool) { accepted <- true }
	client := start(t, server.Target, options)
	for range 2 { // the second time, the timer was at rest
		began := time.Now()
		track(t, client, 1)
		<-accepted
		equal(t, "waited", time.Since(began) >= 50*time.Millisecond, true)
	}
}

func TestOneCallAtATimeKeepsTheOrderOfEvents(t *testing.T) {
	server := sharedServer(t)
	client := start(t, server.Target, trackside.Options{WriteKey: server.key, Calls: 1, BatchEvents: 7})
	sent := track(t, client, 500)
	flush(t, client)
	same(t, "queued", server.queued(), sent)
}

func TestTheLargestBatchFitsAMessage(t *testing.T) {
	server := sharedServer(t)
	proxy := open(t, server.Target)
	var results results
	options := trackside.Options{WriteKey: server.key, BatchEvents: 5000, BatchBytes: 1<<22 - 1024, FlushInterval: time.Hour}
	client := start(t, proxy.target, results.options(options))
	properties := map[string]any{"text": strings.Repeat("x", 800)}
	for range 6000 {
		_, err := client.Track(t.Context(), "u", "E", properties)
		must(t, err)
	}
	flush(t, client)
	equal(t, "accepted", len(results.accepted), 6000)
	equal(t, "the batch was bounded by its bytes", slices.Max(proxy.sizes()) < 5000, true)
}

func TestMarkupIsNoLongerInTheEventThanItIs(t *testing.T) {
	server := sharedServer(t)
	var results results
	client := start(t, server.Target, results.options(trackside.Options{WriteKey: server.key}))
	_, err := client.Track(t.Context(), "u", "E", map[string]any{"text": strings.Repeat("<", 15_000)}) // of 15,360 bytes
	must(t, err)
	flush(t, client)
	equal(t, "accepted", len(results.accepted), 1)
}

func TestCloseFlushes(t *testing.T) {
	server := sharedServer(t)
	client := start(t, server.Target, trackside.Options{WriteKey: server.key, FlushInterval: time.Hour})
	sent := track(t, client, 300)
	equal(t, "given up", client.Close(time.Minute), 0)
	once(t, "queued", server.queued(), sent)
}

func TestSeveralFlushesAtOnceAllEnd(t *testing.T) {
	server := sharedServer(t)
	client := start(t, server.Target, trackside.Options{WriteKey: server.key, FlushInterval: time.Hour})
	track(t, client, 1000)
	var flushes sync.WaitGroup
	for range 8 {
		flushes.Go(func() { equal(t, "not settled", client.Flush(time.Minute), 0) })
	}
	flushes.Wait()
}

func TestTLSWithAndWithoutACertificateOfTheClient(t *testing.T) {
	for _, asked := range []string{"--tls", "--mutual-tls"} {
		server := serve(t, asked)
		roots := x509.NewCertPool()
		pem, err := os.ReadFile(server.CA)
		must(t, err)
		roots.AppendCertsFromPEM(pem)
		own, err := tls.LoadX509KeyPair(server.Cert, server.Key)
		must(t, err)

		known := start(t, server.Target, trackside.Options{
			WriteKey: server.key, TLS: credentials.NewTLS(&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}})})
		expected := track(t, known, 1)
		flush(t, known)

		var results results
		unknown := start(t, server.Target, results.options(trackside.Options{
			WriteKey: server.key, TLS: credentials.NewTLS(&tls.Config{RootCAs: roots}), RetryFor: time.Nanosecond}))
		other := track(t, unknown, 1)
		flush(t, unknown)
		if asked == "--tls" {
			expected = append(expected, other...)
		}
		same(t, "queued", server.queued(), expected)

		distrustful := start(t, server.Target, results.options(trackside.Options{
			WriteKey: server.key, TLS: credentials.NewTLS(&tls.Config{}), RetryFor: time.Nanosecond}))
		track(t, distrustful, 1)
		flush(t, distrustful)
		equal(t, "code", status.Code(results.lost[len(results.lost)-1]), codes.Unavailable)
	}
}

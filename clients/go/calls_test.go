package trackside_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	trackside "github.com/trackside/trackside/clients/go"
	pb "github.com/trackside/trackside/clients/go/tracksidev1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestACallReturnsTheMessageIdThatItMade(t *testing.T) {
	client := start(t, nowhere, trackside.Options{})
	random := regexp.MustCompile("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
	made := track(t, client, 2)
	equal(t, "random UUIDs", random.MatchString(made[0]) && random.MatchString(made[1]) && made[0] != made[1], true)
	given, err := client.Page(t.Context(), "u", "", nil, trackside.With{MessageID: "mine"})
	must(t, err)
	equal(t, "given", given, "mine")
}

func TestAnEventThatTheCallerBuiltIsCompleted(t *testing.T) {
	client := start(t, nowhere, trackside.Options{})
	event := &pb.Event{UserId: "u", Kind: &pb.Event_Page{Page: &pb.Page{}}}
	before := time.Now().Truncate(time.Millisecond)
	messageID, err := client.Collect(t.Context(), event)
	must(t, err)
	equal(t, "messageId", messageID, event.MessageId)
	equal(t, "since the call", event.Timestamp.AsTime().Sub(before) < time.Since(before), true)
	equal(t, "past whole milliseconds", event.Timestamp.Nanos%1_000_000, 0)
}

func TestAWaitForRoomEndsWithTheCallsContext(t *testing.T) {
	client := start(t, nowhere, trackside.Options{QueueEvents: 2, Calls: 1, BatchEvents: 1})
	track(t, client, 2) // one in flight, one that waits
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := client.Track(ctx, "u", "E", nil)
	equal(t, "error", err, context.DeadlineExceeded)
	equal(t, "ended too soon", ctx.Err() == nil, false)
	equal(t, "not settled", client.Flush(time.Nanosecond), 2)
}

func TestAFullQueueFailsAfterItsWait(t *testing.T) {
	client := start(t, nowhere, trackside.Options{QueueEvents: 2, FullWait: 50 * time.Millisecond})
	track(t, client, 2)
	began := time.Now()
	_, err := client.Track(t.Context(), "u", "E", nil)
	equal(t, "error", err, trackside.ErrQueueFull)
	equal(t, "failed too soon", time.Since(began) < 50*time.Millisecond, false)
}

func TestAWaitForRoomEndsWithRoom(t *testing.T) {
	server := sharedServer(t)
	client := start(t, server.Target, trackside.Options{WriteKey: server.key, QueueEvents: 1})
	sent := track(t, client, 5)
	flush(t, client)
	same(t, "queued", server.queued(), sent)
}

func TestAWaitForRoomEndsWithClose(t *testing.T) {
	client := start(t, nowhere, trackside.Options{QueueEvents: 1, FullWait: time.Hour})
	track(t, client, 1)
	calling, failed := make(chan bool), make(chan error)
	go func() {
		close(calling)
		_, err := client.Track(context.Background(), "u", "E", nil)
		failed <- err
	}()
	<-calling
	equal(t, "given up", client.Close(50*time.Millisecond), 1)
	equal(t, "error", <-failed, trackside.ErrClosed)
}

func TestAClosedClientTakesNothing(t *testing.T) {
	var results results
	client := start(t, nowhere, results.options(trackside.Options{}))
	equal(t, "given up", client.Close(time.Second), 0)
	for _, name := range []string{"E", ""} { // an event without a name would be refused
		_, err := client.Track(t.Context(), "u", name, nil)
		equal(t, "error", err, trackside.ErrClosed)
	}
	equal(t, "settled", len(results.settled), 0)
}

func TestCloseGivesUpWhatIsLeftWithTheLastStatusAndTheTarget(t *testing.T) {
	var results results
	client := start(t, nowhere, results.options(trackside.Options{}))
	sent := track(t, client, 300)
	equal(t, "given up", client.Close(500*time.Millisecond), 300)
	equal(t, "given up by a second close", client.Close(time.Hour), 0)
	once(t, "settled", results.settled, sent)
	for _, why := range results.lost {
		equal(t, "closed", errors.Is(why, trackside.ErrClosed), true)
		equal(t, "code", status.Code(why), codes.Unavailable)
		said := "the client was closed; the last status of 127.0.0.1:1 was UNAVAILABLE: "
		equal(t, status.Convert(why).Message(), strings.HasPrefix(status.Convert(why).Message(), said), true)
	}
}

func TestCloseSaysThatNoCallWasAnswered(t *testing.T) {
	server := sharedServer(t)
	answer := make(chan bool)
	proxy := open(t, server.Target, func(http.ResponseWriter, func(http.ResponseWriter)) { <-answer })
	defer close(answer)
	var results results
	client := start(t, proxy.target, results.options(trackside.Options{}))
	track(t, client, 1)
	equal(t, "given up", client.Close(200*time.Millisecond), 1)
	equal(t, "closed", errors.Is(results.lost[0], trackside.ErrClosed), true)
	equal(t, "code", status.Code(results.lost[0]), codes.Canceled)
	equal(t, "why", results.lost[0].Error(), "trackside: the client was closed before "+proxy.target+" answered")
}

func TestFlushWakesAtTheLastAnswerAndElseAtItsTimeout(t *testing.T) {
	server := sharedServer(t)
	answer := make(chan bool)
	proxy := open(t, server.Target, func(w http.ResponseWriter, pass func(http.ResponseWriter)) {
		<-answer
		pass(w)
	})
	client := start(t, proxy.target, trackside.Options{WriteKey: server.key, FlushInterval: time.Hour})
	track(t, client, 1)
	equal(t, "not settled", client.Flush(50*time.Millisecond), 1)
	var flushes sync.WaitGroup
	for range 3 {
		flushes.Go(func() { equal(t, "not settled", client.Flush(time.Minute), 0) })
	}
	answeredAt := time.Now()
	close(answer)
	flushes.Wait()
	equal(t, "woke before its timeout", time.Since(answeredAt) < 30*time.Second, true)
}

func TestACallbackThatPanicsIsLoggedAndDoesNoOtherHarm(t *testing.T) {
	server := sharedServer(t)
	log := logged(t)
	options := trackside.Options{WriteKey: server.key, Calls: 1}
	options.OnAccepted = func(*pb.Event, bool) { panic("oh no") }
	client := start(t, server.Target, options)
	for range 2 {
		track(t, client, 1)
		flush(t, client)
	}
	equal(t, "logged", strings.Count(log.String(), "oh no"), 2)
}

func TestAValueWithoutAFormFailsInTheCall(t *testing.T) {
	client := start(t, nowhere, trackside.Options{})
	cycle := map[string]any{"a": math.NaN()}
	cycle["itself"] = cycle
	for name, properties := range map[string]map[string]any{
		"function": {"f": func() {}}, "not finite beside a function": {"n": math.Inf(1), "z": func() {}}, "cycle": cycle,
	} {
		_, err := client.Track(t.Context(), "u", "E", properties)
		equal(t, name, err != nil, true)
	}
	_, err := client.Track(t.Context(), "\xff", "E", nil)
	equal(t, "a user that is not UTF-8", err != nil, true)
	_, err = client.Identify(t.Context(), "u", nil, trackside.With{Context: map[string]any{"f": func() {}}})
	equal(t, "a context", err != nil, true)
	equal(t, "not settled", client.Flush(time.Nanosecond), 0)
}

func TestANumberIsWrittenWithItsDigitsAndAsNullIfItHasNone(t *testing.T) {
	server := sharedServer(t)
	client := start(t, server.Target, trackside.Options{WriteKey: server.key})
	properties := trackside.Object{"n": json.Number("9007199254740993"), "list": []any{0.5, math.NaN(), float32(math.Inf(-1))}}
	_, err := client.Track(t.Context(), "u", "E", properties)
	must(t, err)
	flush(t, client)
	record := server.records()[0]["properties"]
	expected := trackside.Object{"n": trackside.Object{"$integer": "9007199254740993"}, "list": []any{0.5, nil, nil}}
	equal(t, "properties", fmt.Sprint(record), fmt.Sprint(expected))
}

func TestAnOptionOutOfItsBoundsIsAnError(t *testing.T) {
	for name, options := range map[string]trackside.Options{
		"BatchEvents": {BatchEvents: 5001}, "BatchBytes": {BatchBytes: 1 << 22}, "QueueEvents": {QueueEvents: -1}, "Calls": {Calls: 101},
		"RetryFor": {RetryFor: -time.Second}, "FullWait": {FullWait: 1 << 62}, "WriteKey": {WriteKey: "schlüssel"},
	} {
		_, err := trackside.New(nowhere, given(options))
		equal(t, name, err != nil && strings.Contains(err.Error(), name), true)
	}
}

func TestACallTakesOneWith(t *testing.T) {
	client := start(t, nowhere, trackside.Options{})
	_, err := client.Track(t.Context(), "u", "E", nil, trackside.With{}, trackside.With{})
	equal(t, "an error", err != nil, true)
}

func TestWithoutCallbacksAWarningNamesTheEventAndNotItsContent(t *testing.T) {
	log := logged(t)
	client := start(t, nowhere, trackside.Options{})
	refused, err := client.Track(t.Context(), "", "secret", nil)
	must(t, err)
	lost, err := client.Track(t.Context(), "secret", "secret", nil)
	must(t, err)
	client.Close(time.Nanosecond)
	for _, expected := range []string{refused, "userId or anonymousId is required", lost, "closed"} {
		equal(t, expected, strings.Contains(log.String(), expected), true)
	}
	equal(t, "content", strings.Contains(log.String(), "secret"), false)
}

// logged is what goes to the default logger during the test.
func logged(t *testing.T) *bytes.Buffer {
	text, before := &bytes.Buffer{}, slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(text, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return text
}

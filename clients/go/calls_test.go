package trackside_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	trackside "github.com/trackside/trackside/clients/go"
	pb "github.com/trackside/trackside/clients/go/tracksidev1"
	"google.golang.org/grpc/codes"
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

func TestACallWaitsForRoomInAFullQueueAndThenFails(t *testing.T) {
	client := start(t, nowhere, trackside.Options{QueueEvents: 2, FullWait: 50 * time.Millisecond})
	track(t, client, 2)
	began := time.Now()
	_, err := client.Track(t.Context(), "u", "E", nil)
	equal(t, "error", err, trackside.ErrQueueFull)
	equal(t, "waited", time.Since(began) >= 50*time.Millisecond, true)
}

func TestACallThatMustNotWaitTakesTheRoomThatThereIs(t *testing.T) {
	client := start(t, nowhere, trackside.Options{QueueEvents: 1000, FullWait: time.Nanosecond})
	track(t, client, 1000)
	_, err := client.Track(t.Context(), "u", "E", nil)
	equal(t, "error", err, trackside.ErrQueueFull)
}

func TestAWaitForRoomEndsWithTheCallsContext(t *testing.T) {
	client := start(t, nowhere, trackside.Options{QueueEvents: 1, FullWait: time.Hour})
	track(t, client, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := client.Track(ctx, "u", "E", nil)
	equal(t, "error", err, context.DeadlineExceeded)
}

func TestAWaitForRoomEndsWithRoom(t *testing.T) {
	server := sharedServer(t)
	client := start(t, server.Target, trackside.Options{WriteKey: server.key, QueueEvents: 1, FullWait: time.Hour})
	sent := track(t, client, 5)
	flush(t, client)
	same(t, "queued", server.queued(), sent)
}

func TestAWaitForRoomEndsWithClose(t *testing.T) {
	client := start(t, nowhere, trackside.Options{QueueEvents: 1, FullWait: time.Hour})
	track(t, client, 1)
	failed := make(chan error)
	go func() {
		_, err := client.Track(t.Context(), "u", "E", nil)
		failed <- err
	}()
	began := time.Now()
	go client.Close(2 * time.Second)
	equal(t, "error", <-failed, trackside.ErrClosed)
	equal(t, "at once", time.Since(began) < time.Second, true)
}

func TestAClosedClientTakesNothing(t *testing.T) {
	client := start(t, nowhere, trackside.Options{})
	equal(t, "given up", client.Close(time.Second), 0)
	_, err := client.Track(t.Context(), "u", "E", nil)
	equal(t, "error", err, trackside.ErrClosed)
}

func TestCloseGivesUpWhatIsLeftAndCountsIt(t *testing.T) {
	var told told
	client := start(t, nowhere, told.options(trackside.Options{}))
	sent := track(t, client, 300)
	equal(t, "given up", client.Close(100*time.Millisecond), 300)
	equal(t, "given up by a second close", client.Close(time.Hour), 0)
	once(t, "settled", told.settled, sent)
	for _, why := range told.lost {
		equal(t, "code", why.Code(), codes.OK)
		equal(t, "description", why.Message(), "closed")
	}
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

func TestAnOptionOutOfItsBoundsIsAnError(t *testing.T) {
	for name, options := range map[string]trackside.Options{
		"BatchEvents":   {BatchEvents: 5001},
		"BatchBytes":    {BatchBytes: 4<<20 - 1023},
		"QueueEvents":   {QueueEvents: -1},
		"Calls":         {Calls: -1},
		"FullWait":      {FullWait: -1},
		"FlushInterval": {FlushInterval: -1},
		"CallTimeout":   {CallTimeout: -1},
		"RetryFor":      {RetryFor: -1},
		"WriteKey":      {WriteKey: "schlüssel"},
	} {
		_, err := trackside.New(nowhere, options)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	start(t, nowhere, trackside.Options{BatchEvents: 5000, BatchBytes: 4<<20 - 1024})
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

func TestACallbackThatPanicsIsLoggedAndDoesNoOtherHarm(t *testing.T) {
	log := logged(t)
	server := sharedServer(t)
	var told told
	options := told.options(trackside.Options{WriteKey: server.key})
	accepted := options.OnAccepted
	options.OnAccepted = func(event *pb.Event, duplicate bool) {
		accepted(event, duplicate)
		panic(errors.New("oh no"))
	}
	client := start(t, server.Target, options)
	sent := track(t, client, 3)
	flush(t, client)
	same(t, "accepted", told.accepted, sent)
	equal(t, "logged", strings.Count(log.String(), "oh no"), 3)
}

// logged is what goes to the default logger during the test.
func logged(t *testing.T) *bytes.Buffer {
	text, before := &bytes.Buffer{}, slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(text, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return text
}

package trackside_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	trackside "github.com/trackside/trackside/clients/go"
	pb "github.com/trackside/trackside/clients/go/tracksidev1"
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
	track(t, client, 4) // one in flight, one that is the next call, two that wait
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := client.Track(ctx, "u", "E", nil)
	equal(t, "error", err, context.DeadlineExceeded)
	equal(t, "ended too soon", ctx.Err() == nil, false)
	equal(t, "not settled", client.Flush(time.Nanosecond), 4)
}

func TestAWaitForRoomEndsWithRoom(t *testing.T) {
	server := sharedServer(t)
	client := start(t, server.Target, trackside.Options{WriteKey: server.key, QueueEvents: 1})
	sent := track(t, client, 5)
	flush(t, client)
	same(t, "queued", server.queued(), sent)
}

func TestAWaitForRoomEndsWithClose(t *testing.T) {
	var told told
	client := start(t, nowhere, told.options(trackside.Options{QueueEvents: 1, Calls: 1, BatchEvents: 1}))
	sent := track(t, client, 3)
	waited := make(chan string)
	go func() {
		messageID, err := client.Track(t.Context(), "u", "E", nil)
		equal(t, "error", err, nil)
		waited <- messageID
	}()
	for client.Flush(time.Millisecond) != 4 {
	}
	equal(t, "given up", client.Close(50*time.Millisecond), 4)
	once(t, "settled", told.settled, append(sent, <-waited))
	for _, why := range told.lost {
		equal(t, "why", why, trackside.ErrClosed)
	}
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
		equal(t, "why", why, trackside.ErrClosed)
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

func TestANumberIsWrittenWithItsDigitsAndAsNullIfItHasNone(t *testing.T) {
	server := sharedServer(t)
	client := start(t, server.Target, trackside.Options{WriteKey: server.key})
	properties := trackside.Object{"n": json.Number("9007199254740993"), "list": []float64{0.5, math.NaN(), math.Inf(-1)}}
	_, err := client.Track(t.Context(), "u", "E", properties)
	must(t, err)
	flush(t, client)
	record := server.records()[0]["properties"]
	expected := trackside.Object{"n": trackside.Object{"$integer": "9007199254740993"}, "list": []any{0.5, nil, nil}}
	equal(t, "properties", fmt.Sprint(record), fmt.Sprint(expected))
}

func TestAnOptionOutOfItsBoundsIsTheNearestWithinThem(t *testing.T) {
	server := sharedServer(t)
	door := open(t, server.Target)
	client := start(t, door.target, trackside.Options{
		WriteKey: server.key, BatchEvents: 9000, BatchBytes: 1 << 30, QueueEvents: -1, Calls: -1, FlushInterval: time.Hour})
	sent := track(t, client, 5001)
	flush(t, client)
	equal(t, "events in the calls", fmt.Sprint(door.sizes()), "[5000 1]")
	once(t, "queued", server.queued(), sent)
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

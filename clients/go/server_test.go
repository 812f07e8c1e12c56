package trackside_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	trackside "github.com/trackside/trackside/clients/go"
	pb "github.com/trackside/trackside/clients/go/tracksidev1"
)

const nowhere = "127.0.0.1:1" // nothing listens there

// server is a real one, started by clients/testdata/serve.py, whose README says what the commands do.
type server struct {
	*process
	t   *testing.T
	key string // no other test's
}

type process struct {
	answer  // the first
	mutex   sync.Mutex
	stdin   io.WriteCloser
	answers *bufio.Scanner
	end     func() error
}

type answer struct{ Target, CA, Cert, Key, Path, Error string }

// shared is for tests that do nothing to the server.
var shared = sync.OnceValues(func() (*process, error) { return launch() })

func TestMain(m *testing.M) {
	code := m.Run()
	if process, err := shared(); err == nil {
		_ = process.end()
	}
	os.Exit(code)
}

func sharedServer(t *testing.T) *server {
	process, err := shared()
	must(t, err)
	return &server{process, t, t.Name()}
}

func serve(t *testing.T, arguments ...string) *server {
	process, err := launch(arguments...)
	must(t, err)
	t.Cleanup(func() { must(t, process.end()) })
	return &server{process, t, t.Name()}
}

func launch(arguments ...string) (*process, error) {
	command := exec.Command("../../.venv/bin/python", slices.Concat([]string{"../testdata/serve.py"}, arguments)...)
	command.Stderr = os.Stderr
	stdin, stdinErr := command.StdinPipe()
	stdout, stdoutErr := command.StdoutPipe()
	if err := errors.Join(stdinErr, stdoutErr, command.Start()); err != nil {
		return nil, err
	}
	p := &process{stdin: stdin, answers: bufio.NewScanner(stdout)}
	p.end = func() error { return errors.Join(stdin.Close(), command.Wait()) }
	var err error
	p.answer, err = p.read()
	return p, err
}

func (p *process) read() (a answer, err error) {
	if !p.answers.Scan() {
		return a, fmt.Errorf("the server's launcher ended: %w", p.answers.Err())
	}
	if err = json.Unmarshal(p.answers.Bytes(), &a); err == nil && a.Error != "" {
		err = errors.New(a.Error)
	}
	return a, err
}

func (s *server) do(command string) answer {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	_, err := io.WriteString(s.stdin, command+"\n")
	answer, readErr := s.read()
	if err := errors.Join(err, readErr); err != nil {
		s.t.Errorf("%s: %v", command, err)
	}
	return answer
}

// records are those of the test in the queue, oldest first.
func (s *server) records() (records []map[string]any) {
	file, err := os.Open(s.do("dump").Path)
	must(s.t, err)
	defer file.Close()
	for decoder := json.NewDecoder(file); decoder.More(); {
		var record map[string]any
		must(s.t, decoder.Decode(&record))
		if strings.HasPrefix(record["writeKey"].(string), s.key) {
			records = append(records, record)
		}
	}
	return records
}

// queued are the messageIds of the records.
func (s *server) queued() (messageIDs []string) {
	for _, record := range s.records() {
		messageIDs = append(messageIDs, record["messageId"].(string))
	}
	return messageIDs
}

// results keeps what the callbacks of a client received, as messageIds and reasons.
type results struct {
	mutex     sync.Mutex
	accepted  []string
	duplicate []string
	refused   []*pb.Refusal
	lost      []error
	settled   []string
}

func (t *results) options(options trackside.Options) trackside.Options {
	options.OnAccepted = func(event *pb.Event, duplicate bool) {
		t.settle(event, func() {
			t.accepted = append(t.accepted, event.MessageId)
			if duplicate {
				t.duplicate = append(t.duplicate, event.MessageId)
			}
		})
	}
	options.OnRefused = func(event *pb.Event, why *pb.Refusal) {
		t.settle(event, func() { t.refused = append(t.refused, why) })
	}
	options.OnLost = func(event *pb.Event, why error) {
		t.settle(event, func() { t.lost = append(t.lost, why) })
	}
	return options
}

func (t *results) settle(event *pb.Event, note func()) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.settled = append(t.settled, event.MessageId)
	note()
}

// start makes a client that ends with the test.
func start(t *testing.T, target string, options trackside.Options) *trackside.Client {
	client, err := trackside.New(target, given(options))
	must(t, err)
	t.Cleanup(func() { client.Close(time.Nanosecond) })
	return client
}

// given sets the options that are not zero.
func given(options trackside.Options) func(*trackside.Options) {
	return func(all *trackside.Options) {
		from, to := reflect.ValueOf(options), reflect.ValueOf(all).Elem()
		for i := range from.NumField() {
			if !from.Field(i).IsZero() {
				to.Field(i).Set(from.Field(i))
			}
		}
	}
}

// track sends events that differ in nothing but their messageIds, which it returns.
func track(t *testing.T, client *trackside.Client, count int) (messageIDs []string) {
	for range count {
		messageID, err := client.Track(t.Context(), "u", "E", nil)
		must(t, err)
		messageIDs = append(messageIDs, messageID)
	}
	return messageIDs
}

func flush(t *testing.T, client *trackside.Client) {
	t.Helper()
	if left := client.Flush(2 * time.Minute); left != 0 {
		t.Fatalf("%d events are not settled", left)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t *testing.T, what string, actual, expected T) {
	t.Helper()
	if actual != expected {
		t.Errorf("%s: %v, not %v", what, actual, expected)
	}
}

func same(t *testing.T, what string, actual, expected []string) {
	t.Helper()
	if !slices.Equal(actual, expected) {
		t.Errorf("%s: %d are not the %d expected: %.300q, not %.300q", what, len(actual), len(expected), actual, expected)
	}
}

// once says that each of the expected is there once, and nothing else.
func once(t *testing.T, what string, actual, expected []string) {
	t.Helper()
	same(t, what, slices.Sorted(slices.Values(actual)), slices.Sorted(slices.Values(expected)))
}

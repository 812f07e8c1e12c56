package trackside_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	pb "github.com/trackside/trackside/clients/go/tracksidev1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// proxy stands in front of a server. It notes the calls, and answers the first of them with faults.
type proxy struct {
	target string
	mutex  sync.Mutex
	faults []fault
	calls  []call
}

// fault answers in place of the server, which pass asks.
type fault func(w http.ResponseWriter, pass func(http.ResponseWriter))

type call struct {
	at            time.Time
	authorization string
	messageIDs    []string
}

func open(t *testing.T, target string, faults ...fault) *proxy {
	p := &proxy{faults: faults}
	forward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: target})
	transport := &http.Transport{Protocols: http2()}
	forward.Transport = transport
	forward.FlushInterval = -1 // trailers included
	handle := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		p.next(t, r, body)(w, func(w http.ResponseWriter) { forward.ServeHTTP(w, r) })
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(handle))
	server.Config.Protocols = http2()
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(transport.CloseIdleConnections)
	p.target = server.Listener.Addr().String()
	return p
}

func http2() *http.Protocols {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	return &protocols
}

func (p *proxy) next(t *testing.T, r *http.Request, body []byte) fault {
	var request pb.CollectBatchRequest
	if err := proto.Unmarshal(body[5:], &request); err != nil { // after gRPC's flag and length
		t.Error(err)
	}
	call := call{at: time.Now(), authorization: r.Header.Get("Authorization")}
	for _, entry := range request.Entries {
		call.messageIDs = append(call.messageIDs, entry.GetEvent().MessageId)
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.calls = append(p.calls, call)
	if len(p.faults) == 0 {
		return passed
	}
	fault := p.faults[0]
	p.faults = p.faults[1:]
	return fault
}

// sizes are the numbers of events in the calls.
func (p *proxy) sizes() (sizes []int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, call := range p.calls {
		sizes = append(sizes, len(call.messageIDs))
	}
	return sizes
}

func passed(w http.ResponseWriter, pass func(http.ResponseWriter)) { pass(w) }

// reset resets the stream of a call that the server has not seen.
func reset(http.ResponseWriter, func(http.ResponseWriter)) { panic(http.ErrAbortHandler) }

// answerLost resets the stream of a call that the server has answered.
func answerLost(_ http.ResponseWriter, pass func(http.ResponseWriter)) {
	pass(httptest.NewRecorder())
	panic(http.ErrAbortHandler)
}

// failed answers with a status.
func failed(why *status.Status) fault {
	return func(w http.ResponseWriter, _ func(http.ResponseWriter)) {
		details, _ := proto.Marshal(why.Proto())
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Grpc-Status", strconv.Itoa(int(why.Code())))
		w.Header().Set("Grpc-Message", strings.ReplaceAll(why.Message(), "%", "%25"))
		w.Header().Set("Grpc-Status-Details-Bin", base64.RawStdEncoding.EncodeToString(details))
	}
}

// answered answers in place of the server.
func answered(response *pb.CollectBatchResponse) fault {
	return func(w http.ResponseWriter, _ func(http.ResponseWriter)) {
		message, _ := proto.Marshal(response)
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status")
		_, _ = w.Write(append([]byte{0, 0, 0, 0, byte(len(message))}, message...)) // gRPC's flag and length before it
		w.Header().Set("Grpc-Status", "0")
	}
}

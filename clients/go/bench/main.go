// Command bench sends events through the client's batcher: TARGET EVENTS CALLS BATCH. It prints EVENTS, and in how many
// seconds all were settled. With the word `ready` before these it sends calls that are ready-made, without the client.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	trackside "github.com/trackside/trackside/clients/go"
	pb "github.com/trackside/trackside/clients/go/tracksidev1"
)

type object = trackside.Object

// The event of benchmarks/payload.py.
var (
	properties = object{
		"orderId":  "50314b8e9bcf000000000000",
		"total":    27.5,
		"currency": "USD",
		"products": []any{
			object{"productId": "507f1f77bcf86cd799439011", "name": "Monopoly: 3rd Edition", "price": 19, "quantity": 1},
		},
		"note": "",
	}
	with = trackside.With{
		AnonymousID:  "cf09e649-fd0b-46b6-9fc1-53ab9cd05c47",
		Integrations: object{"All": true},
		Context: object{
			"library":   object{"name": "analytics.js", "version": "2.11.1"},
			"page":      object{"path": "/academy/", "title": "Academy", "url": "https://example.com/academy/"},
			"locale":    "en-US",
			"userAgent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36",
		},
	}
)

func main() {
	arguments, sender := os.Args[1:], send
	if len(arguments) > 0 && arguments[0] == "ready" {
		arguments, sender = arguments[1:], sendReady
	}
	if len(arguments) != 4 {
		log.Fatal("usage: bench [ready] TARGET EVENTS CALLS BATCH")
	}
	var numbers [3]int
	for i := range numbers {
		number, err := strconv.Atoi(arguments[i+1])
		if err != nil {
			log.Fatal(err)
		}
		numbers[i] = number
	}
	pad(950)
	seconds, err := sender(arguments[0], numbers[0], numbers[1], numbers[2])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(numbers[0], seconds)
}

// pad makes the event as long as `size` bytes of JSON.
func pad(size int) {
	whole, _ := json.Marshal(object{
		"type": "track", "messageId": uuid.NewString(), "userId": "user-12345", "anonymousId": with.AnonymousID,
		"event": "Order Completed", "timestamp": "2026-11-23T08:00:00.123Z", "sentAt": "2026-11-23T08:00:01.456Z",
		"integrations": with.Integrations, "context": with.Context, "properties": properties,
	})
	properties["note"] = strings.Repeat("x", size-len(whole))
}

func send(target string, events, calls, batch int) (seconds float64, err error) {
	var accepted atomic.Int64
	client, err := trackside.New(target, func(o *trackside.Options) {
		o.WriteKey, o.Calls, o.BatchEvents = "bench", calls, batch
		o.OnAccepted = func(*pb.Event, bool) { accepted.Add(1) }
	})
	if err != nil {
		return 0, err
	}
	began := time.Now()
	for range events {
		if _, err := client.Track(context.Background(), "user-12345", "Order Completed", properties, with); err != nil {
			return 0, err
		}
	}
	client.Close(time.Minute)
	seconds = time.Since(began).Seconds()
	if accepted.Load() != int64(events) {
		err = fmt.Errorf("only %d of %d events were accepted", accepted.Load(), events)
	}
	return seconds, err
}

// Command bench sends events of 950 bytes through the client's batcher, and prints how long it took until all were settled.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	trackside "github.com/trackside/trackside/clients/go"
	pb "github.com/trackside/trackside/clients/go/tracksidev1"
)

type object = map[string]any

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
	target := flag.String("target", "localhost:50051", "the server")
	events := flag.Int("events", 100_000, "how many events to send")
	calls := flag.Int("calls", 4, "calls in flight")
	batch := flag.Int("batch", 200, "most events in a call")
	flag.Parse()
	pad(950)
	if err := run(*target, *events, *calls, *batch); err != nil {
		log.Fatal(err)
	}
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

func run(target string, events, calls, batch int) error {
	var accepted atomic.Int64
	client, err := trackside.New(target, trackside.Options{
		WriteKey: "bench", Calls: calls, BatchEvents: batch, FullWait: time.Minute,
		OnAccepted: func(*pb.Event, bool) { accepted.Add(1) },
	})
	if err != nil {
		return err
	}
	began := time.Now()
	for range events {
		if _, err := client.Track(context.Background(), "user-12345", "Order Completed", properties, with); err != nil {
			return err
		}
	}
	client.Close(time.Minute)
	result, err := json.Marshal(object{"events": events, "seconds": time.Since(began).Seconds(), "accepted": accepted.Load()})
	fmt.Println(string(result))
	return err
}

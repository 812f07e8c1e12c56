// Makes the calls with Segment's analytics-go, and ends when it has let go of each.
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/segmentio/analytics-go/v3"

	"trackside/tests/sdks/scenario"
)

// settled counts down the messages that were delivered or given up.
type settled chan error

func (s settled) Success(analytics.Message)            { s <- nil }
func (s settled) Failure(_ analytics.Message, e error) { s <- e }

func message(call scenario.Call) analytics.Message {
	var context *analytics.Context
	if call.Context != nil {
		context = &analytics.Context{Extra: call.Context}
	}
	switch call.Call {
	case "identify":
		return analytics.Identify{UserId: call.UserID, AnonymousId: call.AnonymousID, Traits: call.Traits,
			Context: context, Integrations: call.Integrations}
	case "track":
		return analytics.Track{UserId: call.UserID, AnonymousId: call.AnonymousID, Event: call.Event,
			Properties: call.Properties, Context: context, Integrations: call.Integrations}
	case "page":
		return analytics.Page{UserId: call.UserID, AnonymousId: call.AnonymousID, Name: call.Name,
			Properties: call.Properties, Context: context, Integrations: call.Integrations}
	case "screen":
		return analytics.Screen{UserId: call.UserID, AnonymousId: call.AnonymousID, Name: call.Name,
			Properties: call.Properties, Context: context, Integrations: call.Integrations}
	case "group":
		return analytics.Group{UserId: call.UserID, AnonymousId: call.AnonymousID, GroupId: call.GroupID,
			Traits: call.Traits, Context: context, Integrations: call.Integrations}
	case "alias":
		return analytics.Alias{UserId: call.UserID, PreviousId: call.PreviousID, Context: context,
			Integrations: call.Integrations}
	}
	panic("no such call: " + call.Call)
}

func main() {
	read, err := scenario.Read()
	if err != nil {
		log.Fatal(err)
	}
	done := make(settled, len(read.Calls))
	client, err := analytics.NewWithConfig(read.WriteKey, analytics.Config{
		Endpoint: read.Host, BatchSize: read.BatchSize, Callback: done,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, call := range read.Calls {
		if err := client.Enqueue(message(call)); err != nil {
			done <- err
		}
	}
	// Close drops what waits for another try, so it comes last.
	for range read.Calls {
		if err := <-done; err != nil {
			fmt.Fprintln(os.Stderr, "gave up:", err)
		}
	}
	client.Close()
}

package trackside_test

import (
	"encoding/json"
	"maps"
	"math/big"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	trackside "github.com/trackside/trackside/clients/go"
	pb "github.com/trackside/trackside/clients/go/tracksidev1"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// vector is a case of clients/testdata/vectors.json, whose README says what its members are.
type vector struct {
	Name, Call, Reason, Field, Found string
	Arguments, Record                map[string]any
	Struct                           bool
}

func vectors(t *testing.T) (calls, refusals []vector) {
	text, err := os.ReadFile("../testdata/vectors.json")
	must(t, err)
	var all struct{ Calls, Refusals []vector }
	must(t, json.Unmarshal(text, &all))
	return all.Calls, all.Refusals
}

// untagged is a value of the vectors as Go has it; an integer past 2^53 only where it is an argument.
func untagged(value any, argument bool) any {
	switch value := value.(type) {
	case []any:
		list := make([]any, len(value))
		for i, inner := range value {
			list[i] = untagged(inner, argument)
		}
		return list
	case map[string]any:
		object := map[string]any{}
		for name, inner := range value {
			switch name {
			case "$integer":
				if !argument {
					return value
				}
				return integer(inner.(string))
			case "$number":
				number, _ := strconv.ParseFloat(inner.(string), 64)
				return number
			case "$nest":
				return nest(int(inner.(float64)))
			case "$repeat":
				pair := inner.([]any)
				return strings.Repeat(pair[0].(string), int(pair[1].(float64)))
			case "$half":
				return inner.(string) + "\xed" // no string of Go has half a pair; what is not UTF-8 comes nearest
			}
			object[name] = untagged(inner, argument)
		}
		return object
	}
	return value
}

// integer is of a type that a program would have it in.
func integer(digits string) any {
	if signed, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return signed
	}
	if unsigned, err := strconv.ParseUint(digits, 10, 64); err == nil {
		return unsigned
	}
	large, _ := new(big.Int).SetString(digits, 10)
	return large
}

func nest(levels int) map[string]any {
	if levels == 1 {
		return map[string]any{}
	}
	return map[string]any{"a": nest(levels - 1)}
}

func (v vector) text(name string) string {
	text, _ := v.Arguments[name].(string)
	return text
}

func (v vector) object(name string) map[string]any {
	object, _ := untagged(v.Arguments[name], true).(map[string]any)
	return object
}

func (v vector) timestamp(t *testing.T) (timestamp time.Time) {
	if text := v.text("timestamp"); text != "" {
		parsed, err := time.Parse(time.RFC3339, text)
		must(t, err)
		timestamp = parsed
	}
	return timestamp
}

func (v vector) send(t *testing.T, client *trackside.Client) string {
	with := trackside.With{
		AnonymousID: v.text("anonymous_id"), MessageID: v.text("message_id"), Timestamp: v.timestamp(t),
		Context: v.object("context"), Integrations: v.object("integrations"), Extra: v.object("extra"),
	}
	ctx, user := t.Context(), v.text("user_id")
	var messageID string
	var err error
	switch v.Call {
	case "identify":
		messageID, err = client.Identify(ctx, user, v.object("traits"), with)
	case "track":
		messageID, err = client.Track(ctx, user, v.text("event"), v.object("properties"), with)
	case "page":
		messageID, err = client.Page(ctx, user, v.text("name"), v.object("properties"), with)
	case "screen":
		messageID, err = client.Screen(ctx, user, v.text("name"), v.object("properties"), with)
	case "group":
		messageID, err = client.Group(ctx, user, v.text("group_id"), v.object("traits"), with)
	case "alias":
		messageID, err = client.Alias(ctx, user, v.text("previous_id"), with)
	case "collect":
		messageID, err = client.Collect(ctx, &pb.Event{UserId: user})
	}
	must(t, err)
	return messageID
}

// inStructForm is the event as a caller builds it with a Struct for each free-form value.
func (v vector) inStructForm(t *testing.T) *pb.Event {
	form := func(name string) *structpb.Struct {
		if v.Arguments[name] == nil {
			return nil
		}
		form, err := structpb.NewStruct(v.object(name))
		must(t, err)
		return form
	}
	event := &pb.Event{UserId: v.text("user_id"), AnonymousId: v.text("anonymous_id"), MessageId: v.text("message_id")}
	if timestamp := v.timestamp(t); !timestamp.IsZero() {
		event.Timestamp = timestamppb.New(timestamp)
	}
	if context := v.object("context"); context != nil {
		equal(t, "members of a context in struct form", len(context), 0)
		event.ContextForm = &pb.Event_Context{Context: &pb.Context{}}
	}
	if integrations := form("integrations"); integrations != nil {
		event.IntegrationsForm = &pb.Event_Integrations{Integrations: integrations}
	}
	switch traits, properties := form("traits"), form("properties"); v.Call {
	case "identify":
		kind := &pb.Identify{}
		if traits != nil {
			kind.TraitsForm = &pb.Identify_Traits{Traits: traits}
		}
		event.Kind = &pb.Event_Identify{Identify: kind}
	case "track":
		kind := &pb.Track{Event: v.text("event")}
		if properties != nil {
			kind.PropertiesForm = &pb.Track_Properties{Properties: properties}
		}
		event.Kind = &pb.Event_Track{Track: kind}
	case "page":
		kind := &pb.Page{Name: v.text("name")}
		if properties != nil {
			kind.PropertiesForm = &pb.Page_Properties{Properties: properties}
		}
		event.Kind = &pb.Event_Page{Page: kind}
	case "screen":
		kind := &pb.Screen{Name: v.text("name")}
		if properties != nil {
			kind.PropertiesForm = &pb.Screen_Properties{Properties: properties}
		}
		event.Kind = &pb.Event_Screen{Screen: kind}
	case "group":
		kind := &pb.Group{GroupId: v.text("group_id")}
		if traits != nil {
			kind.TraitsForm = &pb.Group_Traits{Traits: traits}
		}
		event.Kind = &pb.Event_Group{Group: kind}
	case "alias":
		event.Kind = &pb.Event_Alias{Alias: &pb.Alias{PreviousId: v.text("previous_id")}}
	}
	return event
}

func TestCallsMakeTheRecordsOfTheVectorsInTheTextFormAndInTheStructForm(t *testing.T) {
	server := sharedServer(t)
	calls, _ := vectors(t)
	text := start(t, server.Target, trackside.Options{WriteKey: server.key + "-text"})
	structs := start(t, server.Target, trackside.Options{WriteKey: server.key + "-struct"})
	expected := map[[2]string]vector{}
	for _, v := range calls {
		equal(t, v.Name, v.send(t, text), v.text("message_id"))
		expected[[2]string{"text", v.text("message_id")}] = v
		if v.Struct {
			_, err := structs.Collect(t.Context(), v.inStructForm(t))
			must(t, err)
			expected[[2]string{"struct", v.text("message_id")}] = v
		}
	}
	flush(t, text)
	flush(t, structs)
	records := server.records()
	equal(t, "records", len(records), len(expected))
	for _, record := range records {
		form := strings.TrimPrefix(record["writeKey"].(string), server.key+"-")
		v := expected[[2]string{form, record["messageId"].(string)}]
		maps.DeleteFunc(record, func(name string, _ any) bool {
			return name == "receivedAt" || name == "writeKey" || name == "timestamp" && v.Arguments[name] == nil
		})
		if wanted := untagged(v.Record, false); !reflect.DeepEqual(any(record), wanted) {
			t.Errorf("%s, %s form: %.500v, not %.500v", v.Name, form, record, wanted)
		}
	}
}

func TestAnEventThatBreaksARuleIsRefusedInTheCall(t *testing.T) {
	_, refusals := vectors(t)
	for _, v := range refusals {
		if v.Found == "client" {
			var results results
			client := start(t, nowhere, results.options(trackside.Options{}))
			messageID := v.send(t, client)
			same(t, v.Name, results.settled, []string{messageID})
			equal(t, v.Name, results.refused[0].Reason.String(), v.Reason)
			equal(t, v.Name, results.refused[0].Field, v.Field)
			equal(t, v.Name, client.Flush(time.Nanosecond), 0)
		}
	}
}

func TestWhatOnlyTheServerCanRefuseComesToTheSameCallback(t *testing.T) {
	server := sharedServer(t)
	var results results
	client := start(t, server.Target, results.options(trackside.Options{WriteKey: server.key, Calls: 1}))
	_, refusals := vectors(t)
	var expected []vector
	var sent []string
	for _, v := range refusals {
		if v.Found == "server" {
			expected, sent = append(expected, v), append(sent, v.send(t, client))
		}
	}
	flush(t, client)
	same(t, "refused", results.settled, sent)
	for i, v := range expected {
		equal(t, v.Name, results.refused[i].Reason.String(), v.Reason)
		equal(t, v.Name, results.refused[i].Field, v.Field)
		equal(t, v.Name+": has a description", results.refused[i].Description != "", true)
	}
	equal(t, "records", len(server.records()), 0)
}

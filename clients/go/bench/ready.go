package main

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/trackside/trackside/clients/go/tracksidev1"
)

// ready makes the calls of benchmarks/ready_calls.py, encoded: CollectBatch with `batch` events each, or Collect for 0.
func ready(events, batch int) (requests [][]byte, err error) {
	form := &pb.Track_PropertiesJson{PropertiesJson: text(properties)}
	event := &pb.Event{
		UserId: "user-12345", AnonymousId: with.AnonymousID, Timestamp: timestamppb.Now(),
		ContextForm:      &pb.Event_ContextJson{ContextJson: text(with.Context)},
		IntegrationsForm: &pb.Event_IntegrationsJson{IntegrationsJson: text(with.Integrations)},
		Kind:             &pb.Event_Track{Track: &pb.Track{Event: "Order Completed", PropertiesForm: form}},
	}
	named := func() *pb.Event {
		event := proto.CloneOf(event)
		event.MessageId = uuid.NewString()
		return event
	}
	for left := events; left > 0 && err == nil; left -= max(batch, 1) {
		var request []byte
		if batch > 0 {
			entries := make([]*pb.Entry, min(batch, left))
			for i := range entries {
				entries[i] = &pb.Entry{Content: &pb.Entry_Event{Event: named()}}
			}
			request, err = proto.Marshal(&pb.CollectBatchRequest{Entries: entries})
		} else {
			request, err = proto.Marshal(&pb.CollectRequest{Event: named()})
		}
		requests = append(requests, request)
	}
	return requests, err
}

func text(value object) string {
	encoded, _ := json.Marshal(value)
	return string(encoded)
}

// sendReady sends calls that were made and encoded before the clock starts.
func sendReady(target string, events, calls, batch int) (seconds float64, err error) {
	requests, err := ready(events, batch)
	if err != nil {
		return 0, err
	}
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(encoded{}), grpc.WaitForReady(true)))
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	method := pb.CollectorService_CollectBatch_FullMethodName
	if batch == 0 {
		method = pb.CollectorService_Collect_FullMethodName
	}
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer bench")
	waiting := make(chan []byte, len(requests))
	for _, request := range requests {
		waiting <- request
	}
	close(waiting)
	failed := make([]error, calls)
	var senders sync.WaitGroup
	began := time.Now()
	for i := range calls {
		senders.Go(func() {
			for request := range waiting {
				if failed[i] = connection.Invoke(ctx, method, request, nil); failed[i] != nil {
					return
				}
			}
		})
	}
	senders.Wait()
	return time.Since(began).Seconds(), errors.Join(failed...)
}

// encoded is a codec of what is encoded already. It does not read answers: the queue tells what was accepted.
type encoded struct{}

func (encoded) Name() string                         { return "proto" }
func (encoded) Unmarshal(mem.BufferSlice, any) error { return nil }
func (encoded) Marshal(request any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(request.([]byte))}, nil
}

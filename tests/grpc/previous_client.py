"""Calls the service at an address, with whatever generated code is on its path; prints the outcomes."""

from __future__ import annotations

import sys
from typing import Any

import grpc
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1 import collector_service_pb2_grpc as proto_grpc
from trackside.v1.event_pb2 import Event, Identify, Page, Track

print(proto.__file__)
with grpc.insecure_channel(sys.argv[1]) as channel:
    stub: Any = proto_grpc.CollectorServiceStub(channel)
    track = Track(event="Order Completed", properties={"total": 9.5, "items": ["a", None]})
    event = Event(message_id="one", user_id="user-1", context_json='{"n":9007199254740993}', track=track)
    request = proto.CollectRequest(event=event, delivery=proto.Delivery(write_key="previous"))
    print(proto.Outcome.Name(stub.Collect(request, timeout=30).outcome))
    events = [
        Event(message_id="two", anonymous_id="a", identify=Identify(traits_json='{"plan":"pro"}')),
        Event(message_id="one", user_id="user-1", page=Page(name="Home")),
        Event(message_id="three", page=Page()),
    ]
    deliveries = [proto.Delivery(write_key="previous")]
    batch = proto.CollectBatchRequest(entries=[proto.Entry(event=event) for event in events], deliveries=deliveries)
    response = stub.CollectBatch(batch, timeout=30)
    print(*[proto.Outcome.Name(outcome) for outcome in response.outcomes])
    print(*[(refusal.index, proto.Reason.Name(refusal.reason), refusal.field) for refusal in response.refusals])

"""Sends events over gRPC, and prints what became of each: collect.py [TARGET] [WRITE_KEY]

It needs the code under proto/gen, which `make serve` puts where `.venv/bin/python` finds it.
"""

from __future__ import annotations

import sys
import time
import uuid

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1 import collector_service_pb2_grpc as proto_grpc
from trackside.v1.context_pb2 import Context
from trackside.v1.event_pb2 import Event, Identify, Page, Track

EVENTS = [
    Event(user_id="user-1", identify=Identify(traits={"name": "Arthur Dent"}), context=Context(locale="en-GB")),
    Event(user_id="user-1", track=Track(event="Added File", properties={"fileSize": "42kb"})),
    # As text, numbers keep their spelling: a Struct has doubles alone.
    Event(user_id="user-1", track=Track(event="Paid", properties_json='{"order": 9007199254740993}')),
    # Refused: nobody knows whose it is.
    Event(page=Page(name="Home")),
]


def main(target: str = "127.0.0.1:50051", write_key: str = "my-key") -> None:
    for event in EVENTS:
        event.message_id = str(uuid.uuid4())  # Made once, and kept when an event is sent again.
    with grpc.insecure_channel(target) as channel:
        collector = proto_grpc.CollectorServiceStub(channel)
        collect_one(collector, EVENTS[-1], write_key)
        collect_many(collector, EVENTS, write_key)


def collect_one(collector: proto_grpc.CollectorServiceStub, event: Event, write_key: str) -> None:
    """One event. What is wrong with it comes as the call's status, with google.rpc details."""
    key = [("authorization", f"Bearer {write_key}")]
    try:
        answer = collector.Collect(proto.CollectRequest(event=event), metadata=key, timeout=10)
        print("Collect:", proto.Outcome.Name(answer.outcome))
    except grpc.RpcError as error:
        print(f"Collect: {error.code().name}: {error.details()}")
        status = rpc_status.from_call(error)
        info = error_details_pb2.ErrorInfo()
        if status and any(detail.Unpack(info) for detail in status.details):
            print("  a program goes by", info.reason)


def collect_many(collector: proto_grpc.CollectorServiceStub, events: list[Event], write_key: str) -> None:
    """Many events: each has an outcome of its own, and those that may be sent again are."""
    deliveries = [proto.Delivery(write_key=write_key)]
    while events:
        entries = [proto.Entry(event=event) for event in events]
        answer = collector.CollectBatch(proto.CollectBatchRequest(entries=entries, deliveries=deliveries), timeout=10)
        for event, outcome in zip(events, answer.outcomes, strict=True):
            print(f"CollectBatch, {event.WhichOneof('kind')}: {proto.Outcome.Name(outcome)}")
        for refusal in answer.refusals:
            print(f"  number {refusal.index}: {proto.Reason.Name(refusal.reason)}: {refusal.description}")
        retried = [index for index, outcome in enumerate(answer.outcomes) if outcome == proto.OUTCOME_RETRY]
        events = [events[index] for index in retried]
        if events:
            time.sleep(answer.retry.delay.ToTimedelta().total_seconds())


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The bound on what one request may become in the queue, to the byte."""

from __future__ import annotations

from typing import cast

import pytest
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event, Page, Track

from event_model.schema import LIMITS
from tests.running import KEY, Running, collect

EVENTS = 300
CONTEXT = '{"x":"' + "y" * 15_000 + '"}'
INJECTED = EVENTS * (len(CONTEXT) + len(KEY))
"""Bytes; less than the bound, which only the events themselves make it reach."""


def events(size: int, name: str) -> list[proto.Entry]:
    """Entries whose events have so many bytes in all."""
    each, more = divmod(size, EVENTS)
    entries = [proto.Entry(event=sized(each, f"{name} {number:3}")) for number in range(EVENTS - 1)]
    return [*entries, proto.Entry(event=sized(each + more, f"{name} last"))]


def sized(size: int, message_id: str) -> Event:
    event = Event(message_id=message_id, user_id="u", track=Track(event="e" * (size - 100)))
    event.track.event += "e" * (size - event.ByteSize())
    assert event.ByteSize() == size <= LIMITS.event_bytes
    return event


@pytest.mark.parametrize(("over", "outcome"), [(0, proto.OUTCOME_ACCEPTED), (1, proto.OUTCOME_REFUSED)])
def test_events_and_what_is_injected_into_them_count_together(
    trackside: Running, over: int, outcome: proto.Outcome
) -> None:
    entries = events(LIMITS.delivery_bytes - INJECTED + over, f"over {over}")
    response = collect(trackside, entries, write_key=KEY, context_json=CONTEXT)
    assert list(response.outcomes) == [outcome] * EVENTS
    assert {refusal.reason for refusal in response.refusals} == ({proto.REASON_REQUEST_TOO_LARGE} if over else set())
    assert len(trackside.lines()) == (0 if over else EVENTS)


@pytest.mark.parametrize(("first", "outcome"), [(0, proto.OUTCOME_ACCEPTED), (1, proto.OUTCOME_REFUSED)])
def test_events_of_each_delivery_are_counted(trackside: Running, first: int, outcome: proto.Outcome) -> None:
    """One delivery brings as many as it may, or one more, and the other brings one."""
    number = LIMITS.delivery_events + first
    events = [Event(message_id=f"{first} {each}", user_id="u", page=Page()) for each in range(number + 1)]
    entries = [proto.Entry(event=event, delivery=0 if each < number else 1) for each, event in enumerate(events)]
    request = proto.CollectBatchRequest(entries=entries, deliveries=[proto.Delivery(write_key=KEY)] * 2)
    outcomes = list(cast("proto.CollectBatchResponse", trackside.stub.CollectBatch(request)).outcomes)
    assert outcomes == [outcome] * number + [proto.OUTCOME_ACCEPTED]
    assert len(trackside.lines()) == outcomes.count(proto.OUTCOME_ACCEPTED)

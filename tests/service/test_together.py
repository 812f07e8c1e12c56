"""Events are judged together, and each as if it were alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Alias, Event, Identify, Page, Track

from event_model.schema import LIMITS
from tests.doors import collect_batch
from tests.running import KEY, Running, collector

EVENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "track": lambda: {"track": Track(event="e", properties_json='{"a": 1}')},
    "Struct": lambda: {"track": Track(event="e", properties=Struct())},
    "page": lambda: {"page": Page(name="n"), "context_json": '{"locale": "de"}'},
    "identify": lambda: {"identify": Identify(traits_json='{"n": NaN}')},
    "alias": lambda: {"alias": Alias(), "anonymous_id": "a"},
    "extra": lambda: {"page": Page(), "extra_json": '{"mine": [1]}'},
    "corrected": lambda: {"page": Page(), "timestamp": Timestamp(seconds=10), "sent_at": Timestamp(seconds=20)},
    "no event": lambda: {"track": Track()},
    "no user": lambda: {"page": Page(), "user_id": ""},
    "no kind": dict,
    "too large": lambda: {"track": Track(event="e" * (LIMITS.event_bytes + 1))},
    "bad time": lambda: {"page": Page(), "sent_at": Timestamp(nanos=-1)},
    "bad properties": lambda: {"track": Track(event="e", properties_json="[]")},
    "bad context": lambda: {"page": Page(), "context_json": "{"},
    "bad extra": lambda: {"page": Page(), "extra_json": '{"userId": "u"}'},
}


def entry(name: str, kind: str) -> proto.Entry:
    if kind == "refused":
        return proto.Entry(refused=proto.RefusedEvent(reason=proto.REASON_UNKNOWN_TYPE, field="type"))
    members: dict[str, Any] = {"user_id": "u", "message_id": name} | EVENTS[kind]()
    return proto.Entry(event=Event(**members))


def told(trackside: Running, entries: list[proto.Entry]) -> list[tuple[Any, ...]]:
    """For each entry its outcome, and why it was refused if it was."""
    response = collect_batch(
        trackside, proto.CollectBatchRequest(entries=entries, deliveries=[proto.Delivery(write_key=KEY)])
    )
    indexes = [refusal.index for refusal in response.refusals]
    assert indexes == sorted(indexes)
    refusals = {refusal.index: (refusal.reason, refusal.field, refusal.description) for refusal in response.refusals}
    return [(outcome, *refusals.get(index, (0, "", ""))) for index, outcome in enumerate(response.outcomes)]


def records(trackside: Running) -> list[dict[str, Any]]:
    return [record | {"messageId": ""} for record in trackside.queued()]


@pytest.mark.parametrize("step", [1, 4, 7])
def test_batch_of_everything_is_told_and_queued_as_its_events_are_alone(trackside: Running, step: int) -> None:
    kinds = [*EVENTS, "refused"]
    sent = [kinds[number * step % len(kinds)] for number in range(150)]
    trackside.lines()
    alone = {kind: told(trackside, [entry(f"1 {step} {n:3}", kind)])[0] for n, kind in enumerate(kinds)}
    record = dict(zip([kind for kind in kinds if not alone[kind][1]], records(trackside), strict=True))
    together = told(trackside, [entry(f"2 {step} {n:3}", kind) for n, kind in enumerate(sent)])
    assert together == [alone[kind] for kind in sent]
    assert records(trackside) == [record[kind] for kind in sent if kind in record]


@pytest.mark.parametrize("bad", ["no user", "bad extra", "bad time"])
def test_one_bad_event_among_many_is_refused_alone(trackside: Running, bad: str) -> None:
    sent = ["track"] * 40 + [bad] + ["track"] * 40
    outcomes = [
        outcome for outcome, *_ in told(trackside, [entry(f"{bad} {number}", kind) for number, kind in enumerate(sent)])
    ]
    accepted, refused = proto.OUTCOME_ACCEPTED, proto.OUTCOME_REFUSED
    assert outcomes == [accepted] * 40 + [refused] + [accepted] * 40


@pytest.fixture(scope="module")
def generating(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with collector(tmp_path_factory.mktemp("generating"), generate_message_id=True) as running:
        yield running


@pytest.mark.parametrize("bad", ["no event", "bad properties"])
def test_messageid_that_is_made_does_not_count(generating: Running, bad: str) -> None:
    largest = Event(user_id="u", track=Track(event="e" * (LIMITS.event_bytes - 50)))
    largest.track.event += "e" * (LIMITS.event_bytes - largest.ByteSize())
    assert largest.ByteSize() == LIMITS.event_bytes
    outcomes = [outcome for outcome, *_ in told(generating, [proto.Entry(event=largest), entry("bad", bad)])]
    assert outcomes == [proto.OUTCOME_ACCEPTED, proto.OUTCOME_REFUSED]
    (line,) = generating.lines()
    assert len(json.loads(line)["messageId"]) == 36

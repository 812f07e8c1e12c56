"""What gRPC callers are told of what is refused: the status, google.rpc details, and a refusal for each index."""

from __future__ import annotations

from typing import Any, cast

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import code_pb2, error_details_pb2
from prometheus_client import REGISTRY
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Alias, Event, Group, Page, Track

from tests.doors import collect, collect_batch, failure_of
from tests.running import KEY, NOW_TEXT, Running
from tests.spec.expectations import NO_MESSAGE_ID, kept_refused

OTHERS = "x" * 15_360


REFUSED: list[tuple[Event, str, str, str]] = [
    (Event(), "REQUIRED", "type", "type is required"),
    (Event(message_id="m", user_id="u"), "REQUIRED", "type", "type is required"),
    (Event(user_id="u", page=Page()), "REQUIRED", "messageId", NO_MESSAGE_ID),
    (Event(message_id="m", page=Page()), "REQUIRED", "userId", "userId or anonymousId is required"),
    (Event(message_id="m", user_id="u", track=Track()), "REQUIRED", "event", "event is required"),
    (Event(message_id="m", user_id="u", group=Group()), "REQUIRED", "groupId", "groupId is required"),
    (
        Event(message_id="m", user_id="u", alias=Alias()),
        "REQUIRED",
        "previousId",
        "previousId is required, or anonymousId with userId",
    ),
    (
        Event(message_id="m", user_id="u", page=Page(), context_json="[]"),
        "WRONG_TYPE",
        "context",
        "context must be an object",
    ),
    (
        Event(message_id="m", user_id="u", page=Page(properties_json="{")),
        "MALFORMED_JSON",
        "properties",
        "properties is not valid JSON",
    ),
    (
        Event(message_id="m", user_id="u", page=Page(), extra_json="{]"),
        "MALFORMED_JSON",
        "extra_json",
        "extra_json is not valid JSON",
    ),
    (
        Event(message_id="m", user_id="u", page=Page(), extra_json='{"name":1}'),
        "RESERVED_MEMBER",
        "name",
        "name is a reserved name, no further member may have it",
    ),
    (
        Event(message_id="m", user_id="u", page=Page(name=OTHERS)),
        "EVENT_TOO_LARGE",
        "",
        "The event has 15373 bytes, 15360 are allowed",
    ),
]


@pytest.mark.parametrize(("event", "reason", "field", "sentence"), REFUSED)
def test_refused_event_is_an_invalid_argument_with_its_reason_and_its_field(
    trackside: Running, event: Event, reason: str, field: str, sentence: str
) -> None:
    request = proto.CollectRequest(event=event, delivery=proto.Delivery(write_key=KEY))
    status, (bad_request, info) = failure_of(lambda: collect(trackside, request))
    assert (status.code, status.message) == (code_pb2.INVALID_ARGUMENT, sentence)
    violation = error_details_pb2.BadRequest.FieldViolation(field=field, description=sentence)
    assert bad_request == error_details_pb2.BadRequest(field_violations=[violation])
    assert info == error_details_pb2.ErrorInfo(reason=f"REASON_{reason}", domain="trackside")


def test_request_without_an_event_is_refused(trackside: Running) -> None:
    call = {"metadata": [("authorization", f"Bearer {KEY}")]}
    status, _ = failure_of(lambda: collect(trackside, proto.CollectRequest(), **call))
    assert (status.code, status.message) == (code_pb2.INVALID_ARGUMENT, "type is required")


def test_batch_has_an_outcome_for_each_index_and_a_refusal_for_each_refused(trackside: Running) -> None:
    good = Event(message_id="good", user_id="u", page=Page())
    events = [good, *(event for event, *_ in REFUSED), good]
    request = proto.CollectBatchRequest(
        entries=[proto.Entry(event=event) for event in events], deliveries=[proto.Delivery(write_key=KEY)]
    )
    trackside.lines()
    response = collect_batch(trackside, request)
    refused = [proto.OUTCOME_REFUSED] * len(REFUSED)
    assert list(response.outcomes) == [proto.OUTCOME_ACCEPTED, *refused, proto.OUTCOME_DUPLICATE]
    assert not response.HasField("retry")
    assert [
        (refusal.index, proto.Reason.Name(refusal.reason), refusal.field, refusal.description)
        for refusal in response.refusals
    ] == [(index, f"REASON_{reason}", field, said) for index, (_, reason, field, said) in enumerate(REFUSED, 1)]
    assert [record["messageId"] for record in trackside.queued()] == ["good"]


def test_batch_of_nothing_is_answered(trackside: Running) -> None:
    assert collect_batch(trackside, proto.CollectBatchRequest()) == proto.CollectBatchResponse()


@pytest.mark.parametrize(("deliveries", "named"), [(0, 1), (1, 1), (2, 2), (2, 4_294_967_295)])
def test_entry_of_a_delivery_that_is_not_there_refuses_the_call(
    trackside: Running, deliveries: int, named: int
) -> None:
    good = Event(message_id="stray", user_id="u", page=Page(), write_key=KEY)
    entries = [proto.Entry(event=good), proto.Entry(event=good, delivery=named)]
    request = proto.CollectBatchRequest(entries=entries, deliveries=[proto.Delivery()] * deliveries)
    trackside.lines()
    with pytest.raises(grpc.RpcError) as raised:
        collect_batch(trackside, request)
    error = cast("Any", raised.value)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == f"There is no delivery {named}: the call has {deliveries}."
    assert trackside.lines() == []


def told(reason: int, type_: str = "track", message_id: str = "told") -> proto.CollectBatchRequest:
    """What a front says of an event that it refused."""
    refused = proto.RefusedEvent(
        reason=cast("proto.Reason", reason),
        field="event",
        description="event must be a string",
        payload=b'{"event":1,"\xff":2}',
        message_id=message_id,
        type=type_,
    )
    good = proto.Entry(event=Event(message_id=f"beside {message_id}", user_id="u", page=Page()))
    return proto.CollectBatchRequest(
        entries=[proto.Entry(refused=refused), good], deliveries=[proto.Delivery(write_key=KEY)]
    )


def test_what_a_front_refused_is_kept_as_it_was_told(trackside: Running) -> None:
    response = collect_batch(trackside, told(proto.REASON_WRONG_TYPE))
    assert list(response.outcomes) == [proto.OUTCOME_REFUSED, proto.OUTCOME_ACCEPTED]
    assert list(response.refusals) == [
        proto.Refusal(index=0, reason=proto.REASON_WRONG_TYPE, field="event", description="event must be a string")
    ]
    assert kept_refused(trackside, "told") == {
        "time": NOW_TEXT,
        "reason": "wrong_type",
        "field": "event",
        "description": "event must be a string",
        "type": "track",
        "messageId": "told",
        "source": "…",
        "payload": '{"event":1,"\ufffd":2}',
    }


@pytest.mark.parametrize(
    ("reason", "type_", "kind", "counted"),
    [
        (proto.REASON_REQUIRED, "track", "track", "required"),
        (proto.REASON_UNSPECIFIED, "track", "track", "unspecified"),
        (4_711, "track", "track", "unspecified"),
        (-1, "track", "track", "unspecified"),
        (proto.REASON_REQUIRED, "a series of its own", "unknown", "required"),
    ],
)
def test_reason_and_type_that_a_caller_makes_up_are_no_series_of_their_own(
    trackside: Running, reason: int, type_: str, kind: str, counted: str
) -> None:
    labels = {"kind": kind, "source": "unknown", "outcome": "refused", "reason": counted}
    before = REGISTRY.get_sample_value("trackside_events_total", labels) or 0
    response = collect_batch(trackside, told(reason, type_, f"{reason} {type_}"))
    assert list(response.outcomes) == [proto.OUTCOME_REFUSED, proto.OUTCOME_ACCEPTED]
    assert [refusal.reason for refusal in response.refusals] == [reason]
    assert REGISTRY.get_sample_value("trackside_events_total", labels) == before + 1


DELIVERIES = [
    (proto.Delivery(context_json="{"), "MALFORMED_JSON", "context"),
    (proto.Delivery(integrations_json="1"), "WRONG_TYPE", "integrations"),
    (proto.Delivery(sent_at=Timestamp(nanos=-1)), "INVALID_TIMESTAMP", "sentAt"),
    (proto.Delivery(timestamp=Timestamp(seconds=1 << 60)), "INVALID_TIMESTAMP", "timestamp"),
    (proto.Delivery(context_json=f'{{"a":"{OTHERS}"}}'), "REQUEST_TOO_LARGE", ""),
]


@pytest.mark.parametrize(("delivery", "reason", "field"), DELIVERIES, ids=[reason for _, reason, _ in DELIVERIES])
def test_bad_delivery_refuses_its_own_events_alone(
    trackside: Running, delivery: proto.Delivery, reason: str, field: str
) -> None:
    delivery.write_key = KEY
    events = [Event(message_id=f"{reason} {field} {number}", user_id="u", page=Page()) for number in range(3)]
    entries = [proto.Entry(event=event, delivery=number % 2) for number, event in enumerate(events)]
    request = proto.CollectBatchRequest(entries=entries, deliveries=[delivery, proto.Delivery(write_key=KEY)])
    response = collect_batch(trackside, request)
    refused, accepted = proto.OUTCOME_REFUSED, proto.OUTCOME_ACCEPTED
    assert list(response.outcomes) == [refused, accepted, refused]
    assert [(each.index, each.reason, each.field) for each in response.refusals] == [
        (index, proto.Reason.Value(f"REASON_{reason}"), field) for index in (0, 2)
    ]


def test_what_a_call_would_become_in_the_queue_is_bounded_for_each_delivery(trackside: Running) -> None:
    large = proto.Delivery(write_key=KEY, context_json=f'{{"a":"{"x" * 15_000}"}}')
    entries = [
        proto.Entry(event=Event(message_id=f"bounded {number}", user_id="u", page=Page()), delivery=number // 550)
        for number in range(1_000)
    ]
    trackside.lines()
    response = collect_batch(trackside, proto.CollectBatchRequest(entries=entries, deliveries=[large, large]))
    # 550 times 15 KB is within 8 MB, and each of the two has a bound of its own.
    assert response.refusals == []
    entries = [proto.Entry(event=Event(message_id=f"over {number}", user_id="u", page=Page())) for number in range(560)]
    response = collect_batch(trackside, proto.CollectBatchRequest(entries=entries, deliveries=[large]))
    assert {refusal.reason for refusal in response.refusals} == {proto.REASON_REQUEST_TOO_LARGE}
    assert len(response.refusals) == 560
    assert len(trackside.lines()) == 1_000

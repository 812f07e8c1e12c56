"""Whatever arrives over gRPC is answered, and what can be read gets an outcome for each of its events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import grpc
import pytest
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event, Page

from tests.doors import attempted, collect_batch
from tests.fuzz.profile import examples
from tests.running import KEY, Running


def _valid() -> proto.CollectBatchRequest:
    event = Event(message_id="m", user_id="u", write_key=KEY, context_json='{"a":1}', extra_json='{"x":[1]}')
    event.timestamp.FromJsonString("2020-03-02T18:29:27.333Z")
    event.track.event = "E"
    event.track.properties.update({"a": [1.5, None, {"b": True}]})
    refused = proto.RefusedEvent(reason=proto.REASON_MALFORMED_JSON, description="?", payload=b"{", type="track")
    delivery = proto.Delivery(write_key=KEY, integrations_json='{"All":true}', ip="1.2.3.4", user_agent="x")
    delivery.sent_at.FromJsonString("2020-03-02T18:29:30Z")
    entries = [proto.Entry(event=event), proto.Entry(refused=refused), proto.Entry(event=event, delivery=0)]
    return proto.CollectBatchRequest(entries=entries, deliveries=[delivery])


_BATCH = _valid().SerializeToString()
_ONE = proto.CollectRequest(event=_valid().entries[0].event, delivery=_valid().deliveries[0]).SerializeToString()
_edits = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 8), st.binary(max_size=4)), min_size=1, max_size=3)


def _edited(message: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for place, cut, put in edits:
        at = int(place * len(message))
        message = message[:at] + put + message[at + cut :]
    return message


_messages = st.one_of(
    st.tuples(st.just("CollectBatch"), st.one_of(st.builds(_edited, st.just(_BATCH), _edits), st.binary(max_size=60))),
    st.tuples(st.just("Collect"), st.one_of(st.builds(_edited, st.just(_ONE), _edits), st.binary(max_size=60))),
)
_int64 = st.integers(-(1 << 63), (1 << 63) - 1)
_uint32 = st.integers(0, (1 << 32) - 1)
_reasons = st.integers(-(1 << 31), (1 << 31) - 1) | st.integers(0, 20)


def call(trackside: Running, method: str, message: bytes) -> bytes | grpc.StatusCode:
    """The answer to a message's bytes, or the status."""
    stub = cast("Callable[[bytes], bytes]", trackside.channel.unary_unary(f"/trackside.v1.CollectorService/{method}"))
    return attempted(lambda: stub(message))


@pytest.fixture(autouse=True)
def works_afterwards(trackside: Running) -> Iterator[None]:
    yield
    assert list(collect_batch(trackside, _valid()).outcomes) == [1, 3, 1]


@given(_messages)
@examples(250)
def test_any_message_is_answered(trackside: Running, sent: tuple[str, bytes]) -> None:
    method, message = sent
    answer = call(trackside, method, message)
    try:
        request = (proto.CollectBatchRequest if method == "CollectBatch" else proto.CollectRequest).FromString(message)
    except DecodeError:
        assert answer is grpc.StatusCode.INVALID_ARGUMENT
        return
    if isinstance(answer, grpc.StatusCode):
        assert answer is grpc.StatusCode.INVALID_ARGUMENT
    elif isinstance(request, proto.CollectBatchRequest):
        response = proto.CollectBatchResponse.FromString(answer)
        assert len(response.outcomes) == len(request.entries)
        refused = [index for index, outcome in enumerate(response.outcomes) if outcome == proto.OUTCOME_REFUSED]
        assert [refusal.index for refusal in response.refusals] == refused


@given(
    seconds=_int64,
    nanos=st.integers(-(1 << 31), (1 << 31) - 1),
    field=st.sampled_from(["timestamp", "sent_at", "original_timestamp"]),
    reason=_reasons,
    type_=st.text(max_size=5),
)
@examples(80)
def test_any_value_takes_no_neighbour_along(
    trackside: Running, seconds: int, nanos: int, field: str, reason: int, type_: str
) -> None:
    request = _valid()
    request.deliveries.add(write_key=KEY)
    time = Timestamp(seconds=seconds, nanos=nanos)
    getattr(request.entries[0].event, field).CopyFrom(time)
    if field != "original_timestamp":
        getattr(request.deliveries[0], field).CopyFrom(time)
    request.entries[1].refused.MergeFrom(proto.RefusedEvent(reason=cast("proto.Reason", reason), type=type_))
    request.entries[2].delivery = 1
    response = collect_batch(trackside, request)
    assert list(response.outcomes)[1:] == [proto.OUTCOME_REFUSED, proto.OUTCOME_ACCEPTED]
    (said,) = [refusal.reason for refusal in response.refusals if refusal.index == 1]
    assert said == request.entries[1].refused.reason


@given(delivery=_uint32 | st.integers(0, 3), deliveries=st.integers(0, 3))
@examples(30)
def test_delivery_that_is_not_there_is_an_invalid_argument(trackside: Running, delivery: int, deliveries: int) -> None:
    request = proto.CollectBatchRequest(deliveries=[proto.Delivery(write_key=KEY)] * deliveries)
    event = Event(message_id="m", user_id="u", write_key=KEY, page=Page())
    request.entries.add(event=event, delivery=delivery)
    if delivery < max(1, deliveries):
        assert list(collect_batch(trackside, request).outcomes) == [proto.OUTCOME_ACCEPTED]
    else:
        assert attempted(lambda: collect_batch(trackside, request)) is grpc.StatusCode.INVALID_ARGUMENT

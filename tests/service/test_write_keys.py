"""Where a gRPC caller may give the write key, and which counts."""

from __future__ import annotations

from typing import Any, cast

import pytest
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event, Page

from tests.doors import collect, failure_of
from tests.running import Running, basic

PRECEDENCE = [
    # the event's, the delivery's, the delivery's overriding one, the metadata's; which counts
    ("event", "delivery", "over", "meta", "over"),
    ("event", "delivery", "", "meta", "event"),
    ("", "delivery", "", "meta", "delivery"),
    ("", "", "", "meta", "meta"),
    ("", "", "over", "", "over"),
    ("event", "", "", "", "event"),
]


@pytest.mark.parametrize(("own", "delivery", "over", "metadata", "counts"), PRECEDENCE)
@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
def test_write_key_of_the_nearest_place_counts(
    trackside: Running, own: str, delivery: str, over: str, metadata: str, counts: str, scheme: str
) -> None:
    event = Event(message_id=f"{scheme} {own} {delivery} {over} {metadata}", user_id="u", page=Page(), write_key=own)
    request = proto.CollectRequest(event=event, delivery=proto.Delivery(write_key=delivery, overriding_write_key=over))
    value = f"Bearer {metadata}" if scheme == "Bearer" else basic(metadata)["Authorization"]
    trackside.lines()
    assert collect(trackside, request, metadata=[("authorization", value)] if metadata else []) == 1
    assert [record["writeKey"] for record in trackside.queued()] == [counts]


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic", "Basic !", "Basic /w==", "Digest x", "test-key"])
def test_authorization_that_holds_no_key_is_none(trackside: Running, value: str) -> None:
    event = Event(message_id="m", user_id="u", page=Page())
    call = {"metadata": [("authorization", value)]}
    status, (_, info) = failure_of(lambda: collect(trackside, proto.CollectRequest(event=event), **call))
    assert status.message == "Invalid or missing writekey"
    assert cast("Any", info).reason == "REASON_INVALID_WRITE_KEY"

"""Times: how they are written, and how a sender's are corrected for its clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from trackside.v1 import collector_service_pb2 as proto

from service.refusals import Refused
from service.stamping import SECOND, corrected, iso8601, nanoseconds
from tests.running import NOW, NOW_TEXT, Clock, Running, collector

FIRST, LAST = -62_135_596_800 * SECOND, 253_402_300_800 * SECOND - 1
HOUR = 3_600 * SECOND


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (NOW, NOW_TEXT),
        (NOW + 456_000, "2023-11-14T22:13:20.123456Z"),
        (NOW + 456_789, "2023-11-14T22:13:20.123456789Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (-1_000_000, "1969-12-31T23:59:59.999Z"),
        (FIRST, "0001-01-01T00:00:00.000Z"),
        (LAST, "9999-12-31T23:59:59.999999999Z"),
    ],
)
def test_time_is_written_with_as_many_digits_as_it_needs(time: int, text: str) -> None:
    assert iso8601(time) == text


@pytest.mark.parametrize("time", [FIRST, LAST, 0, -1, NOW])
def test_timestamp_within_the_calendar_is_read(time: int) -> None:
    seconds, nanos = divmod(time, SECOND)
    assert nanoseconds(Timestamp(seconds=seconds, nanos=nanos), "sentAt") == time


@pytest.mark.parametrize(
    ("seconds", "nanos"),
    [
        (FIRST // SECOND - 1, 0),
        (LAST // SECOND + 1, 0),
        (0, -1),
        (0, SECOND),
        ((1 << 63) - 1, 0),
        (-(1 << 63), 0),
        (0, (1 << 31) - 1),
    ],
)
def test_timestamp_that_is_none_is_refused_by_name(seconds: int, nanos: int) -> None:
    with pytest.raises(Refused) as raised:
        nanoseconds(Timestamp(seconds=seconds, nanos=nanos), "sentAt")
    assert (raised.value.reason, raised.value.field) == (proto.REASON_INVALID_TIMESTAMP, "sentAt")


@pytest.mark.parametrize(
    ("ago", "sent", "expected"),
    [
        (0, 0, NOW),
        (10, 0, NOW - 10),
        (10 + HOUR, HOUR, NOW - 10),  # the sender's clock is an hour behind
        (10 - HOUR, -HOUR, NOW - 10),  # and an hour ahead
        (-5, 0, NOW + 5),  # an event of the sender's future
        (0, HOUR + 1, None),
        (0, -HOUR - 1, None),
    ],
)
def test_time_is_as_long_before_receipt_as_it_was_before_it_was_sent(ago: int, sent: int, expected: int | None) -> None:
    assert corrected(NOW - ago, NOW - sent, NOW, HOUR) == expected


@pytest.mark.parametrize("timestamp", [FIRST, LAST])
def test_time_is_not_corrected_out_of_the_calendar(timestamp: int) -> None:
    sent = NOW + (HOUR if timestamp == FIRST else -HOUR)
    assert corrected(timestamp, sent, NOW, HOUR) is None


@pytest.fixture
def exact(tmp_path: Any) -> Iterator[Running]:
    """A collector that corrects nothing, with a clock between two milliseconds."""
    with collector(tmp_path, Clock(NOW + 999_999), max_clock_skew=0) as running:
        yield running


def test_receipt_is_stamped_in_milliseconds_and_a_bound_of_0_corrects_nothing(exact: Running) -> None:
    event = {"messageId": "1", "userId": "u", "timestamp": "2023-11-14T22:13:20.123456Z", "sentAt": NOW_TEXT}
    assert exact.post("/v1/page", event).status_code == 200
    assert exact.post("/v1/page", event | {"messageId": "2", "sentAt": "2023-11-14T22:13:21Z"}).status_code == 200
    same, off = exact.queued()
    assert (same["receivedAt"], same["timestamp"]) == (NOW_TEXT, "2023-11-14T22:13:20.123456Z")
    assert same["originalTimestamp"] == same["timestamp"]
    assert (off["timestamp"], off.get("originalTimestamp")) == ("2023-11-14T22:13:20.123456Z", None)

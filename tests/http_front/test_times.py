"""Clock skew: a timestamp is corrected by what sentAt says of the sender's clock, within a bound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.running import NOW_TEXT, Running, collector
from tests.spec.expectations import assert_accepted, record


@pytest.fixture(scope="module")
def bounded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with collector(tmp_path_factory.mktemp("bounded"), max_clock_skew=3_600) as running:
        yield running


def event(message_id: str, **members: Any) -> dict[str, Any]:
    return {"messageId": message_id, "userId": "u", **members}


@pytest.mark.parametrize(
    ("sent_at", "timestamp", "corrected"),
    [
        ("2023-11-14T22:13:20.123Z", "2023-11-14T22:13:19.123Z", "2023-11-14T22:13:19.123Z"),
        ("2023-11-14T23:13:20.123Z", "2023-11-14T23:13:19.123Z", "2023-11-14T22:13:19.123Z"),  # an hour fast
        ("2023-11-14T21:13:20.123Z", "2023-11-14T21:13:19.123Z", "2023-11-14T22:13:19.123Z"),  # an hour slow
        ("2023-11-14T22:13:20.123Z", "2023-11-14T22:14:20.123Z", "2023-11-14T22:14:20.123Z"),  # from the future
        ("2023-11-14T22:13:21.123Z", "2001-01-01T00:00:01.000Z", "2001-01-01T00:00:00.000Z"),  # queued for years
        ("2023-11-14T22:13:20.123Z", "2023-11-14T22:13:19.123456789Z", "2023-11-14T22:13:19.123456789Z"),
        ("2023-11-14T22:13:21.123Z", "2023-11-14T22:13:20.123456789Z", "2023-11-14T22:13:19.123456789Z"),
    ],
)
def test_timestamp_is_corrected_within_the_bound(
    bounded: Running, sent_at: str, timestamp: str, corrected: str
) -> None:
    sent = event(f"{sent_at} {timestamp}", sentAt=sent_at, timestamp=timestamp)
    queued = record("page", sent, timestamp=corrected, originalTimestamp=timestamp)
    assert_accepted(bounded, bounded.post("/v1/page", sent), queued)


@pytest.mark.parametrize(
    ("sent_at", "timestamp"),
    [
        ("2023-11-14T23:13:20.124Z", "2023-11-14T23:13:19.124Z"),  # more than an hour fast
        ("2023-11-14T21:13:20.122Z", "2023-11-14T21:13:19.122Z"),  # more than an hour slow
        ("1970-01-01T00:00:01.000Z", "1970-01-01T00:00:00.000Z"),
        ("2023-11-14T22:13:21.123Z", "0001-01-01T00:00:00.000Z"),  # it would be before the calendar's beginning
        ("2023-11-14T22:13:19.123Z", "9999-12-31T23:59:59.999Z"),  # it would be after its end
    ],
)
def test_timestamp_is_left_where_the_clocks_are_too_far_apart(bounded: Running, sent_at: str, timestamp: str) -> None:
    sent = event(f"{sent_at} {timestamp}", sentAt=sent_at, timestamp=timestamp)
    assert_accepted(bounded, bounded.post("/v1/page", sent), record("page", sent))


def test_original_timestamp_of_a_sender_is_kept(bounded: Running) -> None:
    # Some SDKs send both: what they say was the original stays.
    sent = event(
        "both",
        originalTimestamp="2023-11-14T23:00:00.000Z",
        timestamp="2023-11-14T23:13:10.123Z",
        sentAt="2023-11-14T23:13:20.123Z",
    )
    queued = record("page", sent, timestamp="2023-11-14T22:13:10.123Z", sentTimestamp="2023-11-14T23:13:10.123Z")
    assert_accepted(bounded, bounded.post("/v1/page", sent), queued)


def test_original_timestamp_stands_in_where_there_is_no_timestamp(bounded: Running) -> None:
    sent = event("original", originalTimestamp="2023-11-14T23:13:10.123Z", sentAt="2023-11-14T23:13:20.123Z")
    queued = record("page", sent, timestamp="2023-11-14T22:13:10.123Z")
    assert_accepted(bounded, bounded.post("/v1/page", sent), queued)
    sent = event("original alone", originalTimestamp="2020-01-01T00:00:00.000Z")
    queued = record("page", sent, timestamp="2020-01-01T00:00:00.000Z")
    assert_accepted(bounded, bounded.post("/v1/page", sent), queued)


def test_sent_at_alone_leaves_the_time_of_receipt(bounded: Running) -> None:
    sent = event("sent at", sentAt="2023-11-14T23:13:20.000Z")
    assert_accepted(bounded, bounded.post("/v1/page", sent), record("page", sent, timestamp=NOW_TEXT))

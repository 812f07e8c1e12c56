"""Times of an event: receivedAt, and the sender's times corrected for its clock (specification: sentAt, timestamp).

Times are whole nanoseconds since 1970 in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from operator import attrgetter

from google.protobuf.timestamp_pb2 import Timestamp
from msgspec import UNSET, UnsetType
from trackside.v1 import collector_service_pb2

from service.refusals import Refused

SECOND = 1_000_000_000
_EPOCH = datetime(1970, 1, 1)  # naive on purpose: every time here is UTC
_FIRST = -62_135_596_800 * SECOND
_LAST = 253_402_300_800 * SECOND - 1


def nanoseconds(timestamp: Timestamp, field: str) -> int:
    """A protobuf timestamp as nanoseconds. Raises Refused where it is not within the years 1 to 9999."""
    return all_nanoseconds((timestamp,), field)[0]


def all_nanoseconds(timestamps: Sequence[Timestamp], field: str) -> list[int]:
    """As `nanoseconds`, of each."""
    nanos = [*map(_nanos_of, timestamps)]
    times = [time * SECOND + more for time, more in zip(map(_seconds_of, timestamps), nanos, strict=True)]
    if min(nanos) >= 0 and max(nanos) < SECOND and min(times) >= _FIRST and max(times) <= _LAST:
        return times
    raise Refused(
        collector_service_pb2.REASON_INVALID_TIMESTAMP, field, f"{field} must be a time of the years 1 to 9999"
    )


def iso8601(time: int) -> str:
    """The time as `YYYY-MM-DDTHH:MM:SS.sssZ`, with 6 or 9 fraction digits where 3 would lose some."""
    millis, rest = divmod(time, 1_000_000)
    if not rest:
        return _to_seconds(millis // 1_000) + _MILLIS[millis % 1_000]
    seconds, nanos = divmod(time, SECOND)
    if not rest % 1_000:
        return f"{_to_seconds(seconds)}.{nanos // 1_000:06}Z"
    return f"{_to_seconds(seconds)}.{nanos:09}Z"


def iso8601s(times: Iterable[int | UnsetType]) -> list[str | UnsetType]:
    """As `iso8601`, of each that is set."""
    return [time if time is UNSET else iso8601(time) for time in times]


_seconds_of, _nanos_of = attrgetter("seconds"), attrgetter("nanos")
_MILLIS = [f".{millis:03}Z" for millis in range(1_000)]


@lru_cache(4096)
def _to_seconds(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()


def corrected(timestamp: int, sent_at: int, received_at: int, max_skew: int) -> int | None:
    """The timestamp by our clock: `receivedAt - (sentAt - timestamp)`.

    None where the clocks are further apart than `max_skew`, or the result has no place in the calendar.
    """
    time = received_at - (sent_at - timestamp)
    return time if abs(received_at - sent_at) <= max_skew and _FIRST <= time <= _LAST else None

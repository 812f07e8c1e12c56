"""Times as senders write them: ISO 8601, any offset, up to 9 fraction digits. A time without a zone is UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_FRACTION = re.compile(r"[.,]([0-9]*)")
_WHOLE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII)
_REST = re.compile(r"(?:\.(\d{1,9}))?(?:Z|[+-]00:00)?", re.ASCII)


def encoded(text: str) -> bytes:
    """A time as an encoded Timestamp. Raises ValueError and OverflowError as `parse` does."""
    # Most times are in UTC and each of their halves repeats, so both are cached. A longer text is not worth the memory.
    if len(text) <= 35 and (rest := _rest(text[19:])) is not None and (whole := _whole(text[:19])) is not None:
        return whole + rest
    seconds, nanos = parse(text)
    return Timestamp(seconds=seconds, nanos=nanos).SerializeToString()


@lru_cache(4096)
def _whole(text: str) -> bytes | None:
    """The seconds of a Timestamp, encoded, from a date and time in UTC. None for any other form."""
    return Timestamp(seconds=parse(text)[0]).SerializeToString() if _WHOLE.fullmatch(text) else None


@lru_cache(4096)
def _rest(text: str) -> bytes | None:
    """The nanos of a Timestamp, encoded, from a fraction and a zone that is UTC. None for any other form."""
    match = _REST.fullmatch(text)
    return Timestamp(nanos=int((match[1] or "").ljust(9, "0"))).SerializeToString() if match else None


def parse(text: str) -> tuple[int, int]:
    """Seconds since 1970 and nanoseconds. Raises ValueError where it is no time of the years 1 to 9999."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    seconds, rest = divmod(time - _EPOCH, _SECOND)
    if not -62_135_596_800 <= seconds <= 253_402_300_799:
        raise ValueError("not within the years 1 to 9999")
    if not (fraction := _FRACTION.search(text)):
        return seconds, 0
    # datetime takes any number of digits, and drops what is below a microsecond.
    digits = fraction[1]
    nanos = int(digits.ljust(9, "0")) if 1 <= len(digits) <= 9 else -1
    if nanos // 1000 != rest.microseconds:
        raise ValueError("no fraction of a second of 1 to 9 digits")
    return seconds, nanos

"""Times as senders write them: ISO 8601 with any offset and up to 9 fraction digits; without a zone, UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_1970 = b"\x08\x00"
"""`seconds: 0`, written out."""
_FRACTION = re.compile(r"[.,]([0-9]*)")


def encoded(text: str) -> bytes:
    """A time as a Timestamp goes over the wire, which is never empty. Raises ValueError as `parse` does."""
    # What most senders write: 0.5 µs, where the long way takes 2.
    if len(text) == 24 and text[23] == "Z" and text[19] == "." and text[10] == "T" and text[4] == text[7] == "-":
        millis = text[20:23]
        if text[13] == text[16] == ":" and millis.isascii() and millis.isdecimal():
            return _whole_seconds(text[:19]) + _millis(millis) or _1970
    seconds, nanos = parse(text)
    return Timestamp(seconds=seconds, nanos=nanos).SerializeToString() or _1970


@lru_cache(4096)
def _whole_seconds(text: str) -> bytes:
    return Timestamp(seconds=parse(text)[0]).SerializeToString()


@lru_cache(1000)
def _millis(text: str) -> bytes:
    return Timestamp(nanos=int(text) * 1_000_000).SerializeToString()


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

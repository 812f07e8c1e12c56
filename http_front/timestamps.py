"""Times as senders write them: the forms of ISO 8601 that mean one instant. A time without a zone is UTC."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache

from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = date(1970, 1, 1).toordinal()
_FIRST, _LAST = -62_135_596_800, 253_402_300_799
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d|\d{8}|\d{4}-?\d{3}|\d{4}-?W\d\d(?:-?\d)?)"
    r"(?:[Tt ]([01]\d|2[0-4])(?::?([0-5]\d)(?::?([0-5]\d|60)(?:[.,](\d++))?)?)?"
    r"(?:[Zz]|([+-])([01]\d|2[0-3])(?::?([0-5]\d)(?::?([0-5]\d))?)?)?)?",
    re.ASCII,
)
_ORDINAL = re.compile(r"(\d{4})-?(\d{3})", re.ASCII)
_WHOLE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_REST = re.compile(r"(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_NUMBER = re.compile(r"\d{1,20}(?:\.\d{1,20})?(?:[eE]\+?\d{1,2})?", re.ASCII)
_UNITS = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}


def encoded(text: str) -> bytes:
    """A time as an encoded Timestamp. Raises ValueError and OverflowError as `parse` does."""
    # Seconds repeat, and so do milliseconds: both halves are cached. A longer text is not worth the memory.
    if len(text) <= 35 and (rest := _rest(text[19:])) and (whole := _whole(text[:19] + rest[1])):
        return whole + rest[0]
    return _encode(*parse(text))


@lru_cache(4096)
def _whole(text: str) -> bytes | None:
    """The seconds of a Timestamp, encoded. None for a form other than `2015-11-10T00:45:23+01:00`."""
    return _encode(parse(text)[0], 0) if _WHOLE.fullmatch(text) else None


@lru_cache(4096)
def _rest(text: str) -> tuple[bytes, str] | None:
    """The nanos of a Timestamp, encoded, and the zone. None for a form other than `.123+01:00`."""
    match = _REST.fullmatch(text)
    return (_encode(0, int((match[1] or "").ljust(9, "0"))), match[2] or "") if match else None


def _encode(seconds: int, nanos: int) -> bytes:
    return Timestamp(seconds=seconds, nanos=nanos).SerializeToString()


def parse(text: str) -> tuple[int, int]:
    """Seconds since 1970 and nanoseconds. A leap second is the first of the next minute; digits past 9 are cut.

    Raises ValueError and OverflowError where the text is no time of the years 1 to 9999.
    """
    if not (match := _TIME.fullmatch(text)):
        raise ValueError("not a form of ISO 8601")
    day, hour, minute, second, fraction, sign, *offset = match.groups("0")
    time = _seconds(hour, minute, second)
    if time > 86_400:
        raise ValueError("past 24:00:00")
    east = -_seconds(*offset) if sign == "-" else _seconds(*offset)
    seconds = _days(day) * 86_400 + time - east
    if not _FIRST <= seconds <= _LAST:
        raise ValueError("not within the years 1 to 9999")
    return seconds, int(fraction[:9].ljust(9, "0"))


def _seconds(hours: str, minutes: str, seconds: str) -> int:
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


@lru_cache(1024)
def _days(text: str) -> int:
    """Days since 1970 of a calendar date, a week date or an ordinal date."""
    if not (ordinal := _ORDINAL.fullmatch(text)):
        return date.fromisoformat(text).toordinal() - _EPOCH
    year = int(ordinal[1])
    day = date(year, 1, 1) + timedelta(int(ordinal[2]) - 1)
    if day.year != year:
        raise ValueError("no day of that year")
    return day.toordinal() - _EPOCH


def complaint(name: str, value: str) -> str:
    """A sentence on a member that is no time. `value` is its string or its number in JSON."""
    if _NUMBER.fullmatch(value):
        for unit, scale in _UNITS.items():
            if 1e8 <= float(value) / scale < 5e9:  # 1973 to 2128
                return f"{name} looks like an epoch in {unit}, but must be an ISO 8601 time"
    return f"{name} must be an ISO 8601 time"

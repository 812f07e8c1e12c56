"""Times as senders write them: ISO 8601 with any offset and up to 9 fraction digits; without a zone, UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_FRACTION = re.compile(r"[.,](\d+)")


def parse(text: str) -> tuple[int, int]:
    """Seconds since 1970 and nanoseconds. Raises ValueError where it is no time of the years 1 to 9999."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    seconds, rest = divmod(time - _EPOCH, _SECOND)
    if not -62_135_596_800 <= seconds <= 253_402_300_799:
        raise ValueError("not within the years 1 to 9999")
    nanos = rest.microseconds * 1000
    # datetime drops what is below a microsecond.
    if len(text) > 26 and (fraction := _FRACTION.search(text)) and len(fraction[1]) > 6:
        if len(fraction[1]) > 9:
            raise ValueError("more than 9 fraction digits")
        nanos += int(fraction[1][6:].ljust(3, "0"))
    return seconds, nanos

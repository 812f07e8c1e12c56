"""Raw HTTP requests that `load.lua` sends in turn, again and again, with new messageIds and times each time.

Some bytes of a request are marks. `load.lua` replaces NUMBER by the next number, in 12 digits, and the other two by a
time to the second, in 19 characters. None of them can occur in HTTP heads or JSON.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

NUMBER, EARLIER, NOW = "\x01", "\x02", "\x03"
_DIGITS = 12
_WIDTHS = {NUMBER: _DIGITS, EARLIER: 19, NOW: 19}


def unescaped(json_text: str) -> str:
    """JSON in which the marks stand as themselves, as they could not in what is sent."""
    for mark in _WIDTHS:
        json_text = json_text.replace(f"\\u{ord(mark):04x}", mark)
    return json_text


class Request(NamedTuple):
    text: bytes
    events: int


def size(text: bytes) -> int:
    """The bytes of a text once its marks are replaced."""
    return len(text) + sum((width - 1) * text.count(mark.encode()) for mark, width in _WIDTHS.items())


def post(path: str, headers: Iterable[tuple[str, str]], body: bytes, events: int) -> Request:
    """A request. Its header Content-Length, if it has one, is corrected."""
    lines = [f"POST {path} HTTP/1.1"]
    for name, value in headers:
        lines.append(f"{name}: {size(body) if name.lower() == 'content-length' else value}")
    return Request("\r\n".join([*lines, "", ""]).encode() + body, events)


class Requests:
    """A cycle of requests, and which of its events are which."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self.requests = requests
        self._numbers = [0, *itertools.accumulate(request.text.count(NUMBER.encode()) for request in requests)]
        self._events = [0, *itertools.accumulate(request.events for request in requests)]

    def write(self, file: Path) -> None:
        """Write them as `load.lua` reads them: each behind its length, of 4 bytes, little-endian."""
        with file.open("wb") as output:
            for text, _ in self.requests:
                output.write(len(text).to_bytes(4, "little") + text)

    def events(self, first: int, count: int) -> int:
        """How many events so many requests have, of which the first is the `first`, from 0."""
        return self._events_before(first + count) - self._events_before(first)

    def _events_before(self, index: int) -> int:
        cycles, rest = divmod(index, len(self.requests))
        return cycles * self._events[-1] + self._events[rest]

    def stored(self, message_ids: Iterable[str]) -> tuple[int, int]:
        """How many requests are stored whole, each event once, and of how many an event is stored more than once."""
        found = Counter(self._index(int(message_id[-_DIGITS:])) for message_id in message_ids)
        surplus = [count - self.requests[index % len(self.requests)].events for index, count in found.items()]
        return surplus.count(0), sum(count > 0 for count in surplus)

    def _index(self, number: int) -> int:
        """Which request had a number, from 0: numbers are given out from 1."""
        cycles, rest = divmod(number - 1, self._numbers[-1])
        return cycles * len(self.requests) + bisect_right(self._numbers, rest) - 1

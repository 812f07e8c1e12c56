"""Where a request's body ends."""

from __future__ import annotations

import re

from sanic.exceptions import BadRequest

from http1.request_head import RequestHead

_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?")
_CHUNK_LINE_BYTES = 256  # the size of a chunk with its extensions
_TRAILER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\x00-\x08\x0a-\x1f\x7f]*")
_TRAILER_BYTES = 8_192  # all lines together
_LINES_A_TURN = 1_000  # a body of tiny chunks must not hold the event loop


class LengthFraming:
    """A body whose length the head says."""

    def __init__(self, length: int) -> None:
        self._left = length
        self.complete = not length

    def take(self, received: bytes, start: int) -> tuple[bytes, int]:
        """The body's bytes in `received` from `start` on, and where they end."""
        part = received[start : start + self._left]
        self._left -= len(part)
        self.complete = not self._left
        return part, start + len(part)


class ChunkedFraming:
    """A body in chunks. The forms on which servers differ end in BadRequest. Trailers are dropped."""

    def __init__(self) -> None:
        self.complete = False
        self._left = 0
        self._after_chunk = False
        self._in_trailers = False
        self._trailer_bytes = 0

    def take(self, received: bytes, start: int) -> tuple[bytes, int]:
        """As of LengthFraming. Raises BadRequest."""
        parts: list[bytes] = []
        for _ in range(_LINES_A_TURN):
            if self._left:
                part = received[start : start + self._left]
                parts.append(part)
                start += len(part)
                self._left -= len(part)
                if self._left:
                    break
                self._after_chunk = True
            limit = _TRAILER_BYTES if self._in_trailers else _CHUNK_LINE_BYTES
            end = received.find(b"\r\n", start, start + limit)
            if end < 0:
                if len(received) - start >= limit:
                    raise BadRequest("Bad chunked encoding")
                break
            self._read_line(received[start:end])
            start = end + 2
            if self.complete:
                break
        return b"".join(parts), start

    def _read_line(self, line: bytes) -> None:
        if self._after_chunk:
            well_formed = not line
            self._after_chunk = False
        elif self._in_trailers:
            self._trailer_bytes += len(line)
            self.complete = not line
            well_formed = self.complete or (self._trailer_bytes <= _TRAILER_BYTES and _TRAILER.fullmatch(line))
        else:
            well_formed = _CHUNK_SIZE.fullmatch(line)
            self._left = int(well_formed[1], 16) if well_formed else 0
            self._in_trailers = not self._left
        if not well_formed:
            raise BadRequest("Bad chunked encoding")


Framing = LengthFraming | ChunkedFraming


def framing_of(head: RequestHead) -> Framing | None:
    """None where the request has no body."""
    if head.chunked:
        return ChunkedFraming()
    return LengthFraming(head.content_length) if head.content_length else None

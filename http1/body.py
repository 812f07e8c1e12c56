"""A request's body: where it ends, and its content, which is bounded while it arrives and while it inflates."""

from __future__ import annotations

import re
import zlib

from sanic.exceptions import BadRequest, SanicException

from http1.request_head import RequestHead

_GZIP = 31  # zlib's window bits for gzip
_GZIP_GROWTH = 2  # what does not compress grows a little, and empty members need not end
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?")
_CHUNK_LINE_BYTES = 256  # the size of a chunk with its extensions
_TRAILER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\x00-\x08\x0a-\x1f\x7f]*")
_TRAILER_BYTES = 8_192  # all lines together
_LINES_A_TURN = 1_000  # a body of tiny chunks must not hold the event loop


class TooLarge(Exception):
    """The content has more bytes than it may. The message says how many."""


class Malformed(Exception):
    """The content is not what its Content-Encoding says. The message says why."""


class UnsupportedMediaType(SanicException):
    """The Content-Encoding is not read here."""

    status_code = 415
    headers = {"Accept-Encoding": "gzip"}  # noqa: RUF012 - the type is SanicException's
    quiet = True


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


class Content:
    """The decompressed content of a body, at most `limit` bytes."""

    def __init__(self, head: RequestHead, limit: int) -> None:
        """Raises UnsupportedMediaType; and TooLarge where the head says a length over the limit."""
        encoding = _encoding(head)
        self._limit = limit
        self._inflate = _Inflate(limit) if encoding else None
        self._received_limit = limit * _GZIP_GROWTH if encoding else limit
        self._received = 0
        self._parts: list[bytes] = []
        if head.content_length > self._received_limit:
            raise _too_large(limit, head.content_length)

    def add(self, part: bytes) -> None:
        """Raises TooLarge and Malformed."""
        self._received += len(part)
        if self._received > self._received_limit:
            raise _too_large(self._limit)
        self._parts.append(self._inflate.inflate(part) if self._inflate else part)

    def whole(self) -> bytes:
        """Raises Malformed where compressed content ends too early."""
        if self._inflate and self._received:
            self._inflate.check_end()
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)


class _Inflate:
    """Inflates gzip members one after another, to one byte past the limit at most."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left = limit + 1
        self._inflater = zlib.decompressobj(_GZIP)

    def inflate(self, compressed: bytes) -> bytes:
        parts: list[bytes] = []
        while compressed:
            if self._inflater.eof:
                self._inflater = zlib.decompressobj(_GZIP)
            try:
                part = self._inflater.decompress(compressed, self._left)
            except zlib.error:
                raise Malformed("not gzip") from None
            parts.append(part)
            self._left -= len(part)
            if not self._left:
                raise _too_large(self._limit)
            compressed = self._inflater.unconsumed_tail or self._inflater.unused_data
        return b"".join(parts)

    def check_end(self) -> None:
        if not self._inflater.eof:
            raise Malformed("gzip that ends too early")


def _encoding(head: RequestHead) -> str:
    """`gzip`, or nothing where the body is not compressed. Raises UnsupportedMediaType."""
    if b"content-encoding" not in head.headers:
        return ""
    encoding = head.header(b"content-encoding").lower()
    if encoding in ("gzip", "x-gzip"):
        return "gzip"
    if encoding in ("", "identity"):
        return ""
    raise UnsupportedMediaType(f"Content-Encoding {encoding[:40]!r} is not supported, gzip is")


def _too_large(limit: int, size: int = 0) -> TooLarge:
    """`size` is the body's, where the head says it."""
    has = str(size) if size else f"more than {limit}"
    return TooLarge(f"the body has {has} bytes, {limit} are allowed")

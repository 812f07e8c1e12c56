"""Reading a request's body: bounded while it arrives, decompressed as it comes, and decoded as JSON text."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import AsyncIterator
from typing import cast

from sanic import Request
from sanic.exceptions import BadRequest, RequestTimeout, SanicException
from sanic.http import Http
from trackside.v1 import collector_service_pb2 as proto

from http_front.refusals import Refused

_ENCODINGS = frozenset(["", "identity", "gzip", "x-gzip"])
_GZIP = 31  # zlib's window bits for gzip

# What Sanic accepts and other servers read differently, so that two of them would see different requests.
_SMUGGLING = re.compile(
    rb"""
      (?<!\r)\n            # a line that ends in LF alone
    | \r(?!\n)
    | \r\n[ \t]            # a folded header
    | \r\n[^:\r]*[ \t]:    # white space before a colon
    | [\x00\x0b\x0c]
    | \r\n(?i:content-length):[ \t]*+(?![0-9]+[ \t]*(?:\r|\Z))
    | \r\n(?i:transfer-encoding):[ \t]*+(?!(?i:chunked)[ \t]*(?:\r|\Z))
    """,
    re.VERBOSE,
)


class UnsupportedMediaType(SanicException):
    """A Content-Encoding that is not read here."""

    status_code = 415
    quiet = True


def check_head(request: Request) -> None:
    """Raise BadRequest, and end the connection, where a request's head can be read in two ways."""
    if _SMUGGLING.search(request.head):
        _end_connection(request)
        raise BadRequest("Malformed request head")


def header(request: Request, name: str) -> str | None:
    """A header's value. Sanic's headers are not typed."""
    return cast("str | None", request.headers.get(name))


async def read(request: Request, limit: int, seconds: float) -> str:
    """The decompressed body as text, without a byte-order mark.

    Raises Refused where it is over `limit` bytes or not what its encoding says, RequestTimeout where it takes longer
    than `seconds` to arrive, UnsupportedMediaType.
    """
    encoding = (header(request, "content-encoding") or "").strip().lower()
    if encoding not in _ENCODINGS:
        raise UnsupportedMediaType(f"Content-Encoding {encoding[:40]!r} is not supported, gzip is")
    try:
        async with asyncio.timeout(seconds):
            chunks = _chunks(request, limit)
            body = await (_inflated(chunks, limit) if encoding.endswith("gzip") else _joined(chunks))
            if len(body) > limit:
                raise Refused(proto.REASON_REQUEST_TOO_LARGE, "", f"over {limit} bytes")
    except TimeoutError:
        _end_connection(request)
        raise RequestTimeout("The request's body took too long to arrive") from None
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(proto.REASON_MALFORMED_JSON, "", f"not UTF-8 at byte {error.start}") from None


async def _chunks(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body's parts as they arrive, until they come to more than the limit."""
    received = 0
    stream = _stream(request)
    while stream.request_body and received <= limit:
        if chunk := await stream.read():
            received += len(chunk)
            yield chunk


async def _joined(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


async def _inflated(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    """What gzip members inflate to, stopped one byte past the limit."""
    parts: list[bytes] = []
    left = limit + 1
    inflater = zlib.decompressobj(_GZIP)
    async for chunk in chunks:
        while chunk and left:
            if inflater.eof:
                inflater = zlib.decompressobj(_GZIP)
            try:
                part = inflater.decompress(chunk, left)
            except zlib.error:
                raise Refused(proto.REASON_MALFORMED_ENCODING, "Content-Encoding", "not gzip") from None
            parts.append(part)
            left -= len(part)
            chunk = inflater.unconsumed_tail or inflater.unused_data
    if left and parts and not inflater.eof:
        raise Refused(proto.REASON_MALFORMED_ENCODING, "Content-Encoding", "gzip that ends too early")
    return b"".join(parts)


def _stream(request: Request) -> Http:
    return cast("Http", request.stream)


def _end_connection(request: Request) -> None:
    """Answer, but read nothing more: what follows may not be where it seems to be."""
    stream = _stream(request)
    stream.keep_alive = False
    stream.request_body = None

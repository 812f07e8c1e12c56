"""Reading a request's body: bounded while it arrives, and decompressed as it comes."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from typing import cast

from sanic import Request
from sanic.exceptions import RequestTimeout, SanicException
from sanic.http import Http
from trackside.v1 import collector_service_pb2 as proto

from http_front.head import header
from http_front.refusals import Refused

_ENCODINGS = frozenset(["", "identity", "gzip", "x-gzip"])
_GZIP = 31  # zlib's window bits for gzip
_GZIP_GROWTH = 2  # what does not compress grows a little, and empty members need not end


class UnsupportedMediaType(SanicException):
    """A Content-Encoding that is not read here."""

    status_code = 415
    headers = {"Accept-Encoding": "gzip"}  # noqa: RUF012 - the type is SanicException's
    quiet = True


async def read(request: Request, limit: int, seconds: float) -> bytes:
    """The decompressed body.

    Raises Refused where it is over `limit` bytes or not what its encoding says, RequestTimeout where it takes longer
    than `seconds` to arrive, UnsupportedMediaType.
    """
    encoding = (header(request, "content-encoding") or "").strip().lower()
    if encoding not in _ENCODINGS:
        raise UnsupportedMediaType(f"Content-Encoding {encoding[:40]!r} is not supported, gzip is")
    try:
        async with asyncio.timeout(seconds):
            if encoding.endswith("gzip"):
                body = await _inflated(_chunks(request, limit * _GZIP_GROWTH), limit)
            else:
                body = b"".join([chunk async for chunk in _chunks(request, limit)])
    except TimeoutError:
        _end_connection(request)
        raise RequestTimeout("The request's body took too long to arrive") from None
    return body


async def _chunks(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body's parts as they arrive. Raises Refused where they come to more than the limit."""
    received = 0
    stream = _stream(request)
    if (stream.request_bytes_left or 0) > limit:  # it says so itself
        raise _too_large(limit)
    while stream.request_body:
        if chunk := await stream.read():
            received += len(chunk)
            if received > limit:
                raise _too_large(limit)
            yield chunk


async def _inflated(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    """What gzip members inflate to. Raises Refused one byte past the limit."""
    parts: list[bytes] = []
    left = limit + 1
    inflater = zlib.decompressobj(_GZIP)
    async for chunk in chunks:
        while chunk:
            if inflater.eof:
                inflater = zlib.decompressobj(_GZIP)
            try:
                part = inflater.decompress(chunk, left)
            except zlib.error:
                raise Refused(proto.REASON_MALFORMED_ENCODING, "Content-Encoding", "not gzip") from None
            parts.append(part)
            left -= len(part)
            if not left:
                raise _too_large(limit)
            chunk = inflater.unconsumed_tail or inflater.unused_data
    if parts and not inflater.eof:
        raise Refused(proto.REASON_MALFORMED_ENCODING, "Content-Encoding", "gzip that ends too early")
    return b"".join(parts)


def _too_large(limit: int) -> Refused:
    return Refused(proto.REASON_REQUEST_TOO_LARGE, "", f"HTTP request too large: over {limit} bytes")


def _stream(request: Request) -> Http:
    return cast("Http", request.stream)


def _end_connection(request: Request) -> None:
    """Answer, but read nothing more: what follows may not be where it seems to be."""
    stream = _stream(request)
    stream.keep_alive = False
    stream.request_body = None

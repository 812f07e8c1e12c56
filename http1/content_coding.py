"""The content codings that are read: gzip, deflate, br and zstd. They are decoded in short steps, within a limit."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Generator
from typing import Any, NamedTuple, Protocol

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

STEP_BYTES = 4_096
"""Encoded bytes that are decoded at a time: hostile ones take long."""
_OUTPUT_BYTES = 65_536
"""Decoded bytes of one step."""
_STREAMS = 1_000
"""gzip's members and Zstandard's frames, of which empty ones need not end."""
_GZIP, _ZLIB, _RAW = 31, 15, -15  # zlib's window bits
_ZSTD_OPTIONS = {int(zstd.DecompressionParameter.window_log_max): 23}  # 8 MB, as RFC 9659 says
_BROTLI: Any = brotli  # it ships no types
_ERRORS: tuple[type[Exception], ...] = (zlib.error, _BROTLI.error, zstd.ZstdError)


class TooLarge(Exception):
    """The content has more bytes than it may. The message says how many."""


class Malformed(Exception):
    """The content is not what its Content-Encoding says. The message says why."""


class _Stream(Protocol):
    """A stream that is decoded, as bz2, lzma and zstd in Python's library have it."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool:
        """False while there may be more output without more input."""
        ...

    @property
    def unused_data(self) -> bytes:
        """The input behind the stream's end."""
        ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Zlib:
    """A zlib, gzip or raw deflate stream as a _Stream."""

    def __init__(self, window_bits: int) -> None:
        self._stream = zlib.decompressobj(window_bits)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        output = self._stream.decompress(self._stream.unconsumed_tail + data, max_length)
        self.needs_input = len(output) < max_length
        return output


class _Brotli:
    """A Brotli stream as a _Stream. Input behind its end is an error."""

    unused_data = b""

    def __init__(self) -> None:
        self._stream = _BROTLI.Decompressor()
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._stream.is_finished()

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """The output may have 64 KB more than `max_length`."""
        output: bytes = self._stream.process(data, output_buffer_limit=max_length)
        self.needs_input = self._stream.can_accept_more_data() and len(output) < max_length
        return output


def _deflate(data: bytes) -> _Stream:
    """Some senders leave out zlib's header. No encoder of raw deflate begins with bytes that are one."""
    is_zlib = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
    return _Zlib(_ZLIB if is_zlib else _RAW)


class _Coding(NamedTuple):
    open: Callable[[bytes], _Stream]
    """Makes the stream that begins with these bytes."""
    streams: int = 1
    """How many streams there may be, one after another."""


def _gzip(_: bytes) -> _Stream:
    return _Zlib(_GZIP)


def _br(_: bytes) -> _Stream:
    return _Brotli()


def _zstd(_: bytes) -> _Stream:
    return zstd.ZstdDecompressor(options=_ZSTD_OPTIONS)


_CODINGS = {
    "gzip": _Coding(_gzip, _STREAMS),
    "deflate": _Coding(_deflate),
    "br": _Coding(_br),
    "zstd": _Coding(_zstd, _STREAMS),
}
NAMES = tuple(_CODINGS)
ALIASES = {"x-gzip": "gzip"}


def decode(name: str, encoded: bytes, limit: int) -> Generator[None, None, bytes]:
    """Decode step by step, and return what was decoded: at most `limit` bytes. Raises TooLarge and Malformed."""
    coding, parts = _CODINGS[name], list[bytes]()
    left, streams = limit, 0
    stream: _Stream | None = None
    for start in range(0, len(encoded), STEP_BYTES):
        data = encoded[start : start + STEP_BYTES]
        while data or (stream and not stream.eof and not stream.needs_input):
            if stream is None or stream.eof:
                streams += 1
                if streams > coding.streams:
                    raise Malformed(f"more behind the end of {name}")
                stream = coding.open(data)
            try:
                part = stream.decompress(data, max_length=min(_OUTPUT_BYTES, left + 1))
            except _ERRORS:
                raise Malformed(f"not {name}") from None
            parts.append(part)
            left -= len(part)
            if left < 0:
                raise TooLarge(f"the body has more than {limit} bytes, {limit} are allowed")
            data = stream.unused_data
            yield
    if stream and not stream.eof:
        raise Malformed(f"{name} that ends too early")
    return b"".join(parts)

"""As much of HTTP/2 as a caller needs that does what no gRPC library would."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from types import TracebackType

from tests.cli.serving import PATIENCE

_DATA, _HEADERS, _SETTINGS, _PING, _GOAWAY = 0, 1, 4, 6, 7
_END_STREAM, _END_HEADERS = 1, 4
NO_ERROR, ENHANCE_YOUR_CALM = 0, 11


class Connection:
    """A connection to a gRPC port, and one call on it."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), PATIENCE)
        self._read = self._socket.makefile("rb")
        self._socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self._send(_SETTINGS, 0, 0)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._read.close()
        self._socket.close()

    def call(self, method: str, message: bytes, *, encoding: str) -> bytes:
        """Call a method with a message as it stands, said to be compressed; the block of headers that ends the call.

        The message is within the 64 KB that may be sent before the peer allows more.
        """
        headers = {
            ":method": "POST",
            ":scheme": "http",
            ":path": method,
            ":authority": "localhost",
            "content-type": "application/grpc",
            "te": "trailers",
            "grpc-encoding": encoding,
        }
        block = b"".join([b"\0" + _text(name) + _text(value) for name, value in headers.items()])
        self._send(_HEADERS, _END_HEADERS, 1, block)
        body = struct.pack(">BI", 1, len(message)) + message
        parts = [body[at : at + 16_384] for at in range(0, len(body), 16_384)]
        for number, part in enumerate(parts, 1):
            self._send(_DATA, _END_STREAM if number == len(parts) else 0, 1, part)
        return next(content for kind, flags, _, content in self._frames() if kind == _HEADERS and flags & _END_STREAM)

    def ping(self, times: int = 1) -> None:
        """Ping so many times at once."""
        self._socket.sendall(_frame(_PING, 0, 0, bytes(8)) * times)

    def pong(self) -> bool:
        """Wait for the answer to a ping."""
        return any(kind == _PING for kind, _, _, _ in self._frames())

    def farewell(self) -> int:
        """Wait until the peer ends the connection; the reason, an HTTP/2 error code."""
        content = next(content for kind, _, _, content in self._frames() if kind == _GOAWAY)
        return int.from_bytes(content[4:8], "big")

    def _send(self, kind: int, flags: int, stream: int, content: bytes = b"") -> None:
        self._socket.sendall(_frame(kind, flags, stream, content))

    def _frames(self) -> Iterator[tuple[int, int, int, bytes]]:
        while head := self._read.read(9):
            kind, flags, stream = struct.unpack(">BBI", head[3:])
            yield kind, flags, stream, self._read.read(int.from_bytes(head[:3], "big"))


def _frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    return struct.pack(">I", len(content))[1:] + struct.pack(">BBI", kind, flags, stream) + content


def _text(text: str) -> bytes:
    """As HPACK writes it: its length, below 127, and its bytes."""
    return bytes([len(text)]) + text.encode()

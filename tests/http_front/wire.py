"""HTTP as bytes on a socket, for what a proper client cannot send."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tests.running import KEY, basic

AUTHORIZATION = f"Authorization: {basic(KEY)['Authorization']}"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    """With lower-case names."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    """A connection."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=5)
        self._file = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, *, body: bool = True) -> Answer:
        """The next answer; its body is read as far as Content-Length says, unless it has none as to a HEAD."""
        _, status, _ = self._file.readline().split(b" ", 2)
        headers: dict[str, str] = {}
        while line := self._file.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", "0")) if body else 0
        return Answer(int(status), headers, self._file.read(length))

    def ended(self) -> bool:
        """Whether the server closes the connection, and says nothing more before."""
        try:
            return self._file.read(1) == b""
        except ConnectionResetError:
            return True

    def reset(self) -> None:
        """Go away without a word."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        self._file.close()
        self.socket.close()


@contextmanager
def connected(address: tuple[str, int]) -> Generator[Wire]:
    wire = Wire(address)
    try:
        yield wire
    finally:
        wire.close()


def flood(wire: Wire, data: bytes, most: int) -> None:
    """Send data again and again, to so many bytes. Raises TimeoutError where the server takes no more."""
    sent = 0
    while sent < most:
        sent += wire.socket.send(data[sent % len(data) :])


def request(path: str, body: bytes = b"", *headers: str, method: str = "POST") -> bytes:
    """A request with the tests' key and its Content-Length, if it has a body."""
    length = [f"Content-Length: {len(body)}"] if body else []
    return head(path, *length, *headers, method=method) + body


def head(path: str, *headers: str, method: str = "POST") -> bytes:
    """A request's head with the tests' key."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", AUTHORIZATION, *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def chunked(*chunks: bytes) -> bytes:
    """A body in chunks, to its end."""
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


def page(message_id: str, **members: Any) -> bytes:
    """An event's JSON."""
    return json.dumps({"messageId": message_id, "userId": "u", **members}).encode()

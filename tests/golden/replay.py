"""Sends recorded requests of real SDKs again, byte for byte, and tells what came of them.

python -m tests.golden.replay     writes what comes of them now to replayed/, to be looked at with git diff
"""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypedDict

from tests.running import Clock, Running, collector

HERE = Path(__file__).parent
CAPTURES = sorted(HERE.glob("captures/*.json"))


class Request(TypedDict):
    """A recorded request."""

    time: float
    """When it came, in seconds since 1970: the collector's clock stands there when it is sent again."""
    method: str
    path: str
    headers: list[tuple[str, str]]
    """In the order and the spelling in which they came."""
    body_base64: str
    """As it was on the wire: compressed, and in chunks, where it was."""


def golden(capture: Path) -> Path:
    """The file that says what comes of a file of recorded requests."""
    return HERE / "replayed" / f"{capture.stem}.txt"


def replay(capture: Path, running: Running) -> str:
    """Send each request; for each one its line, its answer, and the records that are new in the queue, as text."""
    requests: list[Request] = json.loads(capture.read_text())
    return "".join(line for request in requests for line in _replay(request, running))


def _replay(request: Request, running: Running) -> Iterator[str]:
    running.clock.now = int(request["time"] * 1000) * 1_000_000
    status, body = _send(request, running.http_address)
    yield f"{request['method']} {request['path']}\n{status} {body}\n"
    for record in running.lines():
        yield record.decode() + "\n"
    yield "\n"


def _send(request: Request, address: tuple[str, int]) -> tuple[str, str]:
    """The status and the body of the answer."""
    lines = [
        f"{request['method']} {request['path']} HTTP/1.1",
        *(f"{name}: {value}" for name, value in request["headers"]),
    ]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(head + base64.b64decode(request["body_base64"]))
        answer = connection.makefile("rb")
        status = answer.readline().split()[1].decode()
        length = 0
        while (line := answer.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return status, answer.read(length).decode()


def main() -> None:
    for capture in CAPTURES:
        with TemporaryDirectory() as directory, collector(Path(directory), Clock()) as running:
            golden(capture).write_text(replay(capture, running))


if __name__ == "__main__":
    main()

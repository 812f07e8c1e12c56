"""A recording reverse proxy that can be unkind: it stands between an SDK and the real server.

Bytes pass unchanged both ways. Faults meet the next POSTs, one each; a browser's preflights and GETs always pass.
"""

import asyncio
import gzip
import json
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

Fault = Literal["busy", "cut"]
"""busy: 503 with Retry-After, the server never sees the request. cut: the server answers, the client never sees it."""

RETRY_AFTER_SECONDS = 1
HEAD_LIMIT = 64 * 1024
BUSY_BODY = json.dumps(
    {"Error": "Service Unavailable", "Message": "busy", "Details": "", "code": "service_unavailable", "message": "busy"}
).encode()


@dataclass(frozen=True)
class Message:
    """One request or response: the bytes as they came, and what they say."""

    raw: bytes
    start: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")


@dataclass
class Exchange:
    """A request, and the status that the client saw: None while it waits, and for ever when it was cut off."""

    request: Message
    time: float
    """When it came, in seconds since 1970."""
    status: int | None = None
    fault: Fault | None = None
    response: Message | None = None

    @property
    def method(self) -> str:
        return self.request.start.split(" ")[0]

    @property
    def target(self) -> str:
        return self.request.start.split(" ")[1]

    @property
    def text(self) -> str:
        """The body, inflated."""
        body = self.request.body
        return (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode()

    def json(self) -> Any:
        return json.loads(self.text)


async def read_message(reader: asyncio.StreamReader, *, answers: str = "") -> Message | None:
    """The next message; None when the peer has closed. `answers` is the method that a response answers."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    start, *lines = head[:-4].decode("latin-1").split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    message = Message(head, start, headers, b"")
    bodiless = answers == "HEAD" or (answers and start.split(" ")[1] in ("204", "304"))
    if message.header("transfer-encoding").lower() == "chunked":
        raw, body = await read_chunks(reader)
    elif bodiless:
        raw = body = b""
    else:
        raw = body = await reader.readexactly(int(message.header("content-length") or 0))
    return Message(head + raw, start, headers, body)


async def read_chunks(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """A chunked body: as it came, and joined."""
    raw, body, size = b"", b"", -1
    while size:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        chunk = await reader.readexactly(size + 2)
        raw, body = raw + line + chunk, body + chunk[:size]
    return raw, body


@dataclass
class FaultProxy:
    """What went by, and what is to go wrong."""

    upstream_port: int
    port: int = 0
    exchanges: list[Exchange] = field(default_factory=list[Exchange])
    faults: deque[Fault] = field(default_factory=deque[Fault])
    clients: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at each request and each answer."""
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is clear, POSTs are served but not answered. A page's second visit, which asks for settings, sets it."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def posts(self) -> list[Exchange]:
        return [exchange for exchange in self.exchanges if exchange.method == "POST"]

    async def serve_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.clients.add(writer)
        upstream_reader, upstream_writer = await asyncio.open_connection(
            "127.0.0.1", self.upstream_port, limit=HEAD_LIMIT
        )
        try:
            while request := await read_message(reader):
                exchange = Exchange(request, time.time())
                if exchange.method == "POST" and self.faults:
                    exchange.fault = self.faults.popleft()
                self.exchanges.append(exchange)
                self.moved.set()
                if exchange.method == "GET" and sum(each.method == "GET" for each in self.exchanges) == 2:
                    self.answering.set()
                if exchange.fault == "busy":
                    answer = await self.busy_answer()
                else:
                    upstream_writer.write(request.raw)
                    exchange.response = await read_message(upstream_reader, answers=exchange.method)
                    self.moved.set()
                    if exchange.response is None or exchange.fault == "cut":
                        writer.transport.abort()
                        return
                    answer = exchange.response
                if exchange.method == "POST":
                    await self.answering.wait()
                    if reader.at_eof() or writer.is_closing():
                        return  # Whoever asked has left.
                exchange.status = int(answer.start.split(" ")[1])
                self.moved.set()
                writer.write(answer.raw)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # Either side may go away at any time; what it had sent is recorded.
        finally:
            self.clients.discard(writer)
            writer.close()
            upstream_writer.close()

    async def busy_answer(self) -> Message:
        """A 503 with the CORS headers that the server puts on its own answers."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream_port, limit=HEAD_LIMIT)
        writer.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        health = await read_message(reader, answers="GET")
        writer.close()
        assert health is not None, "the server closed the connection on GET /health"
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(BUSY_BODY))),
            ("Retry-After", str(RETRY_AFTER_SECONDS)),
            *((name, value) for name, value in health.headers if name.lower().startswith("access-control-")),
        ]
        start = "HTTP/1.1 503 Service Unavailable"
        lines = [start, *(f"{name}: {value}" for name, value in headers), "", ""]
        return Message("\r\n".join(lines).encode("latin-1") + BUSY_BODY, start, headers, BUSY_BODY)


@asynccontextmanager
async def open_proxy(upstream_port: int, *, answering: bool = True) -> AsyncGenerator[FaultProxy]:
    """A proxy on a free port, before the server on `upstream_port`."""
    proxy = FaultProxy(upstream_port)
    if answering:
        proxy.answering.set()
    server = await asyncio.start_server(proxy.serve_client, "127.0.0.1", 0, limit=HEAD_LIMIT)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for client in list(proxy.clients):
            client.transport.abort()
        await server.wait_closed()

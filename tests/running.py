"""A whole collector for tests: the real front, the real service and the real queue, with a clock that stands still."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import socket
import threading
from collections.abc import AsyncGenerator, Awaitable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import grpc
import httpx
import uvloop
from sanic import Sanic
from sanic.server.async_server import AsyncioServer
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1 import collector_service_pb2_grpc as proto_grpc

from http_front.app import build
from http_front.config import FrontConfig
from http_front.exchange import CONNECTION
from service.__main__ import running
from service.config import ServiceConfig
from service.queues import open_reader
from service.refused import refused_url

NOW = 1_700_000_000_123_000_000
NOW_TEXT = "2023-11-14T22:13:20.123Z"
KEY = "test-key"

_names = itertools.count()
Sanic.test_mode = True  # Sanic rewrites its own methods when it starts, and only so more than once in a process.


@dataclass
class Clock:
    """A clock that stands still until it is set. Nanoseconds since 1970."""

    now: int = NOW

    def __call__(self) -> int:
        return self.now


@dataclass
class Running:
    """A collector that is running."""

    http: httpx.Client
    channel: grpc.Channel
    clock: Clock
    data_dir: Path
    http_address: tuple[str, int]
    connections: set[Any]
    """The front's connections that are open."""
    _read: int = field(default=0)

    @property
    def stub(self) -> proto_grpc.CollectorServiceStub:
        return proto_grpc.CollectorServiceStub(self.channel)

    def post(self, path: str, body: Any, *, key: str | None = KEY, **request: Any) -> httpx.Response:
        """Send a JSON body (bytes and text go as they are), with the key as Basic user name."""
        content = body if isinstance(body, (bytes, str)) else json.dumps(body)
        headers = {**basic(key), **request.pop("headers", {})}
        return self.http.post(path, content=content, headers=headers, **request)

    def pixel(self, kind: str, body: Any, *, key: str | None = KEY) -> httpx.Response:
        data = base64.b64encode(body if isinstance(body, bytes) else json.dumps(body).encode()).decode()
        return self.http.get(f"/v1/pixel/{kind}", params={"data": data}, headers=basic(key))

    def lines(self) -> list[bytes]:
        """The records that were queued since this was last asked, as the queue holds them."""
        new = read_lines(f"sqlite:///{self.data_dir / 'queue.db'}")[self._read :]
        self._read += len(new)
        return new

    def queued(self) -> list[dict[str, Any]]:
        """The same, decoded."""
        return [json.loads(line) for line in self.lines()]

    def refused(self) -> list[dict[str, Any]]:
        """Every refused event that is kept."""
        return [json.loads(line) for line in read_lines(refused_url(self.data_dir))]


def basic(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Authorization": f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}"}


def read_lines(url: str) -> list[bytes]:
    async def read() -> list[bytes]:
        reader = open_reader(url)
        try:
            return [line async for line in reader.read(last=None, limit=None, follow=False)]
        finally:
            await reader.close()

    return asyncio.run(read())


@contextmanager
def collector(data_dir: Path, clock: Clock | None = None, **settings: Any) -> Generator[Running]:
    """Run a collector with these settings, its files in `data_dir`."""
    clock = clock or Clock()
    grpc_socket = data_dir / "grpc"
    listener = socket.create_server(("127.0.0.1", 0))
    service = ServiceConfig(data_dir=data_dir, grpc_port=0, grpc_socket=grpc_socket, **settings)
    front = FrontConfig(service=f"unix:{grpc_socket}", **settings)

    connections: set[Any] = set()

    @asynccontextmanager
    async def both() -> AsyncGenerator[None]:
        nonlocal connections
        async with running(service, clock), answering(front, listener) as connections:
            yield

    address: tuple[str, int] = listener.getsockname()
    base_url = f"http://127.0.0.1:{address[1]}"
    channel = grpc.insecure_channel(f"unix:{grpc_socket}")
    with in_thread(both()), httpx.Client(base_url=base_url) as http, channel:
        yield Running(http, channel, clock, data_dir, address, connections)


@contextmanager
def front_alone(service: str, **settings: Any) -> Generator[httpx.Client]:
    """Run a front whose service is, or is not, at this gRPC target."""
    listener = socket.create_server(("127.0.0.1", 0))
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    front = answering(FrontConfig(service=service, **settings), listener)
    with in_thread(front), httpx.Client(base_url=base_url) as http:
        yield http


@asynccontextmanager
async def answering(config: FrontConfig, listener: socket.socket) -> AsyncGenerator[set[Any]]:
    """Answer HTTP on a socket that was bound, while the context lasts. Gives the connections that are open."""
    app = build(config, f"trackside-{next(_names)}")
    server = await app.create_server(sock=listener, protocol=CONNECTION, access_log=False)
    assert isinstance(server, AsyncioServer)
    await server.startup()
    await server.before_start()
    await cast("Awaitable[None]", server.start_serving())
    await server.after_start()
    try:
        yield cast("set[Any]", server.connections)
    finally:
        await server.before_stop()
        server.close()
        await cast("Awaitable[None]", server.wait_closed())
        for connection in list(cast("Any", server.connections)):
            connection.close()
        await server.after_stop()


@contextmanager
def in_thread(context: AbstractAsyncContextManager[Any]) -> Generator[None]:
    """Enter an asynchronous context in an event loop of its own, and leave it at the end."""
    started, stop = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    async def run() -> None:
        async with context:
            started.set()
            await asyncio.to_thread(stop.wait)

    def thread() -> None:
        try:
            uvloop.run(run())
        except BaseException as failure:
            failures.append(failure)
        finally:
            started.set()

    runner = threading.Thread(target=thread, daemon=True)
    runner.start()
    try:
        assert started.wait(20)
        if not failures:
            yield
    finally:
        stop.set()
        runner.join(20)
    if failures:
        raise failures[0]


def collect(running: Running, entries: Sequence[proto.Entry], **delivery: Any) -> proto.CollectBatchResponse:
    """Call CollectBatch with one delivery."""
    request = proto.CollectBatchRequest(entries=entries, deliveries=[proto.Delivery(**delivery)])
    return cast("proto.CollectBatchResponse", running.stub.CollectBatch(request))

"""Runs the service alone: in a thread where a test only calls it, as a process where it is stopped or killed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1 import collector_service_pb2_grpc as proto_grpc
from trackside.v1.event_pb2 import Event, Track

from service.__main__ import running
from service.config import ServiceConfig
from tests.cli.serving import PATIENCE, environment
from tests.running import KEY, Clock, in_thread, read_lines

ALONE = ("grpc.use_local_subchannel_pool", 1)
"""Makes a channel that shares no connection with another to the same address."""
QUICKLY = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 100)]


def free_port() -> int:
    """A port that nothing else takes meanwhile: those that the system gives out begin at 32768."""
    while True:
        port = random.randrange(10_000, 32_768)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def event(message_id: str, **fields: Any) -> Event:
    return Event(message_id=message_id, user_id="user", track=Track(event="Hello"), **fields)


def request(message_id: str, *, key: str = KEY) -> proto.CollectRequest:
    return proto.CollectRequest(event=event(message_id), delivery=proto.Delivery(write_key=key))


def collect(channel: grpc.Channel, message_id: str, **call: Any) -> proto.Outcome:
    """Send one event; its outcome. Raises grpc.RpcError."""
    call = {"timeout": PATIENCE} | call
    stub: Any = proto_grpc.CollectorServiceStub(channel)
    return stub.Collect(request(message_id), **call).outcome


def health(channel: grpc.Channel, name: str = "", **call: Any) -> int:
    """What the health service says. Raises grpc.RpcError."""
    stub: Any = health_pb2_grpc.HealthStub(channel)
    call = {"timeout": PATIENCE} | call
    return stub.Check(health_pb2.HealthCheckRequest(service=name), **call).status


def failure(call: Any) -> grpc.RpcError:
    """How a call fails that must."""
    try:
        answer = call()
    except grpc.RpcError as error:
        return error
    raise AssertionError(f"it did not fail: {answer}")


def code(call: Any) -> grpc.StatusCode:
    error: Any = failure(call)
    return error.code()


def queued(data_dir: Path) -> list[str]:
    """The records in a service's queue."""
    return [line.decode() for line in read_lines(f"sqlite:///{data_dir / 'queue.db'}")]


@dataclass
class Service:
    """A service in a thread of this process."""

    data_dir: Path
    address: str
    clock: Clock = field(default_factory=Clock)

    def channel(self, *options: tuple[str, Any], **channel: Any) -> grpc.Channel:
        return grpc.insecure_channel(self.address, [ALONE, *options], **channel)


@contextmanager
def service(data_dir: Path, **settings: Any) -> Generator[Service]:
    """Run a service with these settings on a free port."""
    port = free_port()
    running_ = Service(data_dir, f"127.0.0.1:{port}")
    with in_thread(running(ServiceConfig(data_dir=data_dir, grpc_port=port, **settings), running_.clock)):
        yield running_


class Process:
    """A service as a process of its own, on one port and in one directory, whatever happens to it."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        directory.mkdir(exist_ok=True)
        self.data_dir = directory / "data"
        self._host, self._port = settings.get("host", "127.0.0.1"), settings.get("grpc_port") or free_port()
        self._log = directory / "log"
        # It ends when the other end of this pipe does.
        self._held, ours = os.pipe()
        os.set_inheritable(ours, False)
        self._ours = ours
        given = {"grpc_port": self._port, "data_dir": self.data_dir, "parent_fd": self._held, **settings}
        self._environment = environment() | {f"TRACKSIDE_{name.upper()}": str(value) for name, value in given.items()}
        self.start()

    @property
    def address(self) -> str:
        return f"{self._host}:{self._port}"

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8")

    def start(self) -> None:
        with self._log.open("ab") as log:
            command = [sys.executable, "-P", "-m", "service"]
            self.process = subprocess.Popen(command, env=self._environment, pass_fds=[self._held], stderr=log)

    def ready(self) -> Process:
        with grpc.insecure_channel(self.address, [ALONE, *QUICKLY]) as channel:
            assert health(channel, wait_for_ready=True) == health_pb2.HealthCheckResponse.SERVING
        return self

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self.process.wait()

    def ended(self) -> int:
        """Wait until it has; its exit code."""
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
        os.close(self._held)
        os.close(self._ours)


@contextmanager
def processes(directory: Path, names: Sequence[str] = ("service",), **settings: Any) -> Generator[list[Process]]:
    """Run these services, each in a directory of its name."""
    started = [Process(directory / name, **settings) for name in names]
    try:
        yield [process.ready() for process in started]
    finally:
        for process in started:
            process.close()

"""A gate between the front and the service: calls arrive, and are passed on when a test says so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import grpc
import httpx
from trackside.v1 import collector_service_pb2 as proto

from tests.running import Running, front_alone

_SERVICE = proto.DESCRIPTOR.services_by_name["CollectorService"].full_name


def collect_batch(service: grpc.Channel) -> Callable[[bytes], bytes]:
    """Calls CollectBatch with messages as they are."""
    return cast("Callable[[bytes], bytes]", service.unary_unary(f"/{_SERVICE}/CollectBatch"))


class Gate:
    """Holds what the front calls until it is opened."""

    def __init__(self, service: grpc.Channel) -> None:
        self.arrived = threading.Semaphore(0)
        """Released by each call when it comes to the gate."""
        self.passed = threading.Semaphore(0)
        """Released by each call when the service has answered it."""
        self.opened = threading.Event()
        self.calls: list[proto.CollectBatchRequest] = []
        """Those that came to the gate, in order."""
        self._collect = collect_batch(service)

    def relay(self, calls: Iterator[bytes], _: Any) -> Iterator[bytes]:
        for call in calls:
            self.calls.append(proto.CollectBatchRequest.FromString(call))
            self.arrived.release()
            assert self.opened.wait(10)
            answer = self._collect(call)
            self.passed.release()
            yield answer


Relay = Callable[[Iterator[bytes], grpc.ServicerContext], Iterator[bytes]]
"""Answers the calls of one stream."""


@contextmanager
def serving(relay: Relay, directory: Path) -> Generator[str]:
    """A server whose streams `relay` answers; its target."""
    with ThreadPoolExecutor(8) as threads:
        server = grpc.server(threads)
        method = cast("Any", grpc.stream_stream_rpc_method_handler(cast("Any", relay)))
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(_SERVICE, {"CollectStream": method})])
        target = f"unix:{directory / 'relay'}"
        server.add_insecure_port(target)
        server.start()
        try:
            yield target
        finally:
            server.stop(5).wait()


@contextmanager
def gated(trackside: Running, directory: Path, **settings: Any) -> Generator[tuple[Gate, httpx.Client]]:
    """A front whose service is behind a gate, which is closed."""
    gate = Gate(trackside.channel)
    with serving(gate.relay, directory) as target:
        try:
            with front_alone(target, **settings) as http:
                yield gate, http
        finally:
            gate.opened.set()


def address(http: httpx.Client) -> tuple[str, int]:
    """Where a client sends to."""
    return http.base_url.host, http.base_url.port or 0

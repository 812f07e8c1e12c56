"""The service's process: opens what it needs, listens, and drains when it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable

import grpc
import uvloop

from event_model.certificates import InvalidCertificates
from service import server, tls
from service.collector import Collector
from service.config import ServiceConfig
from service.queues import InvalidQueue, Queue, open_queue
from service.refused import RefusedStore
from service.sources import Directory, InvalidSources

log = logging.getLogger(__name__)

_COMMIT_SECONDS = 0.5
"""How long the last commits may take when calls have used up the drain timeout. The supervisor waits 2 s longer."""


class CannotStart(Exception):
    """The service's settings cannot be used. The message is one sentence for the operator."""


@contextlib.asynccontextmanager
async def running(config: ServiceConfig, clock: Callable[[], int] = time.time_ns) -> AsyncGenerator[None]:
    """Take calls while the context lasts. Then answer the calls that have begun, for `drain_timeout` at most.

    `clock` gives nanoseconds since 1970. Raises CannotStart.
    """
    try:
        credentials = tls.credentials(config)
    except InvalidCertificates as error:
        raise CannotStart(str(error)) from None
    sources, queue, refused = _open(config, clock)
    stopping = time.monotonic()
    try:
        collector = Collector(config, sources, queue, refused, clock)
        grpc_server, servicer, health = server.build(collector, config)
        _listen(grpc_server, config, credentials)
        serving = await server.report_health(collector, queue, health, None)
        await grpc_server.start()
        following = asyncio.create_task(server.follow_queue(collector, queue, health, serving))
        try:
            yield
        finally:
            stopping = time.monotonic()
            following.cancel()
            await health.enter_graceful_shutdown()
            servicer.stop()
            await grpc_server.stop(config.drain_timeout)
            await _until(stopping + config.drain_timeout, servicer.drain())
    finally:
        await _until(stopping + config.drain_timeout, queue.close())
        refused.close(within=_COMMIT_SECONDS)


async def _until(deadline: float, work: Awaitable[None]) -> None:
    """Wait for commits, but not for a disk that hangs: senders send the events that have no answer again."""
    try:
        async with asyncio.timeout(max(_COMMIT_SECONDS, deadline - time.monotonic())):
            await work
    except TimeoutError:
        log.error("a commit has not ended within the drain timeout: stopping without it")


def _open(config: ServiceConfig, clock: Callable[[], int]) -> tuple[Directory, Queue, RefusedStore]:
    try:
        config.data_dir.mkdir(parents=True, exist_ok=True)
        sources = Directory(config.sources)
        queue = open_queue(
            config.queue_url,
            duplicate_window=config.duplicate_window,
            clock=lambda: clock() / 1_000_000_000,
        )
        return sources, queue, RefusedStore.open(config.data_dir, keep=config.refused_events)
    except OSError as error:
        raise CannotStart(f"The data directory {config.data_dir} cannot be used: {error.strerror}.") from None
    except (InvalidSources, InvalidQueue) as error:
        raise CannotStart(str(error)) from None


def _listen(grpc_server: grpc.aio.Server, config: ServiceConfig, credentials: grpc.ServerCredentials | None) -> None:
    address = config.grpc_address
    try:
        if credentials:
            grpc_server.add_secure_port(address, credentials)
        else:
            grpc_server.add_insecure_port(address)
        if config.grpc_socket:
            address = f"unix:{config.grpc_socket}"
            grpc_server.add_insecure_port(address)
    except RuntimeError:
        raise CannotStart(f"The gRPC API cannot listen on {address}: it is taken or not allowed.") from None


async def serve(config: ServiceConfig) -> None:
    """Serve until SIGTERM or SIGINT, or until the supervisor ends. Raises CannotStart."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if parent := os.environ.get("TRACKSIDE_PARENT_FD"):  # it ends when the supervisor does, however that ends

        def gone() -> None:
            # Once: a pipe at its end stays readable, and would keep the loop busy while it drains.
            loop.remove_reader(int(parent))
            stop.set()

        loop.add_reader(int(parent), gone)
    async with running(config):
        # A full collection would go through 50,000 objects that stay for ever: nobody is answered for 24 ms.
        gc.freeze()
        await stop.wait()


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s service: %(message)s")
    # The queue's writer is a thread. At the default of 5 ms a busy event loop, which lets go of the interpreter's lock
    # too briefly for another thread to take it, has kept the writer waiting for seconds.
    sys.setswitchinterval(0.0001)
    try:
        uvloop.run(serve(ServiceConfig()))
    except CannotStart as error:
        print(error, file=sys.stderr)  # noqa: T201 - a sentence for the operator
        return os.EX_CONFIG
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What a gRPC caller may do: how large, how much at once, how long on one connection, how often a ping."""

from __future__ import annotations

import asyncio
import gzip
import multiprocessing
import queue
import resource
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1 import collector_service_pb2_grpc as proto_grpc

from event_model.schema import LIMITS
from tests.cli.serving import PATIENCE
from tests.grpc.serving import ALONE, Service, code, collect, failure, health, processes, queued, request, service
from tests.grpc.wire import ENHANCE_YOUR_CALM, Connection

COLLECT = "/trackside.v1.CollectorService/Collect"


class Open:
    """A call of Collect that was begun: its message is not sent until `finish`."""

    def __init__(self, channel: grpc.Channel, message_id: str) -> None:
        self._message = request(message_id).SerializeToString()
        self._messages: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        method = cast("Any", channel).stream_unary(COLLECT)
        self._answer = method.future(iter(self._messages.get, None), timeout=PATIENCE)

    def finish(self) -> proto.Outcome:
        self._messages.put(self._message)
        self._messages.put(None)
        return proto.CollectResponse.FromString(self._answer.result()).outcome


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("service")) as running:
        yield running


def test_message_over_the_limit_is_told_so(running: Service) -> None:
    with running.channel() as channel:
        call = cast("Any", channel).unary_unary(COLLECT)
        error: Any = failure(lambda: call(bytes(LIMITS.message_bytes + 1), timeout=PATIENCE))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert str(LIMITS.message_bytes) in error.details()


def test_compressed_message_is_read(running: Service) -> None:
    seen = len(queued(running.data_dir))
    with running.channel(compression=grpc.Compression.Gzip) as channel:
        assert collect(channel, "compressed") == proto.OUTCOME_ACCEPTED
    assert len(queued(running.data_dir)) == seen + 1


def inflating(directory: Path) -> tuple[int, bytes, int]:
    """How large a compressed message was, the end of the call that it came with, and by how many bytes memory grew."""
    bomb = gzip.compress(bytes(60 << 20))
    with service(directory) as running, Connection(running.address) as connection:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        trailers = connection.call(COLLECT, bomb, encoding="gzip")
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return len(bomb), trailers, grown << 10


def test_compressed_message_is_inflated_no_further_than_the_limit(tmp_path: Path) -> None:
    # In a process that has used no memory before.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        sent, trailers, grown = process.submit(inflating, tmp_path).result(PATIENCE)
    assert sent < 65_536
    assert b"grpc-status\x018" in trailers
    assert b"Decompressed message larger than max" in trailers
    assert grown < 4 * LIMITS.message_bytes


def test_calls_over_the_limit_of_a_connection_wait_for_one_that_ends(tmp_path: Path) -> None:
    with service(tmp_path, grpc_max_streams=2) as running, running.channel() as channel:
        assert health(channel)  # only now does the caller know of the limit
        first, second = Open(channel, "first"), Open(channel, "second")
        assert code(lambda: health(channel, timeout=0.3)) is grpc.StatusCode.DEADLINE_EXCEEDED
        assert first.finish() == proto.OUTCOME_ACCEPTED
        assert collect(channel, "third") == proto.OUTCOME_ACCEPTED
        assert second.finish() == proto.OUTCOME_ACCEPTED


async def call_without_end(address: str, at_once: int, calls: int) -> None:
    """Make so many calls on one connection, so many of them at a time. All must be accepted."""
    waiting = iter(range(calls))
    async with grpc.aio.insecure_channel(address, options=[ALONE]) as channel:
        stub: Any = proto_grpc.CollectorServiceStub(channel)

        async def caller() -> None:
            for number in waiting:
                response = await stub.Collect(request(str(number)), timeout=PATIENCE)
                assert response.outcome == proto.OUTCOME_ACCEPTED

        await asyncio.gather(*[caller() for _ in range(at_once)])


def test_as_many_calls_as_a_connection_may_have_go_on_without_end(tmp_path: Path) -> None:
    with processes(tmp_path, grpc_max_streams=100) as (process,):
        asyncio.run(call_without_end(process.address, 100, 3_000))
        assert len(queued(process.data_dir)) == 3_000


def test_connection_that_is_old_is_replaced_without_a_failed_call(tmp_path: Path) -> None:
    with service(tmp_path, grpc_connection_age=0.2) as running, running.channel() as channel:
        states: list[grpc.ChannelConnectivity] = []
        channel.subscribe(states.append)
        sent = 0
        while states.count(grpc.ChannelConnectivity.READY) < 3:
            assert collect(channel, str(sent)) == proto.OUTCOME_ACCEPTED
            sent += 1
        assert len(queued(tmp_path)) == sent


def test_caller_that_pings_without_end_is_cut_off(running: Service) -> None:
    with Connection(running.address) as connection:
        connection.ping(10)
        assert connection.farewell() == ENHANCE_YOUR_CALM

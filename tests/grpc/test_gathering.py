"""Calls of one event that come at the same time: they are judged and queued together, and each is told its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from prometheus_client import REGISTRY
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1 import collector_service_pb2_grpc as proto_grpc
from trackside.v1.event_pb2 import Event, Page

from service import server
from service.collector import Collector
from service.config import ServiceConfig
from service.gathering import Gatherer
from service.queues import Record
from service.refused import RefusedStore
from service.sources import Directory
from tests.cli.serving import PATIENCE
from tests.grpc.serving import ALONE, event, queued, request, service

CALLS = 64


class HeldQueue:
    """An engine that keeps records in memory, each put when it may, and has a mistake that the record `bad` shows."""

    def __init__(self) -> None:
        self.began, self.may = asyncio.Event(), asyncio.Event()
        self.puts: list[list[str]] = []

    async def put(self, records: Sequence[Record]) -> Collection[int]:
        self.began.set()
        await self.may.wait()
        names = [record.message_id for record in records]
        if "bad" in names:
            raise ZeroDivisionError
        self.puts.append(names)
        return ()

    async def healthy(self) -> bool:
        return True

    async def close(self) -> None:
        pass


@asynccontextmanager
async def held(directory: Path) -> AsyncGenerator[tuple[HeldQueue, Collector, Any]]:
    """A service whose queue is held, and a stub."""
    config, queue = ServiceConfig(data_dir=directory, grpc_max_streams=1_000), HeldQueue()
    refused = RefusedStore.open(directory, keep=0)
    collector = Collector(config, Directory(None), queue, refused)
    grpc_server, servicer, _ = server.build(collector, config)
    port = grpc_server.add_insecure_port("127.0.0.1:0")
    await grpc_server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=[ALONE]) as channel:
        yield queue, collector, proto_grpc.CollectorServiceStub(channel)
    await grpc_server.stop(0)
    await servicer.drain()
    refused.close()


async def sent(queue: HeldQueue, collector: Collector, stub: Any, *names: str) -> list[Any]:
    """Calls, when the queue has the first and the service the others, which came one after the other."""
    calls: list[Any] = []
    for name in names:
        before = collector.pending
        calls.append(stub.Collect(request(name), timeout=PATIENCE))
        await queue.began.wait()
        while calls[1:] and collector.pending == before:  # noqa: ASYNC110 - that it came is no event of its own
            await asyncio.sleep(0)
    return calls


async def test_calls_that_come_while_a_put_is_under_way_share_the_next(tmp_path: Path) -> None:
    async with held(tmp_path) as (queue, collector, stub):
        calls = await sent(queue, collector, stub, "first", "second", "third", "fourth")
        queue.may.set()
        answers = await asyncio.gather(*calls)
        assert [answer.outcome for answer in answers] == [proto.OUTCOME_ACCEPTED] * 4
        assert queue.puts == [["first"], ["second", "third", "fourth"]]
        assert collector.pending == 0


@pytest.mark.parametrize(
    ("size", "expected"), [(0, [1, 256, 44]), (32_768, [1, 128, 128, 44]), (32_769, [1, 127, 127, 46])]
)
async def test_no_more_calls_are_judged_together_than_one_message_could_bring(
    tmp_path: Path, size: int, expected: list[int]
) -> None:
    requests = [request(f"{number:3}") for number in range(300)]
    for each in requests if size else ():
        each.delivery.user_agent = "a" * 20_000
        each.delivery.user_agent += "a" * (size - each.ByteSize())
    async with held(tmp_path) as (queue, collector, stub):
        calls = await sent(queue, collector, stub, "first")
        pending = collector.pending + sum(each.ByteSize() for each in requests)
        calls += [stub.Collect(each, timeout=PATIENCE) for each in requests]
        while collector.pending < pending:  # noqa: ASYNC110 - that they came is no event of its own
            await asyncio.sleep(0)
        queue.may.set()
        await asyncio.gather(*calls)
        assert [len(put) for put in queue.puts] == expected
        assert collector.pending == 0


@pytest.mark.parametrize(("first", "expected"), [(1, [1, 1, 1]), (2, [2, 2])])
async def test_those_who_come_again_are_waited_for_where_several_came_together(
    tmp_path: Path, first: int, expected: list[int]
) -> None:
    config, queue, refused = ServiceConfig(data_dir=tmp_path), HeldQueue(), RefusedStore.open(tmp_path, keep=0)
    queue.may.set()
    async with asyncio.TaskGroup() as tasks:
        gatherer = Gatherer(Collector(config, Directory(None), queue, refused), tasks.create_task)
        await asyncio.gather(*[gatherer.collect(request(f"first {number}"), "") for number in range(first)])
        for number in range(2):
            tasks.create_task(gatherer.collect(request(f"again {number}"), ""))
            await asyncio.sleep(0)
    assert [len(put) for put in queue.puts] == expected
    refused.close()


async def test_call_that_fails_fails_alone(tmp_path: Path) -> None:
    async with held(tmp_path) as (queue, collector, stub):
        calls = await sent(queue, collector, stub, "first", "second", "bad", "third")
        queue.may.set()
        codes = [await call.code() for call in calls]
        internal, ok = grpc.StatusCode.INTERNAL, grpc.StatusCode.OK
        assert codes == [ok, ok, internal, ok]
        assert queue.puts == [["first"], ["second"], ["third"]]
        assert collector.pending == 0


async def test_event_is_queued_when_its_caller_has_gone(tmp_path: Path) -> None:
    async with held(tmp_path) as (queue, collector, stub):
        calls = await sent(queue, collector, stub, "first", "gone", "last")
        calls[1].cancel()
        queue.may.set()
        await calls[2]
        assert queue.puts == [["first"], ["gone", "last"]]


def test_each_is_told_its_own(tmp_path: Path) -> None:
    def puts() -> float:
        return REGISTRY.get_sample_value("trackside_queue_put_seconds_count") or 0

    invalid = proto.CollectRequest(event=Event(message_id="invalid", page=Page()))
    with service(tmp_path) as running, running.channel() as channel:
        stub: Any = proto_grpc.CollectorServiceStub(channel)
        before = puts()
        calls: dict[str, Any] = {}
        for number in range(CALLS):
            metadata = [("authorization", f"Bearer key {number % 3}")]
            for kind, sent in {
                "own": request(f"own {number}", key=f"own key {number}"),
                "shared": proto.CollectRequest(event=event(f"shared {number}")),
                "invalid": invalid,
            }.items():
                calls[f"{kind} {number}"] = stub.Collect.future(sent, metadata=metadata, timeout=PATIENCE)
        for name, call in calls.items():
            expected = grpc.StatusCode.INVALID_ARGUMENT if name.startswith("invalid") else grpc.StatusCode.OK
            assert call.code() is expected, name
        again = [stub.Collect.future(request(f"own {n}", key=f"own key {n}"), timeout=PATIENCE) for n in range(CALLS)]
        assert {call.result().outcome for call in again} == {proto.OUTCOME_DUPLICATE}
        assert puts() - before < 2 * CALLS
        keys = {record["messageId"]: record["writeKey"] for record in map(json.loads, queued(running.data_dir))}
    assert keys == {
        **{f"own {number}": f"own key {number}" for number in range(CALLS)},
        **{f"shared {number}": f"key {number % 3}" for number in range(CALLS)},
    }

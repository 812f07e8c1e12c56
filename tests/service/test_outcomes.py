"""Every event gets one outcome, whatever happens to the queue or to the caller, and it is counted."""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import duration_pb2
from google.rpc import code_pb2, error_details_pb2
from prometheus_client import REGISTRY
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1 import collector_service_pb2_grpc as proto_grpc
from trackside.v1.event_pb2 import Event, Page

from service import server
from service.collector import Collector
from service.config import ServiceConfig
from service.queues import Record, open_queue
from service.refused import RefusedStore
from service.sources import Directory
from tests.doors import collect, collect_batch, details_of, failure_of
from tests.running import KEY, Running, collector, read_lines

ACCEPTED, DUPLICATE = proto.OUTCOME_ACCEPTED, proto.OUTCOME_DUPLICATE
REFUSED, RETRY = proto.OUTCOME_REFUSED, proto.OUTCOME_RETRY
IN_A_SECOND = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=1))


def batch(*message_ids: str) -> proto.CollectBatchRequest:
    """Events with these ids; one whose id is empty is refused."""
    events = [Event(message_id=message_id, user_id="u", page=Page()) for message_id in message_ids]
    entries = [proto.Entry(event=event) for event in events]
    return proto.CollectBatchRequest(entries=entries, deliveries=[proto.Delivery(write_key=KEY)])


def one(message_id: str) -> proto.CollectRequest:
    return proto.CollectRequest(
        event=Event(message_id=message_id, user_id="u", page=Page()), delivery=proto.Delivery(write_key=KEY)
    )


def ids(running: Running) -> list[str]:
    return [record["messageId"] for record in running.queued()]


@contextmanager
def counting() -> Generator[Counter[tuple[str, str]]]:
    """How many events get each outcome, with its reason, meanwhile."""

    def read() -> Counter[tuple[str, str]]:
        found: Counter[tuple[str, str]] = Counter()
        for metric in REGISTRY.collect():
            for sample in metric.samples if metric.name == "trackside_events" else []:
                if sample.name.endswith("_total"):
                    found[sample.labels["outcome"], sample.labels["reason"]] += int(sample.value)
        return found

    before, counted = read(), Counter[tuple[str, str]]()
    yield counted
    counted.update(read())
    counted.subtract(before)
    for outcome in [outcome for outcome, number in counted.items() if not number]:
        del counted[outcome]


@pytest.fixture
def running(tmp_path: Path) -> Generator[Running]:
    with collector(tmp_path) as running:
        yield running


@contextmanager
def queue_away(running: Running) -> Generator[None]:
    """The queue's file has lost its name: what is written to it would be lost with the process."""
    queue = running.data_dir / "queue.db"
    away = queue.rename(queue.with_name("away"))
    yield
    away.rename(queue)


@contextmanager
def queue_full(running: Running) -> Generator[None]:
    """The queue's files may not grow, as no file of this process may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((running.data_dir / "queue.db-wal").stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_each_event_of_a_call_is_counted_once_by_its_outcome(running: Running) -> None:
    with counting() as counted:
        assert collect(running, one("a")) == ACCEPTED
        assert collect(running, one("a")) == DUPLICATE
        response = collect_batch(running, batch("a", "b", "", "b", "c", ""))
    assert list(response.outcomes) == [DUPLICATE, ACCEPTED, REFUSED, DUPLICATE, ACCEPTED, REFUSED]
    assert counted == {("accepted", ""): 3, ("duplicate", ""): 3, ("refused", "required"): 2}
    assert ids(running) == ["a", "b", "c"]


@pytest.mark.parametrize("outage", [queue_away, queue_full])
def test_events_are_to_be_sent_again_while_the_queue_cannot_be_written(
    running: Running, outage: Callable[[Running], AbstractContextManager[None]], caplog: pytest.LogCaptureFixture
) -> None:
    assert collect(running, one("before")) == ACCEPTED
    with counting() as counted, outage(running):
        status, details = failure_of(lambda: collect(running, one("a")))
        response = collect_batch(running, batch("b", "", "before", "c"))
        answers = [running.post("/v1/page", {"messageId": "d", "userId": "u"}), running.http.get("/health")]
    assert (status.code, status.message) == (code_pb2.UNAVAILABLE, "The queue cannot be written.")
    assert details == [IN_A_SECOND]
    assert list(response.outcomes) == [RETRY, REFUSED, RETRY, RETRY]
    assert response.retry == proto.Retry(
        reason=proto.RETRY_REASON_QUEUE_UNAVAILABLE, delay=duration_pb2.Duration(seconds=1)
    )
    assert [refusal.index for refusal in response.refusals] == [1]
    assert (answers[0].status_code, answers[0].headers["Retry-After"]) == (503, "1")
    assert counted == {("retry", "queue_unavailable"): 5, ("refused", "required"): 1}
    assert caplog.text.count("the queue cannot be written: ") == 1  # for all calls that met it

    with counting() as counted:
        assert collect(running, one("a")) == ACCEPTED
        again = collect_batch(running, batch("b", "", "before", "c"))
    assert list(again.outcomes) == [ACCEPTED, REFUSED, DUPLICATE, ACCEPTED]
    assert not again.HasField("retry")
    assert counted == {("accepted", ""): 3, ("duplicate", ""): 1, ("refused", "required"): 1}
    assert ids(running) == ["before", "a", "b", "c"]


class Gate:
    """A queue in a file, before which records wait until a test lets them pass."""

    def __init__(self, directory: Path) -> None:
        self.url = f"sqlite:///{directory / 'queue.db'}"
        self.arrived = asyncio.Event()
        self.opened = asyncio.Event()
        self._queue = open_queue(self.url, duplicate_window=60)

    async def put(self, records: Sequence[Record]) -> Collection[int]:
        self.arrived.set()
        await self.opened.wait()
        return await self._queue.put(records)

    async def healthy(self) -> bool:
        return await self._queue.healthy()

    async def close(self) -> None:
        await self._queue.close()


@asynccontextmanager
async def gated(directory: Path, **settings: Any) -> AsyncGenerator[tuple[Gate, server.Servicer, Any]]:
    """A service with such a queue: the queue, its calls, and a stub."""
    config = ServiceConfig(data_dir=directory, **settings)
    gate, refused = Gate(directory), RefusedStore.open(directory, keep=0)
    grpc_server, servicer, _ = server.build(Collector(config, Directory(None), gate, refused), config)
    target = f"unix:{directory / 'grpc'}"
    grpc_server.add_insecure_port(target)
    await grpc_server.start()
    try:
        async with grpc.aio.insecure_channel(target) as channel:
            yield gate, servicer, proto_grpc.CollectorServiceStub(channel)
    finally:
        gate.opened.set()
        await grpc_server.stop(5)
        await gate.close()
        refused.close()


@pytest.mark.parametrize("method", ["CollectBatch", "CollectStream"])
async def test_events_of_a_caller_that_leaves_are_queued(tmp_path: Path, method: str) -> None:
    async with gated(tmp_path) as (gate, servicer, stub):
        events = batch("a", "b")
        call = stub.CollectBatch(events) if method == "CollectBatch" else stub.CollectStream(iter([events]))
        await gate.arrived.wait()
        call.cancel()
        assert await call.code() is grpc.StatusCode.CANCELLED
        # The server reads this after it has read that the other caller is gone.
        assert await stub.CollectBatch(proto.CollectBatchRequest()) == proto.CollectBatchResponse()
        with counting() as counted:
            gate.opened.set()
            await servicer.drain()
        assert counted == {("accepted", ""): 2}
        assert len(await asyncio.to_thread(read_lines, gate.url)) == 2


async def test_events_are_to_be_sent_again_where_too_many_wait(tmp_path: Path) -> None:
    async with gated(tmp_path, max_pending_bytes=1) as (gate, _, stub):
        first = stub.Collect(one("first"))
        await gate.arrived.wait()
        response = await stub.CollectBatch(batch("a", "", "b"))
        assert list(response.outcomes) == [RETRY, REFUSED, RETRY]
        assert response.retry.reason == proto.RETRY_REASON_OVERLOADED
        assert response.retry.delay.seconds == 1
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stub.Collect(one("a"))
        status, details = details_of(raised.value)
        assert (status.code, details) == (code_pb2.RESOURCE_EXHAUSTED, [IN_A_SECOND])
        gate.opened.set()
        assert (await first).outcome == ACCEPTED
        # However large a call is: with nothing before it, it is taken.
        assert list((await stub.CollectBatch(batch("a", "b"))).outcomes) == [ACCEPTED, ACCEPTED]


async def test_records_wait_up_to_a_bound(tmp_path: Path) -> None:
    async with gated(tmp_path) as (gate, _, stub):
        gate.opened.set()
        assert list((await stub.CollectBatch(batch("a"))).outcomes) == [ACCEPTED]
        (line,) = await asyncio.to_thread(read_lines, gate.url)
    directory = tmp_path / "bounded"
    directory.mkdir()
    async with gated(directory, max_pending_bytes=2 * len(line)) as (gate, _, stub):
        calls: list[Any] = []
        for name in ("a", "b"):
            gate.arrived.clear()
            calls.append(stub.CollectBatch(batch(name)))
            async with asyncio.timeout(5):
                await gate.arrived.wait()
        assert list((await stub.CollectBatch(batch("c"))).outcomes) == [RETRY]
        gate.opened.set()
        assert [list((await call).outcomes) for call in calls] == [[ACCEPTED]] * 2
        assert list((await stub.CollectBatch(batch("c"))).outcomes) == [ACCEPTED]


@pytest.mark.parametrize(
    ("events", "size", "turns"),
    [(64, 20, 1), (65, 20, 2), (1_000, 20, 16), (16, 16_384, 2), (16, 16_385, 3), (3, 200_000, 3)],
)
async def test_others_have_their_turn_after_some_events_or_bytes(
    tmp_path: Path, events: int, size: int, turns: int
) -> None:
    event = Event(user_id="u" * (size // 3), anonymous_id="a" * (size // 3))
    event.user_id += "u" * (size - event.ByteSize())
    assert event.ByteSize() == size
    config, gate, refused = ServiceConfig(data_dir=tmp_path), Gate(tmp_path), RefusedStore.open(tmp_path, keep=0)
    collector = Collector(config, Directory(None), gate, refused)
    collecting = asyncio.create_task(collector.collect([proto.Entry(event=event)] * events, [proto.Delivery()], KEY))
    taken = 0
    while not collecting.done():
        await asyncio.sleep(0)
        taken += 1
    assert (await collecting).outcomes == [REFUSED] * events
    assert taken == turns
    await gate.close()
    refused.close()

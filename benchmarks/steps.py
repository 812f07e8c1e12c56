"""What each step of an event's way costs, in microseconds of CPU an event: the table of docs/performance.md.

Run `python -m benchmarks.steps`. A figure is the least of several rounds, on one thread, with real messages and nothing
waiting; those of the socket, the call and the commit are of whole processes.
"""

# It measures what is inside.
# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import grpc
import msgspec
import uvloop
from trackside.v1 import collector_service_pb2 as proto

from benchmarks.compare import Load, run
from benchmarks.payload import event
from benchmarks.servers import bare
from event_model.schema import KINDS
from http_front import batch, coalescer, metrics, plain
from http_front.coalescer import Verdicts
from http_front.doors import Door, submit
from http_front.known_heads import Known, KnownHeads
from http_front.routes import _single
from http_front.sender import Sender
from service.calls import StreamHandler
from service.collector import Collector
from service.config import ServiceConfig
from service.delivery import Delivery
from service.intake import Intake
from service.queues import Record, open_queue
from service.refused import RefusedStore
from service.sources import Directory
from service.table import Row as EventRow

EVENTS = 500
"""In a batch."""
TOGETHER = 32
"""Requests of one event that share a call, with 64 connections and two calls in flight."""
ROUNDS = 30
LIMIT = 15_360


class Row(NamedTuple):
    """A step, and its microseconds for a single event and for one in a batch: 0 where a batch has no such step."""

    step: str
    single: float
    batch: float = 0


def cost(work: Callable[[], object], events: int = EVENTS) -> float:
    """Microseconds of this thread's CPU an event."""
    least = float("inf")
    for _ in range(ROUNDS):
        started = time.thread_time_ns()
        work()
        least = min(least, time.thread_time_ns() - started)
    return least / 1000 / events


class Sink:
    """Takes records and does nothing, so that only the way to it is measured."""

    records: Sequence[Record] = ()

    async def put(self, records: Sequence[Record]) -> Collection[int]:
        self.records = records
        return ()

    async def healthy(self) -> bool:
        return True

    async def close(self) -> None:
        pass


def sockets() -> Row:
    """The kernel and the event loop, of a server that does nothing with what it reads."""
    loads = Load("", "/v1/track", 1, 64), Load("", "/v1/batch", EVENTS, 8)
    with bare() as server:
        single, batch = [run(server, load, 3)[0].cpu for load in loads]
    return Row("HTTP bytes, in and out: the kernel and the event loop", single, batch)


async def echoed(messages: Sequence[bytes]) -> list[float]:
    """Microseconds of CPU for a call with each of the messages and a small answer, of both ends together."""

    async def answer(_: bytes) -> proto.CollectBatchResponse:
        return proto.CollectBatchResponse()

    def begin(_: Any) -> Callable[[bytes], Awaitable[proto.CollectBatchResponse]]:
        return answer

    handler = StreamHandler(cast("Any", bytes), begin, asyncio.create_task)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("Echo", {"Echo": handler.method}),))
    took: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        server.add_insecure_port(f"unix:{folder}/echo")
        await server.start()
        async with grpc.aio.insecure_channel(f"unix:{folder}/echo") as channel:
            stream = cast("Any", channel.stream_stream("/Echo/Echo"))()
            for message in messages:
                least = float("inf")
                for _ in range(ROUNDS):
                    started = time.process_time_ns()
                    for _ in range(20):
                        await stream.write(message)
                        await stream.read()
                    least = min(least, time.process_time_ns() - started)
                took.append(least / 1000 / 20)
            stream.cancel()
        await server.stop(None)
    return took


class Steps:
    """Measures the steps with one batch of events."""

    def __init__(self) -> None:
        self.texts = [event().replace(":01.456Z", f":01.{number:03}Z") for number in range(EVENTS)]
        self.kind = KINDS["track"]
        self.entries = [cast("bytes", plain.read_event(text, self.kind)) for text in self.texts]
        self.delivery = proto.Delivery(write_key="key", ip="192.0.2.1", user_agent="Mozilla/5.0")
        self.body = f'{{"batch":[{",".join(self.texts)}]}}'.encode()
        shared, done = self.delivery.SerializeToString(), _ignore
        self.jobs = [coalescer._Job([entry], shared, 950, done) for entry in self.entries]
        self.many = [coalescer._Job(self.entries, shared, 950 * EVENTS, done)]
        self.some = self.jobs[:TOGETHER]
        self.single, self.batch = coalescer._request(self.some), coalescer._request(self.many)

    def calls(self) -> Row:
        single, batch = uvloop.run(echoed([self.single, self.batch]))
        return Row(f"call: gRPC, both ends; of {TOGETHER} events, of {EVENTS}", single / TOGETHER, batch / EVENTS)

    def front(self) -> list[Row]:
        body = [text.encode() for text in self.texts]
        head = b"POST /v1/track HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic a2V5Og==\r\nContent-Length: 950"
        door, sender = Door("/v1/track", "single", _single(self.kind, LIMIT)), Sender("key", "", None, "agent", True)
        known = KnownHeads(1 << 20)
        known._heads[head] = Known(door, sender, len(body[0]))
        requests = [b"%b\r\n\r\n%b" % (head, each) for each in body]
        batches = Door("/v1/batch", "batch", partial(batch.read_body, event_limit=LIMIT))
        collected = [door.read(each) for each in body]
        few, all_ = [
            proto.CollectBatchResponse(outcomes=[proto.OUTCOME_ACCEPTED] * size).SerializeToString()
            for size in (TOGETHER, EVENTS)
        ]
        sink = cast("coalescer.Coalescer", _Submitted())

        def answer() -> None:
            for _ in collected:
                metrics.observe(door.path, 200, 0.001)

        return [
            Row("request: its head is one that came before", cost(lambda: [*map(known.find, requests)])),
            Row(
                "decode, proto: JSON to an encoded event",
                cost(lambda: [*map(door.read, body)]),
                cost(lambda: batches.read(self.body)),
            ),
            Row(
                "call: requests put together",
                cost(lambda: [submit(sink, each, sender, "192.0.2.1", _ignore) for each in collected])
                + cost(lambda: coalescer._request(self.some), TOGETHER),
                cost(lambda: coalescer._request(self.many)),
            ),
            Row(
                "verdicts: of a call to those of each request",
                cost(lambda: coalescer._split(proto.CollectBatchResponse.FromString(few), self.some), TOGETHER),
                cost(lambda: coalescer._split(proto.CollectBatchResponse.FromString(all_), self.many)),
            ),
            Row("answer: ready-made, counted", cost(answer)),
        ]

    def service(self) -> list[Row]:
        request = proto.CollectBatchRequest.FromString(self.batch)
        events = [entry.event for entry in request.entries]
        with tempfile.TemporaryDirectory() as folder:
            config = ServiceConfig(data_dir=Path(folder))
            store = RefusedStore.open(Path(folder), keep=10)
            sink, sources = Sink(), Directory(None)
            collector, intake = Collector(config, sources, sink, store), Intake(config, sources)
            now = time.time_ns()
            delivery = Delivery(self.delivery, EVENTS, 950 * EVENTS, "full", "")
            rows: list[EventRow] = [("track", each, 950, delivery) for each in events[:64]]

            def collect(message: bytes) -> Callable[[], object]:
                parsed = [proto.CollectBatchRequest.FromString(message) for _ in range(ROUNDS)]
                return lambda: loop.run_until_complete(collector.collect((p := parsed.pop()).entries, p.deliveries, ""))

            loop = asyncio.new_event_loop()
            judge = cost(lambda: intake.judge(rows, now), 64)
            calls = (self.single, TOGETHER), (self.batch, EVENTS)
            whole = [cost(collect(message), size) for message, size in calls]
            parse = [cost(partial(proto.CollectBatchRequest.FromString, message), size) for message, size in calls]
            commit = [_commit(loop, folder, sink.records, size) for size in (TOGETHER, EVENTS)]
            store.close()
        return [
            Row("parse", *parse),
            Row("intake: validated, completed, encoded", judge, judge),
            Row("who is whose, outcomes, metrics", whole[0] - judge, whole[1] - judge),
            Row(f"commit: duplicates, row, both threads; of {TOGETHER} events, of {EVENTS}", *commit),
        ]


def _commit(loop: asyncio.AbstractEventLoop, folder: str, records: Sequence[Record], size: int) -> float:
    queue = open_queue(f"sqlite:///{folder}/{size}.db", duplicate_window=86400)
    number = iter(range(10**9))
    took = 0
    for _ in range(ROUNDS * EVENTS // size):
        fresh = [msgspec.structs.replace(record, message_id=str(next(number))) for record in records[:size]]
        before = time.process_time_ns()
        loop.run_until_complete(queue.put(fresh))
        took += time.process_time_ns() - before
    loop.run_until_complete(queue.close())
    return took / 1000 / next(number)


class _Submitted:
    def submit(self, *_: object) -> None:
        """Stands where the coalescer does, for what comes before it."""


def _ignore(_: Verdicts) -> None:
    """Nobody waits for a verdict."""


def main() -> None:
    steps = Steps()
    front, service = steps.front(), steps.service()
    rows = [sockets(), *front[:3], steps.calls(), *service, *front[3:]]
    print("| step | µs, single | µs, in a batch |\n|---|---|---|")
    for row in rows:
        print(f"| {row.step} | {row.single:.2f} | {f'{row.batch:.2f}' if row.batch else ''} |")
    print(f"| together | {sum(row.single for row in rows):.1f} | {sum(row.batch for row in rows):.1f} |")


if __name__ == "__main__":
    main()

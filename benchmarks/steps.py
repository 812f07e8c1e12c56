"""What each step of an event's way costs, in microseconds of CPU an event: the table of docs/performance.md.

Run `python -m benchmarks.steps`. Each figure is the least of several rounds, on one thread, with real messages.
"""

# It measures what is inside.
# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import msgspec
from trackside.v1 import collector_service_pb2 as proto

from benchmarks.payload import event
from event_model.schema import KINDS
from http_front import coalescer
from http_front.collecting import Collected
from service.collector import Collector
from service.config import ServiceConfig
from service.queues import Record, open_queue
from service.record import KINDS as RECORD_KINDS
from service.refused import RefusedStore
from service.sources import Directory
from service.validation import refusals

EVENTS = 500
ROUNDS = 30


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


def _ignore(_: coalescer.Verdicts) -> None:
    """Nobody waits for a verdict."""


def main() -> None:
    texts = [event() for _ in range(EVENTS)]
    track = KINDS["track"]

    def transcode() -> list[proto.Entry]:
        collected = Collected("batch")
        for text in texts:
            collected.add(text, 15360, track)
        return [proto.Entry.FromString(entry) for entry in collected.entries]

    raw = [msgspec.Raw(text.encode()) for text in texts]
    entries = transcode()
    delivery = proto.Delivery(write_key="key", ip="192.0.2.1", user_agent="Mozilla/5.0")
    loop = asyncio.new_event_loop()
    shared = delivery.SerializeToString()
    encoded = [entry.SerializeToString() for entry in entries]
    jobs = [coalescer._Job([entry], shared, 950, _ignore) for entry in encoded]
    many = [coalescer._Job(encoded, shared, 950 * EVENTS, _ignore)]
    single, batch = coalescer._request(jobs), coalescer._request(many)
    request = proto.CollectBatchRequest.FromString(batch)
    reader, events = RECORD_KINDS["track"].reader, [entry.event for entry in request.entries]
    columns, _ = reader.read(events)
    response = proto.CollectBatchResponse(outcomes=[proto.OUTCOME_ACCEPTED] * EVENTS).SerializeToString()

    with tempfile.TemporaryDirectory() as folder:
        config = ServiceConfig(data_dir=Path(folder))
        store = RefusedStore.open(Path(folder), keep=10)
        sink = Sink()
        collector = Collector(config, Directory(None), sink, store)

        def collect(message: bytes) -> None:
            parsed = proto.CollectBatchRequest.FromString(message)
            loop.run_until_complete(collector.collect(parsed.entries, parsed.deliveries, ""))

        def only_collect(message: bytes) -> Callable[[], object]:
            parsed = [proto.CollectBatchRequest.FromString(message) for _ in range(ROUNDS)]
            return lambda: loop.run_until_complete(collector.collect((p := parsed.pop()).entries, p.deliveries, ""))

        rows = [
            ("front: JSON to Event", cost(transcode)),
            ("front: JSON to Event, in a batch", cost(lambda: Collected("batch").add_all(raw, 15360))),
            ("front: encode an event", cost(lambda: [entry.SerializeToString() for entry in entries])),
            ("front: requests of one event to one call", cost(lambda: coalescer._request(jobs))),
            ("front: a batch to one call", cost(lambda: coalescer._request(many))),
            (
                "front: the answer of a call to one of each request",
                cost(lambda: coalescer._split(proto.CollectBatchResponse.FromString(response), jobs)),
            ),
            ("service: parse", cost(lambda: proto.CollectBatchRequest.FromString(batch))),
            ("service: read", cost(lambda: reader.read([entry.event for entry in request.entries]))),
            ("service: validate", cost(lambda: refusals("track", events, columns))),
            ("service: all but parse and commit, requests of one event", cost(only_collect(single))),
            ("service: all but parse and commit, a batch", cost(only_collect(batch))),
        ]
        collect(single)
        records = sink.records
        queue = open_queue(f"sqlite:///{folder}/queue.db", duplicate_window=86400)
        number = iter(range(10**9))

        def commit() -> None:
            fresh = [msgspec.structs.replace(record, message_id=str(next(number))) for record in records]
            loop.run_until_complete(queue.put(fresh))

        before = time.process_time_ns()
        for _ in range(ROUNDS):
            commit()
        rows.append(("service: commit (both threads)", (time.process_time_ns() - before) / 1000 / EVENTS / ROUNDS))
        loop.run_until_complete(queue.close())
        store.close()
    for name, microseconds in rows:
        print(f"{microseconds:7.2f}  {name}")


if __name__ == "__main__":
    main()

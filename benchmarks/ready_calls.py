"""The service's own limit: sends calls that are ready-made. `ready_calls.py TARGET EVENTS CALLS BATCH`

CALLS are in flight at once: CollectBatch with BATCH events each, or Collect if BATCH is 0. It prints EVENTS and the
seconds from the first call to the last answer; before the first, every call is encoded.
"""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any, cast

import grpc
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event, Track

from benchmarks import payload


def ready(events: int, batch: int) -> Iterator[bytes]:
    """The encoded calls. Their events are those that a client makes of the same arguments."""
    given = payload.members()
    track = Track(event=given["event"], properties_json=payload.text(given["properties"]))
    event = Event(user_id=given["userId"], anonymous_id=given["anonymousId"], track=track)
    event.context_json, event.integrations_json = payload.text(given["context"]), payload.text(given["integrations"])
    event.timestamp.FromMilliseconds(time.time_ns() // 1_000_000)

    def named() -> Event:
        event.message_id = str(uuid.uuid4())
        return event

    for first in range(0, events, batch or 1):
        if batch:
            entries = [proto.Entry(event=named()) for _ in range(min(batch, events - first))]
            yield proto.CollectBatchRequest(entries=entries).SerializeToString()
        else:
            yield proto.CollectRequest(event=named()).SerializeToString()


async def send(target: str, method: str, requests: list[bytes], calls: int) -> float:
    """How many seconds it took."""
    waiting = iter(requests)
    async with grpc.aio.insecure_channel(target) as channel:
        collect = cast("Any", channel).unary_unary(f"/trackside.v1.CollectorService/{method}")

        async def sender() -> None:
            for request in waiting:
                await collect(request, metadata=[("authorization", "Bearer bench")])

        await channel.channel_ready()
        began = time.perf_counter()
        await asyncio.gather(*[sender() for _ in range(calls)])
        return time.perf_counter() - began


def main() -> None:
    target, events, calls, batch = sys.argv[1], *map(int, sys.argv[2:])
    method = "CollectBatch" if batch else "Collect"
    print(events, asyncio.run(send(target, method, list(ready(events, batch)), calls)))


if __name__ == "__main__":
    main()

"""The events of many requests in few calls of the service."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event, Page

from http_front.coalescer import Coalescer, Verdicts
from http_front.config import FrontConfig
from http_front.service_pool import Services
from tests.http_front.gate import gated
from tests.running import KEY, Running, basic
from tests.spec.expectations import SUCCESS

DELIVERY = proto.Delivery(write_key=KEY).SerializeToString()
REFUSED = proto.Entry(
    refused=proto.RefusedEvent(reason=proto.REASON_UNKNOWN_TYPE, field="type", description="x" * 800, payload=b"{}")
).SerializeToString()


def page(message_id: str, user_id: str = "u") -> bytes:
    return proto.Entry(event=Event(message_id=message_id, user_id=user_id, page=Page())).SerializeToString()


def submitted(coalescer: Coalescer, entries: Sequence[bytes], delivery: bytes) -> asyncio.Future[Verdicts]:
    verdicts: asyncio.Future[Verdicts] = asyncio.get_running_loop().create_future()
    coalescer.submit(entries, delivery, verdicts.set_result)
    return verdicts


@asynccontextmanager
async def coalescing(trackside: Running, target: str = "", *, bound: int = 1 << 30) -> AsyncGenerator[Coalescer]:
    """Calls the service, or what is at another gRPC target."""
    services = Services(FrontConfig(service=target or f"unix:{trackside.data_dir / 'grpc'}"))
    coalescer = Coalescer(services, pending_bytes=bound)
    try:
        yield coalescer
    finally:
        await coalescer.close()
        await services.close()


async def queued(trackside: Running) -> list[str]:
    return [json.loads(line)["messageId"] for line in await asyncio.to_thread(trackside.lines)]


def post(http: httpx.Client, message_id: str) -> httpx.Response:
    return http.post("/v1/page", json={"messageId": message_id, "userId": "u"}, headers=basic(KEY))


def test_what_arrives_while_two_calls_are_in_flight_shares_the_next(trackside: Running, tmp_path: Path) -> None:
    with gated(trackside, tmp_path) as (gate, http), ThreadPoolExecutor(12) as threads:
        answers = [threads.submit(post, http, f"in flight {number}") for number in range(2)]
        # Both calls may be one, where the second event came before the first call was begun.
        assert gate.arrived.acquire(timeout=5)
        answers += [threads.submit(post, http, f"shared {number}") for number in range(10)]
        gate.opened.set()
        assert [answer.result(10).json() for answer in answers] == [SUCCESS] * 12
    calls = 1
    while gate.arrived.acquire(blocking=False):
        calls += 1
    assert calls < 12
    ids = {f"in flight {number}" for number in range(2)} | {f"shared {number}" for number in range(10)}
    assert {json.loads(line)["messageId"] for line in trackside.lines()} == ids


async def test_verdicts_go_to_the_requests_that_they_are_of(trackside: Running) -> None:
    async with coalescing(trackside) as coalescer:
        verdicts = await asyncio.gather(
            submitted(coalescer, [page("a"), page("b", user_id=""), page("c")], DELIVERY),
            submitted(coalescer, [page("d")], DELIVERY),
            submitted(coalescer, [page("", user_id="u"), REFUSED], DELIVERY),
            submitted(coalescer, [page("d"), page("e")], b""),
            submitted(coalescer, [page("d"), page("f")], DELIVERY),
        )
    accepted, refused, duplicate = proto.OUTCOME_ACCEPTED, proto.OUTCOME_REFUSED, proto.OUTCOME_DUPLICATE
    assert [list(verdict.outcomes) for verdict in verdicts] == [
        [accepted, refused, accepted],
        [accepted],
        [refused, refused],
        [refused, refused],
        [duplicate, accepted],
    ]
    assert [[(refusal.index, refusal.field) for refusal in verdict.refusals] for verdict in verdicts] == [
        [(1, "userId")],
        [],
        [(0, "messageId"), (1, "type")],
        [(0, "writeKey"), (1, "writeKey")],
        [],
    ]
    assert await queued(trackside) == ["a", "c", "d", "f"]


async def test_many_small_events_that_are_refused_do_not_outgrow_a_message(trackside: Running) -> None:
    async with coalescing(trackside) as coalescer:  # together they are twice as large as a message may be
        verdicts = await asyncio.gather(
            submitted(coalescer, [page("before")], DELIVERY),
            *(submitted(coalescer, [REFUSED] * 1_000, DELIVERY) for _ in range(10)),
            submitted(coalescer, [page("after")], DELIVERY),
        )
    assert {verdict.retry for verdict in verdicts} == {proto.RETRY_REASON_UNSPECIFIED}
    assert [len(verdict.refusals) for verdict in verdicts] == [0, *[1_000] * 10, 0]
    assert await queued(trackside) == ["before", "after"]


async def test_many_senders_that_come_again_and_again_are_all_told(trackside: Running) -> None:
    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))

    async def sender(coalescer: Coalescer, name: str) -> None:
        for number in range(20):
            verdicts = await submitted(coalescer, [page(f"{name} {number}")], DELIVERY)
            assert verdicts.outcomes == [proto.OUTCOME_ACCEPTED]

    async with coalescing(trackside) as coalescer:
        await asyncio.gather(*[sender(coalescer, f"sender {number}") for number in range(16)])
    gc.collect()  # a task whose failure nobody asked for says so when it goes
    assert failures == []
    assert len(set(await queued(trackside))) == 320


async def test_close_answers_what_was_submitted(trackside: Running) -> None:
    async with coalescing(trackside) as coalescer:
        for round_ in range(3):
            await asyncio.gather(*[submitted(coalescer, [page(f"{round_} {n}")], DELIVERY) for n in range(4)])
        verdicts = [submitted(coalescer, [page(f"last {n}")], DELIVERY) for n in range(10)]
        await coalescer.close()
        assert all(verdict.done() for verdict in verdicts)
    assert len(await queued(trackside)) == 22

"""The calls that a coalescer makes: how many at once, which requests share one, and what it says for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from prometheus_client import REGISTRY
from trackside.v1 import collector_service_pb2 as proto

from event_model.schema import LIMITS
from http_front.coalescer import LARGE, Coalescer, Verdicts
from tests.http_front.gate import Gate, collect_batch, serving
from tests.http_front.test_coalescer import DELIVERY, coalescing, page, queued, submitted
from tests.running import KEY, Running

LARGE_REQUEST = [page(str(number)) for number in range(1_000)]


@asynccontextmanager
async def gated(trackside: Running, directory: Path, *, bound: int = 1 << 30) -> AsyncGenerator[tuple[Gate, Coalescer]]:
    """A coalescer whose service is behind a gate, which is closed."""
    gate = Gate(trackside.channel)
    with serving(gate.relay, directory) as target:
        async with coalescing(trackside, target, bound=bound) as coalescer:
            try:
                yield gate, coalescer
            finally:
                gate.opened.set()
    await queued(trackside)


async def in_turns(coalescer: Coalescer, *requests: list[bytes]) -> list[asyncio.Future[Verdicts]]:
    """Submit requests one by one, so that a call could be begun after each."""
    verdicts: list[asyncio.Future[Verdicts]] = []
    for entries in requests:
        verdicts.append(submitted(coalescer, entries, DELIVERY))
        await begun()
    return verdicts


async def begun() -> None:
    """Return when a call that is due has taken its requests."""
    for _ in range(3):
        await asyncio.sleep(0)


def entries(gate: Gate) -> list[int]:
    """How many entries each call had."""
    return [len(call.entries) for call in gate.calls]


def pending_bytes(entry: bytes) -> int:
    """The bytes for which a request of one entry counts: its answer may have 64."""
    return len(entry) + len(DELIVERY) + 64


def pages(name: str, number: int) -> list[list[bytes]]:
    """So many requests of one event."""
    return [[page(f"{name} {each}")] for each in range(number)]


async def test_two_calls_are_in_flight_and_what_comes_then_shares_the_next(trackside: Running, tmp_path: Path) -> None:
    async with gated(trackside, tmp_path) as (gate, coalescer):
        verdicts = await in_turns(coalescer, *pages("two calls", 5))
        gate.opened.set()
        await asyncio.gather(*verdicts)
    assert entries(gate) == [1, 1, 3]


async def test_three_calls_of_large_requests_are_in_flight(trackside: Running, tmp_path: Path) -> None:
    async with gated(trackside, tmp_path) as (gate, coalescer):
        verdicts = await in_turns(coalescer, *[LARGE_REQUEST] * 5)
        gate.opened.set()
        await asyncio.gather(*verdicts)
    assert entries(gate) == [1_000, 1_000, 1_000, 2_000]


@pytest.mark.parametrize(("size", "expected"), [(LARGE, [1, 1, 2]), (LARGE + 1, [1, 1, 1, 1])])
async def test_request_of_many_bytes_is_large(
    trackside: Running, tmp_path: Path, size: int, expected: list[int]
) -> None:
    user_id = "u" * (LARGE - 1_000)
    user_id += "u" * (size - pending_bytes(page("large", user_id)))
    async with gated(trackside, tmp_path) as (gate, coalescer):
        verdicts = await in_turns(coalescer, *[[page("large", user_id)]] * 4)
        gate.opened.set()
        await asyncio.gather(*verdicts)
    assert entries(gate) == expected


async def test_requests_wait_up_to_a_bound_and_are_counted_out_when_they_are_answered(
    trackside: Running, tmp_path: Path
) -> None:
    accepted, overloaded = proto.RETRY_REASON_UNSPECIFIED, proto.RETRY_REASON_OVERLOADED
    bound = 3 * pending_bytes(page("bound 0"))
    async with gated(trackside, tmp_path, bound=bound) as (gate, coalescer):
        gate.opened.set()
        for round_ in range(2):
            verdicts = [submitted(coalescer, [page(f"bound {round_}")], DELIVERY) for _ in range(4)]
            assert [verdict.retry for verdict in await asyncio.gather(*verdicts)] == [*[accepted] * 3, overloaded]


async def test_large_requests_do_not_hold_up_small_ones(trackside: Running, tmp_path: Path) -> None:
    async with gated(trackside, tmp_path) as (gate, coalescer):
        verdicts = await in_turns(coalescer, *[LARGE_REQUEST] * 5, *pages("beside large ones", 2))
        gate.opened.set()
        await asyncio.gather(*verdicts)
    assert sorted(entries(gate)[:5]) == [1, 1, 1_000, 1_000, 1_000]


async def test_second_call_waits_for_as_many_requests_as_the_first_has(trackside: Running, tmp_path: Path) -> None:
    async with gated(trackside, tmp_path) as (gate, coalescer):
        verdicts = [submitted(coalescer, [page(f"at once {number}")], DELIVERY) for number in range(3)]
        await begun()
        verdicts += await in_turns(coalescer, *pages("later", 3))
        for _ in range(2):
            assert await asyncio.to_thread(gate.arrived.acquire, timeout=5)
        gate.opened.set()
        await asyncio.gather(*verdicts)
    assert entries(gate) == [3, 3]


@pytest.mark.parametrize(("first", "expected"), [(1, [1, 1, 1]), (2, [2, 2])])
async def test_call_waits_for_those_who_come_again_where_the_last_one_had_several(
    trackside: Running, tmp_path: Path, first: int, expected: list[int]
) -> None:
    async with gated(trackside, tmp_path) as (gate, coalescer):
        gate.opened.set()
        await asyncio.gather(*[submitted(coalescer, [page(f"{first} {number}")], DELIVERY) for number in range(first)])
        await asyncio.gather(*await in_turns(coalescer, *pages(f"again {first}", 2)))
    assert entries(gate) == expected


async def test_call_does_not_wait_for_others_beside_large_requests(trackside: Running, tmp_path: Path) -> None:
    async with gated(trackside, tmp_path) as (gate, coalescer):
        gate.opened.set()
        await asyncio.gather(*[submitted(coalescer, [page(f"no wait {number}")], DELIVERY) for number in range(2)])
        gate.opened.clear()
        verdicts = await in_turns(coalescer, LARGE_REQUEST, [page("no wait, first")])
        assert await asyncio.to_thread(gate.arrived.acquire, timeout=5)
        gate.opened.set()
        await asyncio.gather(*verdicts, *await in_turns(coalescer, [page("no wait, second")]))
    assert sorted(entries(gate)) == [1, 1, 2, 1_000]


async def test_requests_of_one_event_share_a_delivery_and_others_have_their_own(
    trackside: Running, tmp_path: Path
) -> None:
    other = proto.Delivery(write_key="other").SerializeToString()
    requests = [(1, DELIVERY), (2, DELIVERY), (1, other), (1, DELIVERY), (2, DELIVERY), (1, other)]
    async with gated(trackside, tmp_path) as (gate, coalescer):
        gate.opened.set()
        await asyncio.gather(
            *[
                submitted(coalescer, [page(f"share {number} {each}") for each in range(count)], delivery)
                for number, (count, delivery) in enumerate(requests)
            ]
        )
    (call,) = gate.calls
    assert [delivery.write_key for delivery in call.deliveries] == [KEY, KEY, "other", KEY]
    assert [entry.delivery for entry in call.entries] == [0, 1, 1, 2, 0, 3, 3, 2]


async def test_call_has_no_more_events_than_one_delivery_may_bring(trackside: Running) -> None:
    number = LIMITS.delivery_events + 1
    async with coalescing(trackside) as coalescer:
        verdicts = await asyncio.gather(
            *[submitted(coalescer, [page(f"many {each}")], DELIVERY) for each in range(number)]
        )
    assert {outcome for verdict in verdicts for outcome in verdict.outcomes} == {proto.OUTCOME_ACCEPTED}
    assert len(await queued(trackside)) == number


async def test_deliveries_count_for_the_size_of_a_call(trackside: Running) -> None:
    async with coalescing(trackside) as coalescer:
        verdicts = await asyncio.gather(
            *[
                submitted(
                    coalescer,
                    [page(f"delivery {each}")],
                    proto.Delivery(
                        write_key=KEY, context_json=f'{{"each":{each},"filling":"{"x" * 12_000}"}}'
                    ).SerializeToString(),
                )
                for each in range(400)
            ]
        )
    assert {verdict.retry for verdict in verdicts} == {proto.RETRY_REASON_UNSPECIFIED}
    assert len(await queued(trackside)) == 400


@pytest.mark.parametrize(("seconds", "told"), [(7, 7), (0, 1)])
async def test_delay_before_a_resend_is_the_services_and_never_none(
    trackside: Running, tmp_path: Path, seconds: int, told: int
) -> None:
    collect = collect_batch(trackside.channel)

    def busy(calls: Iterator[bytes], _: grpc.ServicerContext) -> Iterator[bytes]:
        """The service's own answers, but for the last event, which cannot be queued."""
        for call in calls:
            response = proto.CollectBatchResponse.FromString(collect(call))
            response.outcomes[-1] = proto.OUTCOME_RETRY
            response.retry.reason = proto.RETRY_REASON_OVERLOADED
            response.retry.delay.seconds = seconds
            yield response.SerializeToString()

    with serving(busy, tmp_path) as target:
        async with coalescing(trackside, target) as coalescer:
            accepted, refused, again = await asyncio.gather(
                submitted(coalescer, [page(f"delay {seconds}")], DELIVERY),
                submitted(coalescer, [page("refused", user_id="")], DELIVERY),
                submitted(coalescer, [page(f"again {seconds}")], DELIVERY),
            )
    assert (again.outcomes, again.retry, again.delay) == ([proto.OUTCOME_RETRY], proto.RETRY_REASON_OVERLOADED, told)
    assert (accepted.outcomes, accepted.retry) == ([proto.OUTCOME_ACCEPTED], proto.RETRY_REASON_UNSPECIFIED)
    assert (len(refused.refusals), refused.retry) == (1, proto.RETRY_REASON_UNSPECIFIED)
    await queued(trackside)


async def test_events_that_the_service_was_not_asked_for_are_counted_by_reason(
    trackside: Running, tmp_path: Path
) -> None:
    def counted() -> float:
        return REGISTRY.get_sample_value("trackside_front_retries_total", {"reason": "queue_unavailable"}) or 0

    before = counted()
    async with coalescing(trackside, f"unix:{tmp_path / 'nobody'}") as coalescer:
        verdicts = await submitted(coalescer, [page("1"), page("2"), page("3")], DELIVERY)
    assert (list(verdicts.outcomes), verdicts.retry) == (
        [proto.OUTCOME_RETRY] * 3,
        proto.RETRY_REASON_QUEUE_UNAVAILABLE,
    )
    assert counted() == before + 3

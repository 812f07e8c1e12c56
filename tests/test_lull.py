"""What is on its way is waited for, and nothing else."""

from __future__ import annotations

import asyncio
import time

from event_model.lull import QUIET, TURNS, WHOLE, lull


async def arrive(waiting: list[int], every: int, times: int) -> None:
    """Come into `waiting`, after so many turns of the event loop each time."""
    for number in range(times):
        for _ in range(every):
            await asyncio.sleep(0)
        waiting.append(number)


async def test_what_comes_within_a_few_turns_is_waited_for() -> None:
    waiting = [0]
    coming = asyncio.create_task(arrive(waiting, every=TURNS // 2, times=20))
    await lull(waiting, enough=100)
    assert coming.done()
    assert len(waiting) == 21


async def test_what_comes_later_is_not() -> None:
    waiting = [0]
    coming = asyncio.create_task(arrive(waiting, every=TURNS * 2, times=1))
    await lull(waiting, enough=100)
    assert waiting == [0]
    await coming


async def test_enough_waits_for_nobody() -> None:
    waiting = [0]
    coming = asyncio.create_task(arrive(waiting, every=1, times=9))
    await lull(waiting, enough=5)
    assert len(waiting) == 5
    await coming


async def work(seconds: float, waiting: list[int], every: int) -> None:
    """Keep the event loop for some time in each turn, and bring something every few turns."""
    for number in range(1, 1000):
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            pass
        if number % every == 0:
            waiting.append(number)
        await asyncio.sleep(0)


async def test_event_loop_that_has_other_things_to_do_is_not_waited_for() -> None:
    waiting = [0]
    working = asyncio.create_task(work(2 * QUIET, waiting, every=5))
    await lull(waiting, enough=100)
    assert waiting == [0]
    working.cancel()


async def test_wait_ends_though_something_comes_in_every_turn() -> None:
    waiting = [0]
    working = asyncio.create_task(work(WHOLE / 20, waiting, every=1))
    await lull(waiting, enough=1000)
    assert 2 < len(waiting) < 40
    working.cancel()

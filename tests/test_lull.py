"""What is on its way is waited for, and nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from event_model.lull import QUIET, TURNS, WHOLE, lull


@dataclass
class Loop:
    """An event loop that has something to do: each of its turns takes so long, and every few turns something comes."""

    turn: float
    every: int
    now: float = 0.0
    waiting: list[int] = field(default_factory=lambda: [0])

    async def run(self) -> None:
        number = 0
        while True:
            await asyncio.sleep(0)
            number += 1
            self.now += self.turn
            if number % self.every == 0:
                self.waiting.append(number)

    async def lull(self, enough: int) -> int:
        """How many wait after it."""
        running = asyncio.create_task(self.run())
        await lull(self.waiting, enough, lambda: self.now)
        running.cancel()
        return len(self.waiting)


async def test_what_comes_within_a_few_turns_is_waited_for() -> None:
    assert await Loop(turn=0, every=TURNS - 2).lull(enough=20) == 20


async def test_what_comes_later_is_not() -> None:
    assert await Loop(turn=0, every=TURNS + 2).lull(enough=20) == 1


async def test_enough_waits_for_nobody() -> None:
    assert await Loop(turn=0, every=1).lull(enough=1) == 1


async def test_busy_event_loop_is_not_waited_for_when_nothing_comes() -> None:
    assert await Loop(turn=QUIET / 3, every=6).lull(enough=20) == 1
    assert await Loop(turn=QUIET / 3, every=2).lull(enough=20) == 20


async def test_wait_ends_though_something_comes_in_every_turn() -> None:
    assert 8 <= await Loop(turn=WHOLE / 10, every=1).lull(enough=1000) <= 12

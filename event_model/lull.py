"""Waits for what is on its way, without a timer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sized

TURNS = 32
"""Of the event loop, that bring nothing: some 5 µs each when it has nothing else to do."""
QUIET, WHOLE = 0.0005, 0.01
"""Seconds without anything new, and in all, for an event loop that has other things to do."""


async def lull(waiting: Sized, enough: int, clock: Callable[[], float] = time.perf_counter) -> None:
    """Return when several turns of the event loop in a row have brought nothing to `waiting`, or when it has enough.

    Those who were answered a moment ago are about to ask again, one by one. To go ahead with the first of them alone
    costs more than all of them together: 64 unary calls in flight make 5,800 calls a second in place of 4,700, and
    with 4 and 16 connections there are a quarter more single events (docs/experiments.md).
    """
    began = newest = clock()
    quiet = 0
    while quiet < TURNS and (before := len(waiting)) < enough:
        await asyncio.sleep(0)
        now = clock()
        if len(waiting) > before:
            quiet, newest = 0, now
        else:
            quiet += 1
        if now - newest > QUIET or now - began > WHOLE:
            return

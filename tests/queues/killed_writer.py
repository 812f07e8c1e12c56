"""Puts records until it is killed, and prints the messageIds of each put when it has returned. Run by test_kill.py."""

from __future__ import annotations

import asyncio
import sys

from service.queues import Record, open_queue


async def write(url: str, name: str, callers: int) -> None:
    queue = open_queue(url, duplicate_window=3600)

    async def caller(number: int) -> None:
        for put in range(1_000_000):
            ids = [f"{name}-{number}-{put}-{index}" for index in range(1 + put % 20)]
            await queue.put(
                [Record(f'{{"messageId":"{each}"}}'.encode(), "key", each, "track", "user") for each in ids]
            )
            print(*ids, flush=True)

    await asyncio.gather(*map(caller, range(callers)))


url, name, callers = sys.argv[1:]
asyncio.run(write(url, name, int(callers)))

"""Who commits: the writer's thread, or the event loop where it may wait for the disk."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from service.queues.sqlite import FEW_RECORDS, SQLiteQueue
from service.queues.sqlite_writer import REST, SLOW, Writer

from .backend import WINDOW, Backend, Clock, always, records


def opened(url: str, *, may_block: bool = True) -> SQLiteQueue:
    return SQLiteQueue.open(url, duplicate_window=WINDOW, may_block=always if may_block else None, clock=Clock())


@pytest.mark.parametrize("may_block", [False, True])
@pytest.mark.parametrize("size", [1, FEW_RECORDS, FEW_RECORDS + 1])
async def test_small_put_is_committed_at_once_where_the_event_loop_may_block(
    sqlite_url: str, size: int, may_block: bool
) -> None:
    queue = opened(sqlite_url, may_block=may_block)
    putting = asyncio.create_task(queue.put(records(*map(str, range(size)))))
    await asyncio.sleep(0)  # one turn: what the writer's thread did is told in a later one
    assert putting.done() == (may_block and size <= FEW_RECORDS)
    assert not await putting
    assert queue.commits == 1
    await queue.close()
    assert len(await Backend(sqlite_url).values()) == size


async def test_event_loop_leaves_puts_that_share_a_commit_and_probes_to_the_thread(sqlite_url: str) -> None:
    queue = opened(sqlite_url)
    large = asyncio.create_task(queue.put(records(*map(str, range(1_000)))))
    puts = [asyncio.create_task(queue.put(records(name))) for name in "ab"]
    await asyncio.sleep(0)
    await large
    assert not puts[0].done()
    await asyncio.gather(*puts)
    assert queue.commits == 2
    await queue.close()
    queue = opened(sqlite_url)
    probe = asyncio.create_task(queue.healthy())
    await asyncio.sleep(0)
    assert not probe.done()
    assert await probe
    await queue.close()


async def test_puts_of_one_turn_share_a_commit_but_for_the_first_where_the_event_loop_may_block(
    sqlite_url: str,
) -> None:
    queue = opened(sqlite_url)
    await asyncio.gather(*[queue.put(records(str(number))) for number in range(64)])
    assert queue.commits == 2
    await queue.close()
    assert len(await Backend(sqlite_url).values()) == 64


async def test_event_loop_leaves_commits_to_the_thread_for_a_while_after_one_that_took_long(tmp_path: Path) -> None:
    now, slow = 0.0, iter([0.001, 2 * SLOW])

    def clock() -> float:
        return now

    def wait(_: object) -> None:
        nonlocal now
        now += next(slow)

    connection = sqlite3.connect(tmp_path / "queue.db", check_same_thread=False)
    connection.create_function("wait", 1, wait)
    writer = Writer(connection, may_block=always, clock=clock)
    for quick in (True, False):
        assert writer.commit_now([("SELECT wait(1)", ())]) is None
        assert writer.is_quick() == quick
    now += REST * 2 * SLOW - 0.001
    assert not writer.is_quick()
    now += 0.002
    assert writer.is_quick()
    await writer.close()

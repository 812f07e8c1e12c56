"""The writer thread commits, and the event loop goes on meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.queues.sqlite import SQLiteQueue
from service.queues.sqlite_writer import Writer

from .backend import WINDOW, Backend, Clock, records


@contextmanager
def held(path: Path) -> Generator[threading.Event]:
    """A trigger in the queue's file calls a function of this process, which waits until the event is set."""
    may = threading.Event()
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("CREATE TRIGGER hold BEFORE INSERT ON records BEGIN SELECT hold(); END")
    connection.close()
    try:
        yield may
    finally:
        may.set()


def opened(path: Path) -> SQLiteQueue:
    return SQLiteQueue.open(f"sqlite:///{path}", duplicate_window=WINDOW, clock=Clock())


async def test_event_loop_goes_on_while_a_commit_waits_and_later_puts_share_the_next(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    queue = opened(path)
    with held(path) as may:
        queue._connection.create_function("hold", 0, may.wait)  # pyright: ignore[reportPrivateUsage]
        first = asyncio.create_task(queue.put(records("first")))
        others = [asyncio.create_task(queue.put(records(str(number)))) for number in range(64)]
        for _ in range(100):
            await asyncio.sleep(0)
        assert not first.done()
        assert queue.commits == 0
        may.set()
        await asyncio.gather(first, *others)
    assert queue.commits == 2
    await queue.close()
    assert len(await Backend(f"sqlite:///{path}").values()) == 65


async def test_close_can_be_given_up_while_a_commit_hangs(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    queue = opened(path)
    with held(path) as may:
        queue._connection.create_function("hold", 0, may.wait)  # pyright: ignore[reportPrivateUsage]
        putting = asyncio.create_task(queue.put(records("first")))
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await queue.close()
        assert not putting.done()
        may.set()
        assert not await putting
    await queue.close()
    assert len(await Backend(f"sqlite:///{path}").values()) == 1


async def test_transactions_end_in_the_order_in_which_they_were_given(tmp_path: Path) -> None:
    writer = Writer(sqlite3.connect(tmp_path / "queue.db", isolation_level=None, check_same_thread=False))
    ended: list[tuple[str, Exception | None]] = []
    writer.commit([("CREATE TABLE t (a)", ())], lambda error: ended.append(("create", error)))
    writer.commit([("INSERT INTO missing VALUES (1)", ())], lambda error: ended.append(("fail", error)))
    writer.commit([("INSERT INTO t VALUES (1)", ())] * 2, lambda error: ended.append(("insert", error)))
    await writer.close()
    assert [name for name, _ in ended] == ["create", "fail", "insert"]
    assert [type(error) for _, error in ended] == [type(None), sqlite3.OperationalError, type(None)]

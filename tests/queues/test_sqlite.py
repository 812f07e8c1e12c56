"""What the embedded queue does beyond what every queue promises: commits, failures, files and readers."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest

from service.queues import InvalidQueue, QueueUnavailable, open_queue, open_reader
from service.queues.sqlite import INSERT, SQLiteQueue
from service.queues.sqlite_file import RECORDS, numbers, open_readonly, open_writer
from service.queues.sqlite_index import Index
from service.queues.sqlite_marks import SCHEMA, Marks

from .backend import WINDOW, Clock, record, records

LARGE = b'{"a":"' + b"x" * 1_000_000 + b'"}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue.db"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def open_at(path: Path, clock: Clock) -> SQLiteQueue:
    return SQLiteQueue.open(f"sqlite:///{path}", duplicate_window=WINDOW, clock=clock)


async def values(path: Path) -> list[bytes]:
    reader = open_reader(f"sqlite:///{path}")
    try:
        return [value async for value in reader.read(last=None, limit=None, follow=False)]
    finally:
        await reader.close()


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Another connection holds the file's write lock."""
    with closing(sqlite3.connect(path, isolation_level=None)) as intruder:
        intruder.execute("BEGIN IMMEDIATE")
        yield
        intruder.execute("ROLLBACK")


@contextmanager
def files_at_most(size: int) -> Generator[None]:
    """The operating system refuses to make files larger, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def database_full(queue: SQLiteQueue) -> Generator[None]:
    """SQLite says SQLITE_FULL whenever it would need another page."""
    execute = queue._connection.execute  # pyright: ignore[reportPrivateUsage]
    (pages,) = execute("PRAGMA page_count").fetchone()
    execute(f"PRAGMA max_page_count = {pages}")
    yield
    execute("PRAGMA max_page_count = 4294967294")


async def test_puts_at_once_share_commits(path: Path, clock: Clock) -> None:
    queue = open_at(path, clock)
    with locked(path):
        puts = [asyncio.create_task(queue.put(records(str(number)))) for number in range(500)]
        await asyncio.sleep(0)
    await asyncio.gather(*puts)
    assert queue.commits <= 2
    await queue.close()


@pytest.mark.parametrize(("sizes", "groups"), [([999, 1, 999, 1], 2), ([500] * 6, 3), ([5_000, 1], 2)])
async def test_a_commit_takes_no_further_put_after_a_thousand_records(
    path: Path, clock: Clock, sizes: list[int], groups: int
) -> None:
    queue = open_at(path, clock)
    with locked(path):
        puts = [asyncio.create_task(queue.put(records("first")))]
        await asyncio.sleep(0)
        puts += [
            asyncio.create_task(queue.put(records(*[f"{number} {each}" for each in range(size)])))
            for number, size in enumerate(sizes)
        ]
        await asyncio.sleep(0)
    await asyncio.gather(*puts)
    assert queue.commits == 1 + groups
    await queue.close()


async def test_a_probe_is_written_also_where_it_shares_its_turn_with_duplicates_alone(path: Path, clock: Clock) -> None:
    queue = open_at(path, clock)
    with locked(path):
        first = asyncio.create_task(queue.put(records("a")))
        await asyncio.sleep(0)
        again, health = asyncio.create_task(queue.put(records("a"))), asyncio.create_task(queue.healthy())
        await asyncio.sleep(0)
    assert (list(await first), list(await again), await health) == ([], [0], True)
    assert queue.commits == 2
    await queue.close()


async def test_a_queue_that_was_closed_leaves_no_log_beside_its_file(path: Path, clock: Clock) -> None:
    queue = open_at(path, clock)
    await queue.put(records("a"))
    assert path.with_name("queue.db-wal").exists()
    await queue.close()
    assert not path.with_name("queue.db-wal").exists()


async def test_every_commit_is_synced_by_the_writer(path: Path, clock: Clock) -> None:
    queue = open_at(path, clock)
    execute = queue._connection.execute  # pyright: ignore[reportPrivateUsage]
    pragmas = ("journal_mode", "synchronous", "page_size")
    assert [execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas] == ["wal", 2, 16384]
    await queue.close()


async def test_depth_is_the_number_of_records(path: Path, clock: Clock) -> None:
    queue = open_at(path, clock)
    assert queue.depth() == 0
    await queue.put(records("a", "b", "a"))
    await queue.put(records(*map(str, range(600))))
    assert queue.depth() == 602
    await queue.close()
    queue = open_at(path, clock)
    assert queue.depth() == 602
    await queue.close()


@pytest.mark.parametrize("cause", ["locked", "files", "full"])
async def test_a_failed_transaction_fails_its_puts_and_later_ones_succeed(path: Path, clock: Clock, cause: str) -> None:
    queue = open_at(path, clock)
    await queue.put(records("before"))
    log = path.with_name("queue.db-wal")
    causes = {"locked": locked(path), "files": files_at_most(log.stat().st_size + 16_384), "full": database_full(queue)}
    with causes[cause]:
        failed = [record("failed", value=LARGE), record("as well", value=LARGE)]
        outcomes = await asyncio.gather(*(queue.put([each]) for each in failed), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [QueueUnavailable, QueueUnavailable]
        assert str(outcomes[0]).startswith(f"The queue {path} cannot be written: ")
        assert not await queue.healthy()
    assert await queue.healthy()
    assert list(await queue.put([*failed, *records("before", "after")])) == [2]
    await queue.close()
    assert await values(path) == [each.value for each in [*records("before"), *failed, *records("after")]]


async def test_a_queue_whose_memory_fails_is_closed_and_leaves_nobody_waiting(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = open_at(path, clock)
    monkeypatch.setattr(Index, "add", Mock(side_effect=MemoryError))
    for put in [asyncio.create_task(queue.put(records(name))) for name in ("a", "b")]:
        with pytest.raises(QueueUnavailable):
            await put
    monkeypatch.undo()
    with pytest.raises(QueueUnavailable):
        await queue.put(records("c"))
    assert not await queue.healthy()
    await queue.close()
    queue = open_at(path, clock)
    assert list(await queue.put(records("a", "b"))) == [0]  # only the first was committed, and it is known again
    await queue.close()


@pytest.mark.parametrize(("field", "value"), [(4, 0), (8, os.ST_RDONLY)], ids=["full", "read-only"])
async def test_a_commit_proves_nothing_once_the_file_system_takes_no_more(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, field: int, value: int
) -> None:
    queue = open_at(path, clock)
    await queue.put(records("a"))
    with files_at_most(1):
        assert await queue.healthy()
        said = list(os.statvfs(path))
        said[field] = value
        monkeypatch.setattr(os, "statvfs", Mock(return_value=os.statvfs_result(said)))
        assert not await queue.healthy()
    assert await queue.healthy()
    await queue.close()


async def test_what_is_put_into_a_file_that_was_removed_is_not_called_durable(path: Path, clock: Clock) -> None:
    queue = open_at(path, clock)
    await queue.put(records("a"))
    os.unlink(path)
    with pytest.raises(QueueUnavailable, match=rf"^The queue {path} was removed or replaced\.$"):
        await queue.put(records("b"))
    assert not await queue.healthy()
    assert queue.commits == 1
    not_a_database(path)
    with pytest.raises(QueueUnavailable, match="replaced"):
        await queue.put(records("b"))
    await queue.close()


async def test_what_is_committed_to_a_file_that_was_removed_meanwhile_is_not_called_durable(
    path: Path, clock: Clock
) -> None:
    queue = open_at(path, clock)
    await queue.put(records("a"))
    with locked(path):
        putting = asyncio.create_task(queue.put(records("b")))
        await asyncio.sleep(0)  # the put has found the file in place, and its commit waits for the lock
        os.unlink(path)
    with pytest.raises(QueueUnavailable, match="removed"):
        await putting
    await queue.close()


async def test_a_reader_that_keeps_reading_neither_blocks_the_writer_nor_lets_the_log_grow(
    path: Path, clock: Clock
) -> None:
    queue = open_at(path, clock)
    await queue.put([record("first", value=LARGE)])
    reader = open_reader(f"sqlite:///{path}")
    followed = reader.read(last=None, limit=None, follow=True)
    paused = reader.read(last=None, limit=None, follow=True)
    await anext(paused)
    largest = 0
    for number in range(100):
        await queue.put([record(str(number), value=LARGE)])
        await anext(followed)
        largest = max(largest, path.with_name("queue.db-wal").stat().st_size)
    assert largest < 16 << 20
    await reader.close()
    await queue.close()


def test_numbers_are_those_of_one_moment(path: Path) -> None:
    """A follower that begins while the first record comes must not miss it."""
    with (
        closing(open_writer(path, schema=SCHEMA, synchronous="NORMAL")) as writer,
        closing(open_readonly(path)) as reader,
    ):
        statements: list[str] = []

        def comes(statement: str) -> None:
            if statements:
                writer.execute(INSERT, (len(statements), 0, b"", bytes(4), b""))
            statements.append(statement)

        reader.set_trace_callback(comes)
        assert numbers(reader)[0] == 1


def test_the_index_finds_all_that_is_within_the_window_and_does_not_grow_beyond_it() -> None:
    window, a_second, end = 10, 10_000, 40
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(RECORDS + SCHEMA)
        marks = Marks(connection, window, 0, 1)
        sizes: list[int] = []
        made: list[list[bytes]] = []
        for now in range(end):
            made.append([os.urandom(16) for _ in range(a_second)])
            assert marks.duplicates(made[now], now) == []
            new = b"".join(made[now])
            marks.expire(now)
            connection.execute(INSERT, ((now + 1) * a_second, now, new, bytes(4 * a_second), b""))
            for statement in marks.unsaved():
                connection.execute(*statement)
            marks.know(new)
            sizes.append(sum(map(len, marks._index._tables)))  # pyright: ignore[reportPrivateUsage]
        for then in range(end):
            expected = list(range(100)) if then >= end - 1 - window else []
            assert marks.duplicates(made[then][:100], end - 1) == expected
        assert sizes[-1] < 1.1 * sizes[20]
        again = Marks(connection, window, end - 1, end * a_second + 1)
        within, without = made[-window - 1], made[-window - 2]
        assert again.duplicates(within + without, end - 1) == list(range(a_second))


async def test_a_second_process_cannot_write_and_the_lock_dies_with_the_first(path: Path, clock: Clock) -> None:
    program = "import sys; from service.queues.sqlite_file import *; held = lock(Path(sys.argv[1])); print(); input()"
    first = await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-c", program, path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert first.stdout
    await first.stdout.readline()
    with pytest.raises(InvalidQueue, match=rf"queue\.db is in use by another process \(pid {first.pid}\)\."):
        open_at(path, clock)
    first.kill()
    await first.wait()
    await open_at(path, clock).close()


def not_a_database(path: Path) -> None:
    path.write_bytes(b"This is no database. " * 100)


def a_directory(path: Path) -> None:
    path.mkdir()


def of_a_later_format(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize("make", [not_a_database, a_directory, of_a_later_format])
def test_a_file_that_is_no_queue_is_refused_in_a_sentence(
    path: Path, clock: Clock, make: Callable[[Path], None]
) -> None:
    make(path)
    with pytest.raises(InvalidQueue, match=r"queue\.db.*\.$") as first:
        open_at(path, clock)
    with pytest.raises(InvalidQueue) as second:
        open_at(path, clock)
    assert str(second.value) == str(first.value), "its lock is given back"
    with pytest.raises(InvalidQueue, match=r"queue\.db.*\.$"):
        open_reader(f"sqlite:///{path}")


def test_a_file_beneath_a_file_is_refused_in_a_sentence(path: Path, clock: Clock) -> None:
    path.touch()
    with pytest.raises(InvalidQueue, match=r"queue\.db.*\.$"):
        open_at(path / "queue.db", clock)


def test_a_reader_of_a_queue_that_is_not_there_is_told_so(path: Path) -> None:
    with pytest.raises(InvalidQueue, match=r"There is no .*queue\.db yet"):
        open_reader(f"sqlite:///{path}")
    assert not path.exists()


@pytest.mark.parametrize("url", ["", "queue.db", "redis://host", "sqlite://queue.db", "sqlite:///"])
def test_a_url_that_names_no_queue_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(InvalidQueue, match=r"sqlite:///"):
        open_queue(url, duplicate_window=WINDOW)
    with pytest.raises(InvalidQueue, match=r"sqlite:///"):
        open_reader(url)


async def test_directories_on_the_way_are_made(path: Path, clock: Clock) -> None:
    await open_at(path.parent / "a" / "b" / "queue.db", clock).close()
    assert (path.parent / "a" / "b" / "queue.db").exists()

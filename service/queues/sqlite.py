"""The embedded queue: a SQLite file, written by one thread that commits whatever waits in one transaction."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from service.queues import QueueUnavailable, Record
from service.queues.sqlite_file import lock, numbers, open_writer, pack_row, path_of
from service.queues.sqlite_marks import SCHEMA as MARKS
from service.queues.sqlite_marks import Marks

SCHEMA = """
    CREATE TABLE probe (id INTEGER PRIMARY KEY, filling BLOB NOT NULL);
    CREATE TRIGGER replace_probe AFTER INSERT ON probe BEGIN DELETE FROM probe WHERE id < new.id; END;
"""
INSERT = "INSERT INTO records (last, second, marks, lengths, lines) VALUES (?, ?, ?, ?, ?)"
GROUP_RECORDS = 10_000
"""After how many records a group takes no further put."""
PROBE_BYTES = 65_536
"""What a probe of the queue writes: as much as a put of ordinary size."""
PROOF_SECONDS = 5.0
"""How long a transaction that succeeded proves that the next one can, where the file system has room."""


class _Put(NamedTuple):
    records: Sequence[Record]
    """None at all: a probe of whether the queue can be written."""
    answer: asyncio.Future[Collection[int]]


class SQLiteQueue:
    """A queue in one file. It belongs to the event loop that its methods are called in."""

    @classmethod
    def open(cls, url: str, *, duplicate_window: int, clock: Callable[[], float] = time.time) -> SQLiteQueue:
        """Open `sqlite:///PATH` for this process alone. `clock` is in seconds. Raises InvalidQueue."""
        return cls(path_of(url), duplicate_window, clock)

    def __init__(self, path: Path, duplicate_window: int, clock: Callable[[], float]) -> None:
        self.commits = 0
        """How many transactions have been committed."""
        self._path = path
        self._clock = clock
        self._lock = lock(path)
        try:
            self._connection = open_writer(path, schema=MARKS + SCHEMA, synchronous="FULL")
        except BaseException:
            self._lock.close()
            raise
        self._inode = path.stat().st_ino
        self._first, self._next = numbers(self._connection)
        self._marks = Marks(self._connection, duplicate_window, int(clock()), self._next)
        self._proved = -PROOF_SECONDS
        self._open = True
        self._waiting: SimpleQueue[_Put | None] = SimpleQueue()
        self._writer = threading.Thread(target=self._run, name="queue-writer", daemon=True)
        self._writer.start()

    async def put(self, records: Sequence[Record]) -> Collection[int]:
        return await self._commit(records) if records else ()

    async def healthy(self) -> bool:
        """Whether a put could succeed: one just did and there is room for more, or a probe can be written."""
        if self._open and self._has_room() and time.monotonic() - self._proved < PROOF_SECONDS:
            return True
        try:
            await self._commit(())
        except QueueUnavailable:
            return False
        return True

    async def close(self) -> None:
        if self._open:
            self._open = False
            self._waiting.put(None)
        await asyncio.to_thread(self._writer.join)

    def depth(self) -> int:
        """How many records the queue holds."""
        return self._next - self._first

    async def _commit(self, records: Sequence[Record]) -> Collection[int]:
        if not self._open:
            raise QueueUnavailable("The queue is closed.")
        # Asked of the first put of a group only: to ask lets the writer go ahead, and would take the group apart.
        if self._waiting.empty() and not self._in_place():
            raise QueueUnavailable(f"The queue {self._path} was removed or replaced.")
        answer: asyncio.Future[Collection[int]] = asyncio.get_running_loop().create_future()
        self._waiting.put(_Put(records, answer))
        return await answer

    def _run(self) -> None:
        with self._lock, closing(self._connection):
            try:
                while group := self._group():
                    outcome: list[Collection[int]] | QueueUnavailable = QueueUnavailable("The queue's writer failed.")
                    try:
                        outcome = self._write(group)
                    except sqlite3.Error as error:
                        outcome = QueueUnavailable(f"The queue {self._path} cannot be written: {error}.")
                        self._proved = -PROOF_SECONDS
                    finally:
                        group[0].answer.get_loop().call_soon_threadsafe(self._answer, group, outcome)
            finally:
                self._open = False

    def _group(self) -> list[_Put]:
        """Wait for a put, and take what else waits as well. Empty: the queue is to be closed."""
        put = self._waiting.get()
        group: list[_Put] = []
        records = 0
        while put is not None:
            group.append(put)
            records += len(put.records)
            if records >= GROUP_RECORDS or self._waiting.empty():
                return group
            put = self._waiting.get()
        if group:
            self._waiting.put(None)
        return group

    def _write(self, group: Sequence[_Put]) -> list[Collection[int]]:
        """Queue what is new, in one transaction: for each put, the indexes of its duplicates."""
        now = int(self._clock())
        records = [record for put in group for record in put.records]
        marks = self._marks.of(records)
        duplicates = self._marks.duplicates(marks, now)
        if duplicates:
            known = set(duplicates)
            marks = [mark for index, mark in enumerate(marks) if index not in known]
            records = [record for index, record in enumerate(records) if index not in known]
        if records:
            last = self._next + len(records) - 1
            lengths, lines = pack_row([record.value for record in records])
            new = b"".join(marks)
            self._marks.expire(now)
            # One statement is a transaction of its own. Each more would cost the writer the interpreter's lock, and a
            # wait to get it back.
            row = (last, now, new, lengths, lines)
            if parts := self._marks.unsaved():
                with self._connection:
                    self._connection.execute("BEGIN IMMEDIATE")
                    self._connection.executemany("INSERT OR REPLACE INTO parts VALUES (?, ?, ?)", parts)
                    self._connection.execute(INSERT, row)
            else:
                self._connection.execute(INSERT, row)
            self._marks.know(new)
            self._next = last + 1
        elif not all(put.records for put in group):
            self._connection.execute("INSERT INTO probe (filling) VALUES (zeroblob(?))", (PROBE_BYTES,))
        else:
            return _by_put(group, duplicates)
        self.commits += 1
        self._proved = time.monotonic()
        return _by_put(group, duplicates)

    def _answer(self, group: Sequence[_Put], outcome: Sequence[Collection[int]] | QueueUnavailable) -> None:
        """Answer the puts of a group, but for those whose callers have gone."""
        if not self._in_place():
            # What is written to a file that has lost its name is lost with the process.
            outcome = QueueUnavailable(f"The queue {self._path} was removed or replaced.")
        if isinstance(outcome, QueueUnavailable):
            for put in group:
                if not put.answer.done():
                    put.answer.set_exception(QueueUnavailable(*outcome.args))
        else:
            for put, duplicates in zip(group, outcome, strict=True):
                if not put.answer.done():
                    put.answer.set_result(duplicates)

    def _in_place(self) -> bool:
        try:
            return self._path.stat().st_ino == self._inode
        except OSError:
            return False

    def _has_room(self) -> bool:
        """Whether the file is in place, and the file system says that it takes more."""
        try:
            system = os.statvfs(self._path)
        except OSError:
            return False
        return self._in_place() and system.f_bavail * system.f_frsize > PROBE_BYTES and not system.f_flag & os.ST_RDONLY


def _by_put(group: Sequence[_Put], duplicates: Sequence[int]) -> list[Collection[int]]:
    """The indexes in the group's records as indexes in each put's own."""
    if not duplicates:
        return [()] * len(group)
    remaining = iter(duplicates)
    index = next(remaining, None)
    outcome: list[Collection[int]] = []
    start = 0
    for put in group:
        end = start + len(put.records)
        own: list[int] = []
        while index is not None and index < end:
            own.append(index - start)
            index = next(remaining, None)
        outcome.append(own)
        start = end
    return outcome

"""The embedded queue: a SQLite file, written by one thread that commits whatever waits in one transaction."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import closing, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from service.queues import QueueUnavailable, Record
from service.queues.sqlite_file import ROW_RECORDS, lock, numbers, open_writer, pack_row, path_of
from service.queues.sqlite_marks import Marks, mark

# A row of `marks` is the marks of one commit, 16 bytes each. They stand apart from the records because they are read
# whole at start, and in order of time because sorted they would dirty a page for each event.
SCHEMA = """
    CREATE TABLE marks (last INTEGER PRIMARY KEY, second INTEGER NOT NULL, marks BLOB NOT NULL);
    CREATE TABLE probe (id INTEGER PRIMARY KEY, filling BLOB NOT NULL);
"""

PROBE_BYTES = 65_536
"""What a probe of the queue writes: as much as a put of ordinary size."""
PROOF_SECONDS = 5.0
"""How long a transaction that succeeded proves that the next one can."""
TRIMMED_ROWS = 8
"""How many rows of expired marks a transaction deletes at most, so that none takes long."""


class _Put(NamedTuple):
    records: Sequence[Record]
    """None at all: a probe of whether the queue can be written."""
    answer: asyncio.Future[Collection[int]]


class SQLiteQueue:
    """A queue in one file. It belongs to the event loop that its methods are called in."""

    @classmethod
    def open(cls, url: str, *, duplicate_window: int, clock: Callable[[], float] = time.time) -> SQLiteQueue:
        """Open `sqlite:///PATH` for this process alone. `clock` is in seconds. Raises InvalidQueue."""
        return cls(path_of(url), Marks(duplicate_window), clock)

    def __init__(self, path: Path, marks: Marks, clock: Callable[[], float]) -> None:
        self._path = path
        self._marks = marks
        self._clock = clock
        self._lock = lock(path)
        try:
            self._connection = open_writer(path, schema=SCHEMA, synchronous="FULL")
        except BaseException:
            self._lock.close()
            raise
        self._inode = path.stat().st_ino
        self._first, self._next = numbers(self._connection)
        self._oldest_mark = self._read_marks()
        self._proved = -PROOF_SECONDS
        self._open = True
        self._waiting: SimpleQueue[_Put | None] = SimpleQueue()
        self._writer = threading.Thread(target=self._run, name="queue-writer", daemon=True)
        self._writer.start()

    async def put(self, records: Sequence[Record]) -> Collection[int]:
        return await self._commit(records) if records else ()

    async def healthy(self) -> bool:
        """Whether a put could succeed: one just did, or a probe can be written."""
        if self._open and time.monotonic() - self._proved < PROOF_SECONDS:
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
        answer: asyncio.Future[Collection[int]] = asyncio.get_running_loop().create_future()
        self._waiting.put(_Put(records, answer))
        return await answer

    def _run(self) -> None:
        with self._lock, closing(self._connection):
            while group := self._group():
                outcome: list[Collection[int]] | QueueUnavailable = QueueUnavailable("The queue's writer failed.")
                try:
                    outcome = self._write(group)
                except (sqlite3.Error, OSError) as error:
                    outcome = QueueUnavailable(f"The queue {self._path} cannot be written: {error}.")
                    self._proved = -PROOF_SECONDS
                    with suppress(sqlite3.Error):
                        self._connection.rollback()
                finally:
                    group[0].answer.get_loop().call_soon_threadsafe(_answer, group, outcome)

    def _group(self) -> list[_Put]:
        """Wait for a put, and take everything else that waits as well. Empty: the queue is to be closed."""
        put = self._waiting.get()
        group: list[_Put] = []
        while put is not None:
            group.append(put)
            if self._waiting.empty():
                return group
            put = self._waiting.get()
        if group:
            self._waiting.put(None)
        return group

    def _write(self, group: Sequence[_Put]) -> list[Collection[int]]:
        """Queue what is new, in one transaction: for each put, the indexes of its duplicates."""
        if self._path.stat().st_ino != self._inode:
            # What is written to a file that has lost its name is lost with the process.
            raise OSError("the file was replaced")
        now = int(self._clock())
        marks = [mark(record) for put in group for record in put.records]
        values = [record.value for put in group for record in put.records]
        duplicates = self._marks.duplicates(marks, now)
        for index in reversed(duplicates):
            del values[index], marks[index]
        probed = not all(put.records for put in group)
        if values or probed:
            execute = self._connection.execute
            following = self._next + len(values)
            execute("BEGIN IMMEDIATE")
            for start in range(0, len(values), ROW_RECORDS):
                row = values[start : start + ROW_RECORDS]
                execute("INSERT INTO records VALUES (?, ?, ?)", (self._next + start + len(row) - 1, *pack_row(row)))
            if values:
                execute("INSERT INTO marks VALUES (?, ?, ?)", (following - 1, now, b"".join(marks)))
            if probed:
                execute("INSERT INTO probe (filling) VALUES (zeroblob(?))", (PROBE_BYTES,))
                execute("DELETE FROM probe WHERE id < last_insert_rowid()")
            self._trim_marks(now)
            execute("COMMIT")
            self._next = following
            self._marks.add(b"".join(marks), now)
            self._marks.sweep(16 + len(marks) // 8, now)
            self._proved = time.monotonic()
        return _by_put(group, duplicates)

    def _trim_marks(self, now: int) -> None:
        """Delete the oldest rows of marks as far as they have expired."""
        horizon = self._marks.horizon(now)
        if self._oldest_mark >= horizon:
            return
        execute = self._connection.execute
        rows = execute("SELECT last, second FROM marks ORDER BY last LIMIT ?", (TRIMMED_ROWS + 1,)).fetchall()
        expired = [last for last, second in rows[:TRIMMED_ROWS] if second < horizon]
        if expired:
            execute("DELETE FROM marks WHERE last <= ?", (expired[-1],))
        self._oldest_mark = rows[len(expired)][1] if len(expired) < len(rows) else now

    def _read_marks(self) -> int:
        """Hold the marks that are still within the window; the second of the oldest row."""
        oldest = now = int(self._clock())
        horizon = self._marks.horizon(now)
        for second, marks in self._connection.execute("SELECT second, marks FROM marks ORDER BY last"):
            oldest = min(oldest, second)
            if second >= horizon:
                self._marks.add(marks, second)
        return oldest


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


def _answer(group: Sequence[_Put], outcome: Sequence[Collection[int]] | QueueUnavailable) -> None:
    """Answer the puts of a group, but for those whose callers have gone."""
    if isinstance(outcome, QueueUnavailable):
        for put in group:
            if not put.answer.done():
                put.answer.set_exception(QueueUnavailable(*outcome.args))
    else:
        for put, duplicates in zip(group, outcome, strict=True):
            if not put.answer.done():
                put.answer.set_result(duplicates)

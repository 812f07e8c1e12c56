"""The embedded queue: a SQLite file. What waits while a transaction is committed shares the next."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from service.queues import QueueUnavailable, Record
from service.queues.sqlite_file import lock, numbers, open_writer, pack_row, path_of
from service.queues.sqlite_marks import SCHEMA as MARKS
from service.queues.sqlite_marks import Marks
from service.queues.sqlite_writer import Writer

SCHEMA = """
    CREATE TABLE probe (id INTEGER PRIMARY KEY, filling BLOB NOT NULL);
    CREATE TRIGGER replace_probe AFTER INSERT ON probe BEGIN DELETE FROM probe WHERE id < new.id; END;
"""
INSERT = "INSERT INTO records (last, second, marks, lengths, lines) VALUES (?, ?, ?, ?, ?)"
GROUP_RECORDS = 1_000
"""After how many records a group takes no further put: to make a row of them keeps the event loop for some 4 ms."""
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
    def open(
        cls,
        url: str,
        *,
        duplicate_window: int,
        clock: Callable[[], float] = time.time,
    ) -> SQLiteQueue:
        """Open `sqlite:///PATH` for this process alone, as `open_queue` does. Raises InvalidQueue."""
        return cls(path_of(url), duplicate_window, clock)

    def __init__(self, path: Path, duplicate_window: int, clock: Callable[[], float]) -> None:
        self.commits = 0
        """How many transactions have been committed."""
        self._path = str(path)
        self._clock = clock
        self._lock = lock(path)
        try:
            self._connection = open_writer(path, schema=MARKS + SCHEMA, synchronous="FULL")
        except BaseException:
            self._lock.close()
            raise
        self._inode = path.stat().st_ino
        self._first, following = numbers(self._connection)
        self._marks = Marks(self._connection, duplicate_window, int(clock()), following)
        self._proved = -PROOF_SECONDS
        self._open = True
        self._waiting: deque[_Put] = deque()
        self._idle = asyncio.Event()
        self._idle.set()
        self._writer = Writer(self._connection)

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
        self._open = False
        await self._idle.wait()
        await self._writer.close()
        self._lock.close()

    def depth(self) -> int:
        """How many records the queue holds."""
        return self._marks.following - self._first

    async def _commit(self, records: Sequence[Record]) -> Collection[int]:
        if not self._open:
            raise QueueUnavailable("The queue is closed.")
        answer: asyncio.Future[Collection[int]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Put(records, answer))
        if self._idle.is_set():
            self._idle.clear()
            self._write()
        return await answer

    def _write(self) -> None:
        """Begin to commit the puts that wait. The end of the transaction calls this again."""
        while group := self._group():
            try:
                if self._transaction(group):
                    return
            except Exception as error:  # whatever it is, somebody waits to be told
                self._fail(group, error)
        self._idle.set()

    def _group(self) -> list[_Put]:
        group: list[_Put] = []
        records = 0
        while self._waiting and records < GROUP_RECORDS:
            put = self._waiting.popleft()
            group.append(put)
            records += len(put.records)
        return group

    def _transaction(self, group: Sequence[_Put]) -> bool:
        """Begin one transaction with a group's new records. False if there are none: the group is answered."""
        self._check_in_place()
        now = int(self._clock())
        records = [record for put in group for record in put.records]
        marks = self._marks.of(records)
        duplicates = self._marks.duplicates(marks, now)
        if duplicates:
            known = set(duplicates)
            marks = [mark for index, mark in enumerate(marks) if index not in known]
            records = [record for index, record in enumerate(records) if index not in known]
        new = b"".join(marks)
        if records:
            last = self._marks.following + len(records) - 1
            self._marks.expire(now)
            statements = self._marks.unsaved()
            # One row, and one statement most of the time: with a row for each record batches were a quarter fewer.
            statements.append((INSERT, (last, now, new, *pack_row([record.value for record in records]))))
        elif not all(put.records for put in group):
            statements = [("INSERT INTO probe (filling) VALUES (zeroblob(?))", (PROBE_BYTES,))]
        else:
            self._answer(group, duplicates)
            return False
        self._writer.commit(statements, partial(self._ended, group, duplicates, new))
        return True

    def _ended(self, group: Sequence[_Put], duplicates: Sequence[int], new: bytes, error: Exception | None) -> None:
        """Answer a group whose transaction has ended, and begin the next. `new` are the marks of the new records."""
        if error:
            self._proved = -PROOF_SECONDS
            self._fail(group, error)
        else:
            try:
                self._marks.know(new)
            except Exception as broken:  # what is known no longer agrees with the file: a new start reads it again
                self._open = False
                self._fail([*group, *self._waiting], broken)
                self._waiting.clear()
            else:
                self.commits += 1
                self._proved = time.monotonic()
                self._answer(group, duplicates)
        self._write()

    def _answer(self, group: Sequence[_Put], duplicates: Sequence[int]) -> None:
        """Answer the puts of a group, but for those whose callers have gone."""
        try:
            self._check_in_place()
        except QueueUnavailable as error:
            self._fail(group, error)
            return
        for put, own in zip(group, _by_put(group, duplicates), strict=True):
            if not put.answer.done():
                put.answer.set_result(own)

    def _fail(self, group: Sequence[_Put], error: Exception) -> None:
        why = error if isinstance(error, QueueUnavailable) else f"The queue {self._path} cannot be written: {error}."
        for put in group:
            if not put.answer.done():
                put.answer.set_exception(QueueUnavailable(str(why)))

    def _check_in_place(self) -> None:
        """Raise QueueUnavailable where the file has lost its name: what is written to it is lost with the process."""
        if not self._in_place():
            raise QueueUnavailable(f"The queue {self._path} was removed or replaced.")

    def _in_place(self) -> bool:
        try:
            return os.stat(self._path).st_ino == self._inode
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

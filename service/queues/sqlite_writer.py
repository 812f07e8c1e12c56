"""Commits transactions, most of them in a thread: all of a put that waits for the disk, and nothing else."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from queue import SimpleQueue
from typing import Any, NamedTuple

log = logging.getLogger(__name__)

Statement = tuple[str, Sequence[Any]]
"""SQL and its parameters."""
Done = Callable[[Exception | None], object]
"""Is told in the event loop how a transaction ended: with what went wrong, if anything did."""

SLOW, REST = 0.005, 50
"""Where a commit took longer than the first, in seconds, the event loop leaves all to the thread for so many times as
long as it took: it waits for a disk that is slow, or a file that is locked, for 2 % of the time at most."""
_HUNG = 1.0  # seconds


class _Commit(NamedTuple):
    statements: Sequence[Statement]
    loop: asyncio.AbstractEventLoop
    done: Done


class Writer:
    """Commits transactions on a connection, one after the other, and closes it in the end.

    The interpreter's lock is taken when a commit begins and when it has ended: a thread that did more in Python would
    fight over the lock with the event loop, which cost 7 µs an event.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        may_block: Callable[[], bool] | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`may_block` tells whether the event loop may wait just now. `clock` is in seconds."""
        self._connection = connection
        self._may_block = may_block
        self._clock = clock
        self._rests_until = 0.0
        self._commits: SimpleQueue[_Commit | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="queue-writer", daemon=True)
        self._thread.start()

    def commit(self, statements: Sequence[Statement], done: Done) -> None:
        """Have the thread execute statements in one transaction, when it has done what it was given before."""
        self._commits.put(_Commit(statements, asyncio.get_running_loop(), done))

    def is_quick(self) -> bool:
        """Whether `commit_now` may be called, if the thread has nothing to do."""
        return self._may_block is not None and self._clock() >= self._rests_until and self._may_block()

    def commit_now(self, statements: Sequence[Statement]) -> Exception | None:
        """Execute statements in one transaction: what went wrong, if anything did.

        To wake the thread, and to be woken by it, is an eighth of a lone event's time: 0.85 ms in place of 0.98.
        """
        error, took = self._timed(statements)
        if took > _HUNG:
            log.warning("a commit took %.1f s, and nothing else was done meanwhile", took)
        return error

    async def close(self) -> None:
        """Return when all was committed and the connection is closed."""
        self._commits.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        with closing(self._connection):
            while commit := self._commits.get():
                error, _ = self._timed(commit.statements)
                commit.loop.call_soon_threadsafe(commit.done, error)

    def _timed(self, statements: Sequence[Statement]) -> tuple[Exception | None, float]:
        """As `_execute`, and how many seconds it took; after what took long, the event loop rests."""
        began = self._clock()
        error = self._execute(statements)
        ended = self._clock()
        took = ended - began
        if took > SLOW:
            self._rests_until = ended + REST * took
        return error, took

    def _execute(self, statements: Sequence[Statement]) -> Exception | None:
        """What went wrong with a transaction, if anything did."""
        try:
            if len(statements) == 1:  # is a transaction of its own
                self._connection.execute(*statements[0])
                return None
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                for statement in statements:
                    self._connection.execute(*statement)
        except Exception as error:  # whatever it is, somebody waits to be told
            return error
        return None

"""The thread that commits: all of a put that waits for the disk, and nothing else."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from queue import SimpleQueue
from typing import Any, NamedTuple

Statement = tuple[str, Sequence[Any]]
"""SQL and its parameters."""


class _Commit(NamedTuple):
    statements: Sequence[Statement]
    loop: asyncio.AbstractEventLoop
    done: Callable[[Exception | None], object]


class Writer:
    """Commits transactions on a connection, one after the other, and closes it in the end.

    The interpreter's lock is taken when a commit begins and when it has ended: a thread that did more in Python would
    fight over the lock with the event loop, which cost 7 µs an event.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._commits: SimpleQueue[_Commit | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="queue-writer", daemon=True)
        self._thread.start()

    def commit(self, statements: Sequence[Statement], done: Callable[[Exception | None], object]) -> None:
        """Execute statements in one transaction; `done` is told in this event loop, with what went wrong if it did."""
        self._commits.put(_Commit(statements, asyncio.get_running_loop(), done))

    async def close(self) -> None:
        """Return when all was committed and the connection is closed."""
        self._commits.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        with closing(self._connection):
            while commit := self._commits.get():
                error = None
                try:
                    self._execute(commit.statements)
                except Exception as raised:  # whatever it is, somebody waits to be told
                    error = raised
                commit.loop.call_soon_threadsafe(commit.done, error)

    def _execute(self, statements: Sequence[Statement]) -> None:
        if len(statements) == 1:  # is a transaction of its own
            self._connection.execute(*statements[0])
            return
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            for statement in statements:
                self._connection.execute(*statement)

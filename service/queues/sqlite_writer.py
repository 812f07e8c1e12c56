"""The thread that commits transactions. The event loop never waits for the disk."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from queue import SimpleQueue
from typing import Any, NamedTuple

Statement = tuple[str, Sequence[Any]]
"""SQL and its parameters."""
Done = Callable[[Exception | None], object]
"""Is called in the event loop when a transaction has ended: with the error, or with None after a commit."""


class _Commit(NamedTuple):
    statements: Sequence[Statement]
    loop: asyncio.AbstractEventLoop
    done: Done


class Writer:
    """Commits transactions on a connection, one after the other, and closes the connection at the end.

    The thread takes the interpreter's lock only at the begin and the end of a commit. More Python in this thread would
    compete for the lock with the event loop (measured, docs/experiments.md).
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._commits: SimpleQueue[_Commit | None] = SimpleQueue()
        self._closed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        # A daemon: a process can end while its disk hangs.
        self._thread = threading.Thread(target=self._run, name="queue-writer", daemon=True)
        self._thread.start()

    def commit(self, statements: Sequence[Statement], done: Done) -> None:
        """Have the thread execute statements in one transaction, after the transactions that it was given before."""
        self._commits.put(_Commit(statements, asyncio.get_running_loop(), done))

    async def close(self) -> None:
        """Return when every transaction has ended and the connection is closed. May be cancelled."""
        self._loop = asyncio.get_running_loop()
        self._commits.put(None)
        await self._closed.wait()

    def _run(self) -> None:
        with closing(self._connection):
            while commit := self._commits.get():
                error = self._execute(commit.statements)
                with suppress(RuntimeError):  # the event loop is closed: nobody waits for the answer
                    commit.loop.call_soon_threadsafe(commit.done, error)
        if self._loop:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._closed.set)

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

"""Where records go: one interface, and a module for each engine, chosen by the scheme of the queue's URL."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import Protocol, runtime_checkable

import msgspec


class Record(msgspec.Struct, frozen=True, gc=False):
    """One event as the queue holds it."""

    value: bytes
    """The record: one JSON object on one line, UTF-8."""
    write_key: str
    message_id: str
    kind: str
    """The event's `type`."""
    user: str
    """userId, else anonymousId: with the write key, what keeps one user's events in order."""


class QueueUnavailable(Exception):
    """The queue cannot be written just now. The message says why, for the log."""


class InvalidQueue(Exception):
    """The queue's URL cannot be used. The message is a sentence for the operator."""


class Queue(Protocol):
    async def put(self, records: Sequence[Record]) -> Collection[int]:
        """Return when every record is durable: the indexes of those that were not queued as they are duplicates.

        A record is a duplicate of an earlier one, of this call or before it, with the same write key and messageId
        within the window. Raises QueueUnavailable; then none of the records of this call was queued, or some were,
        and putting all of them again is safe.
        """
        ...

    async def healthy(self) -> bool:
        """Whether a put could succeed now."""
        ...

    async def close(self) -> None:
        """Make what waits durable and release everything."""
        ...


@runtime_checkable
class Counted(Protocol):
    """A queue that knows how many records it holds."""

    def depth(self) -> int: ...


class Reader(Protocol):
    """What `trackside tail` reads with. It never blocks the queue's writer."""

    def read(self, *, last: int | None, limit: int | None, follow: bool) -> AsyncIterator[bytes]:
        """The records' values in order: all, or from the `last` ones on; at most `limit`; with `follow`, without end.

        Raises QueueUnavailable.
        """
        ...

    async def close(self) -> None: ...


def open_queue(url: str, *, duplicate_window: int, clock: Callable[[], float] = time.time) -> Queue:
    """Open the queue that a URL names, for writing.

    `sqlite:///PATH` is a SQLite file; PATH is created when it is not there. `duplicate_window` is in seconds of
    `clock`; at 0 nothing is a duplicate. Raises InvalidQueue.
    """
    match _scheme(url):
        case "sqlite":
            from service.queues.sqlite import SQLiteQueue

            return SQLiteQueue.open(url, duplicate_window=duplicate_window, clock=clock)
        case _:
            raise _unknown(url)


def open_reader(url: str) -> Reader:
    """Open the queue that a URL names, for reading, whether it is being written or not. Raises InvalidQueue."""
    match _scheme(url):
        case "sqlite":
            from service.queues.sqlite_reader import SQLiteReader

            return SQLiteReader.open(url)
        case _:
            raise _unknown(url)


def _scheme(url: str) -> str:
    return url.partition(":")[0]


def _unknown(url: str) -> InvalidQueue:
    return InvalidQueue(f"There is no queue for {url!r}: a queue's URL starts with sqlite:///.")

"""Reads the embedded queue without ever holding up its writer, in this process or another."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from functools import partial
from typing import TypeVar

from service.queues import QueueUnavailable
from service.queues.sqlite_file import numbers, open_readonly, path_of, unpack_row

T = TypeVar("T")

PAGE_BYTES = 1 << 20
"""How much one transaction reads. A reader that stayed in one would stop the checkpoints."""
POLL_SECONDS = 0.1
"""How long after the end was reached a follower looks again."""


class SQLiteReader:
    """Reads a queue in one file."""

    @classmethod
    def open(cls, url: str) -> SQLiteReader:
        """Open `sqlite:///PATH`, which must be there. Raises InvalidQueue."""
        return cls(open_readonly(path_of(url)))

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def read(self, *, last: int | None, limit: int | None, follow: bool) -> AsyncIterator[bytes]:
        wanted, end = await _transaction(partial(numbers, self._connection))
        if last is not None:
            wanted = max(wanted, end - last)
        left = limit
        while left is None or left > 0:
            page = await _transaction(partial(self._page, wanted))
            if not page:
                if not follow:
                    return
                await asyncio.sleep(POLL_SECONDS)
            for number, value in page[:left]:
                yield value
                wanted = number + 1
            left = left and max(0, left - len(page))

    async def close(self) -> None:
        self._connection.close()

    def _page(self, wanted: int) -> list[tuple[int, bytes]]:
        """The numbers and values of records from `wanted` on, in one short transaction."""
        page: list[tuple[int, bytes]] = []
        select = "SELECT last, lengths, lines FROM records WHERE last >= ? ORDER BY last"
        with closing(self._connection.execute(select, (wanted,))) as rows:
            read = 0
            for last, lengths, lines in rows:
                page += enumerate(unpack_row(lengths, lines), last + 1 - len(lengths) // 4)
                read += len(lines)
                if read >= PAGE_BYTES:
                    break
        return [(number, value) for number, value in page if number >= wanted]


async def _transaction(read: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(read)
    except sqlite3.Error as error:
        raise QueueUnavailable(f"The queue cannot be read: {error}.") from error

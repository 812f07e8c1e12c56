"""Prints what is in the queue, one record on a line, as it is there."""

from __future__ import annotations

import asyncio
import select
import signal
import sys
import threading

from service.queues import Reader

LAST = 10
"""How many records are printed where nothing else is said, as tail(1) does."""


def tail(reader: Reader, *, from_start: bool, limit: int | None, follow: bool) -> None:
    """Print the last `limit` records, or from the start at most `limit`; with `follow`, then what arrives.

    Raises QueueUnavailable.
    """
    # A closed pipe and Ctrl-C end it without a word. It holds nothing that has to be given back.
    for number in (signal.SIGPIPE, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    if from_start:
        asyncio.run(_print(reader, last=None, limit=limit, follow=follow))
    else:
        asyncio.run(_print(reader, last=LAST if limit is None else limit, limit=None, follow=follow))


async def _print(reader: Reader, *, last: int | None, limit: int | None, follow: bool) -> None:
    write, flush = sys.stdout.buffer.write, sys.stdout.buffer.flush
    if follow:
        threading.Thread(target=_end_when_unread, daemon=True).start()
    async for record in reader.read(last=last, limit=limit, follow=follow):
        write(record + b"\n")
        if follow:
            flush()
    flush()
    await reader.close()


def _end_when_unread() -> None:
    """End this process when nobody reads what it prints: what it would print next may be long in coming."""
    unread = select.poll()
    unread.register(sys.stdout, 0)  # 0: tell of nothing but that
    unread.poll()
    signal.raise_signal(signal.SIGPIPE)

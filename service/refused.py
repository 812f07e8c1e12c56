"""Keeps the newest refused events, with their reasons, to be looked at: a bounded file beside the queue."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from service.queues.sqlite_file import lock, numbers, open_writer, pack_row, path_of

BACKLOG = 1_000
"""How many events wait to be written at most. The oldest are dropped."""
PAUSE_SECONDS = 0.1
"""How long after a write the next one comes, so that a flood of refused events costs no more than its backlog."""

log = logging.getLogger(__name__)


class RefusedEvent(msgspec.Struct, frozen=True, rename="camel"):
    """One line of `trackside tail --refused`."""

    time: str
    """When it was refused, ISO 8601."""
    reason: str
    field: str
    """The JSON name of the member at fault; empty when it is none."""
    description: str
    type: str
    message_id: str
    source: str
    """The source's name, or its write key masked."""
    payload: str
    """What was sent, cut off at 16 KB by whoever adds it."""


def refused_url(data_dir: Path) -> str:
    """What `open_reader` reads refused events from: each is one JSON object."""
    return f"sqlite:///{data_dir.absolute() / 'refused.db'}"


class RefusedStore:
    """Keeps the newest events that were refused. What was added in the last moments before a crash may be missing."""

    @classmethod
    def open(cls, data_dir: Path, *, keep: int) -> RefusedStore:
        """Keep `keep` events in a file in the data directory, for this process alone. Raises InvalidQueue."""
        return cls(path_of(refused_url(data_dir)), keep)

    def __init__(self, path: Path, keep: int) -> None:
        self.dropped = 0
        """How many events were not kept because they came faster than they could be written."""
        self._path = path
        self._keep = keep
        self._lock = lock(path)
        try:
            self._connection = open_writer(path, schema="", synchronous="NORMAL")
        except BaseException:
            self._lock.close()
            raise
        _, self._next = numbers(self._connection)
        self._backlog: deque[RefusedEvent] = deque(maxlen=BACKLOG)
        self._failing = False
        self._added = threading.Event()
        self._closed = threading.Event()
        self._writer = threading.Thread(target=self._run, name="refused-writer", daemon=True)
        self._writer.start()

    def add(self, events: Sequence[RefusedEvent]) -> None:
        """Keep these too, a little later. Never waits, never fails."""
        if self._keep:
            self.dropped += max(0, len(self._backlog) + len(events) - BACKLOG)
            self._backlog.extend(events)
            self._added.set()

    def close(self, *, within: float | None = None) -> None:
        """Write the backlog and release everything. Returns after `within` seconds at the latest, if that is given."""
        self._closed.set()
        self._added.set()
        self._writer.join(within)

    def _run(self) -> None:
        with self._lock, closing(self._connection):
            while not self._closed.is_set():
                self._added.wait()
                self._added.clear()
                self._write()
                self._closed.wait(PAUSE_SECONDS)
            self._write()

    def _write(self) -> None:
        events = [self._backlog.popleft() for _ in range(len(self._backlog))]
        following = self._next + len(events)
        rows = [(number, *pack_row([msgspec.json.encode(event)])) for number, event in enumerate(events, self._next)]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT INTO records (last, lengths, lines) VALUES (?, ?, ?)", rows)
            self._connection.execute("DELETE FROM records WHERE last < ?", (following - self._keep,))
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._connection.rollback()
            self.dropped += len(events)
            if not self._failing:
                log.warning("refused events cannot be kept: %s: %s", self._path, error)
            self._failing = True
        else:
            self._next = following
            self._failing = False

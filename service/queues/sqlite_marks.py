"""Which records were queued within the window: their marks beside them in the file, and an index of these in memory."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b

from service.queues import Record
from service.queues.sqlite_file import numbers
from service.queues.sqlite_index import LOW, MARK_BYTES, PARTS, Index, places
from service.queues.sqlite_writer import Statement

EXPIRED_ROWS = 8
"""How many rows may expire with a commit, so that no put waits for it."""
KEY_LENGTH = 256
"""Up to how many characters a write key is remembered."""
SAVE_EVERY = 1024
"""For every how many records a part of the index is saved: with 20 million marks 80 KB for every 1,000 KB."""

# A row of `records` has its records' marks, in order. Appended in order of time, marks add little to a commit: a table
# sorted by mark would dirty a page of 16 KB for each.
# A row of `parts` is a part of the index as it was when the next record's number was `following`: it spares the start
# most of the records' marks.
# The secret keeps others from making messageIds that crowd one place in the index.
SCHEMA = """
    CREATE TABLE parts (part INTEGER PRIMARY KEY, following INTEGER NOT NULL, slots BLOB NOT NULL);
    CREATE TABLE secret (secret BLOB NOT NULL);
    INSERT INTO secret VALUES (randomblob(32));
"""
_SAVE = "INSERT OR REPLACE INTO parts VALUES (?, ?, ?)"


_NO_ROW = (0, 0, b"")


class Marks:
    """Knows the records of the window. What the index seems to know is looked up in the file: the answer is exact."""

    def __init__(self, connection: sqlite3.Connection, window: int, now: int, following: int) -> None:
        """Read what the file holds. `window` and `now` are in seconds; `following` is the number of the next record."""
        self._connection = connection
        self._window = window
        self.following = following
        """The number of the next record."""
        (self._secret,) = connection.execute("SELECT secret FROM secret").fetchone()
        self._of_key = lru_cache(maxsize=1024)(self._begun)
        self._oldest = self._first_since(now - window)
        self._oldest_second = 0  # or later
        self._row: tuple[int, int, bytes] = _NO_ROW
        """The row that was looked up last."""
        self._index = Index()
        self._stalest = self._load()
        self._saved_at = following

    def of(self, records: Iterable[Record]) -> list[bytes]:
        """What two records share exactly when they have one write key and one messageId."""
        marks: list[bytes] = []
        for record in records:
            # 0.55 µs, where to begin with the key each time takes 0.93. A long key is not worth its memory.
            begun = self._of_key if len(record.write_key) <= KEY_LENGTH else self._begun
            mark = begun(record.write_key).copy()
            mark.update(record.message_id.encode(errors="surrogatepass"))
            marks.append(mark.digest())
        return marks

    def _begun(self, write_key: str) -> blake2b:
        # The length keeps ("a", "bc") apart from ("ab", "c").
        known = f"{len(write_key)}:{write_key}".encode(errors="surrogatepass")
        return blake2b(known, digest_size=MARK_BYTES, key=self._secret)

    def duplicates(self, marks: Sequence[bytes], now: int) -> list[int]:
        """The indexes of those that are known, or that stand earlier in `marks`."""
        if not self._window:
            return []
        horizon = now - self._window
        self._row = _NO_ROW
        found = self._index.search(b"".join(marks), lambda index, low: self._is(low, marks[index], horizon))
        if len(set(marks)) == len(marks):
            return found
        first: dict[bytes, int] = {}
        return sorted({*found, *(index for index, mark in enumerate(marks) if first.setdefault(mark, index) != index)})

    def expire(self, now: int) -> None:
        """Forget records that are no longer within the window: a few rows each time."""
        horizon = now - self._window
        if self._oldest_second >= horizon:
            return
        select = "SELECT last, second FROM records WHERE last >= ? ORDER BY last LIMIT ?"
        for last, second in self._connection.execute(select, (self._oldest, EXPIRED_ROWS)).fetchall():
            self._oldest_second = second
            if second >= horizon:
                break
            self._oldest = last + 1

    def unsaved(self) -> list[Statement]:
        """What the next commit is to save of the index."""
        count = min((self.following - self._saved_at) // SAVE_EVERY, PARTS)
        if not count:
            return []
        parts = [(self._stalest + index) % PARTS for index in range(count)]
        self._stalest = (self._stalest + count) % PARTS
        self._saved_at = self.following
        return [(_SAVE, (part, self.following, self._index.save(part))) for part in parts]

    def know(self, marks: bytes) -> None:
        """Index the marks of the next records, as they are committed now."""
        first = self.following
        self.following += len(marks) // MARK_BYTES
        self._index.add(enumerate(places(marks), first), range(self._oldest, self.following))

    def _is(self, low: int, mark: bytes, horizon: int) -> bool:
        """Whether the record whose number ends in the bits `low` has this mark, and is within the window."""
        number = self.following - (self.following - low & LOW)
        last, second, marks = self._row
        if not last - len(marks) // MARK_BYTES < number <= last:  # events that came together come again together
            select = "SELECT last, second, marks FROM records WHERE last >= ? ORDER BY last LIMIT 1"
            last, second, marks = self._row = self._connection.execute(select, (number,)).fetchone() or _NO_ROW
        start = len(marks) - MARK_BYTES * (last + 1 - number)
        return second >= horizon and start >= 0 and marks[start : start + MARK_BYTES] == mark

    def _first_since(self, second: int) -> int:
        """The number of the first record that was queued in this second or later."""

        def queued(number: int) -> int:
            select = "SELECT second FROM records WHERE last >= ? ORDER BY last LIMIT 1"
            return self._connection.execute(select, (number,)).fetchone()[0]

        first, following = numbers(self._connection)
        known = range(first, following)
        return first + bisect_left(known, second, key=queued)

    def _load(self) -> int:
        """Restore the parts that were saved, and add what was queued since: the part that was saved longest ago."""
        since = dict.fromkeys(range(PARTS), self._oldest)
        unsaved = set(since)
        for part, following, slots in self._connection.execute("SELECT part, following, slots FROM parts"):
            since[part] = following
            unsaved.remove(part)
            self._index.restore(part, slots)
        known = range(self._oldest, self.following)
        for part in unsaved:
            self._index.reserve(part, len(known) // PARTS)
        stalest = min(since, key=since.__getitem__)
        select = "SELECT last, marks FROM records WHERE last >= ? ORDER BY last"
        rows = self._connection.execute(select, (since[stalest],))
        for last, marks in rows:
            entries = enumerate(places(marks), last + 1 - len(marks) // MARK_BYTES)
            self._index.add(((number, place) for number, place in entries if number >= since[place[0] % PARTS]), known)
        return stalest

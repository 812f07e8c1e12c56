"""Which records were queued within the window: a log of their marks in the file, and an index of it in memory."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Sequence
from hashlib import blake2b
from itertools import takewhile
from struct import iter_unpack

from service.queues import Record

MARK_BYTES = 16
TABLES = 1 << 12
"""How many parts the index has, each with slots of its own. It grows a part at a time, so that no put waits for it."""
SLOTS = 16
"""How many slots the first part has at least; the last one has nearly twice as many, so that they do not all fill up
at once."""
FULL, ROOMY = 0.65, 0.45
"""Of a part's slots, how many may be taken before it is rebuilt, and after."""
TRIMMED_ROWS = 8
"""How many rows of expired marks a commit deletes at most, so that no put waits for it."""

LOW = (1 << 32) - 1

# A row is the marks of one commit's records, in order, and the second in which they were made; `last` is the number of
# the last of these records. Appended in order of time, marks add little to a commit: a table sorted by mark would
# dirty a page of 16 KB for each.
SCHEMA = "CREATE TABLE marks (last INTEGER PRIMARY KEY, second INTEGER NOT NULL, marks BLOB NOT NULL);"


def mark(record: Record) -> bytes:
    """What two records share exactly when they have one write key and one messageId."""
    key = record.write_key
    # The length keeps ("a", "bc") apart from ("ab", "c").
    told_apart = f"{len(key)}:{key}{record.message_id}".encode(errors="surrogatepass")
    return blake2b(told_apart, digest_size=MARK_BYTES).digest()


class Marks:
    """Knows the records of the window by their marks, at about 20 bytes of memory each.

    The index is hash tables with linear probing. A slot holds 32 bits of a mark's hash and the low 32 bits of its
    record's number, and 0 when it is free. What seems to be a duplicate is looked up in the log: the answer is exact.
    The hash is Python's own, which has a secret: nobody can make messageIds that crowd one slot.
    """

    def __init__(self, connection: sqlite3.Connection, window: int, now: int, following: int) -> None:
        """Read the log. `window` and `now` are in seconds; `following` is the number of the next record."""
        self._connection = connection
        self._window = window
        self._next = following
        row = connection.execute("SELECT last, second, length(marks) FROM marks ORDER BY last LIMIT 1").fetchone()
        last, self._oldest_second, length = row or (following - 1, now, 0)
        self._oldest = last + 1 - length // MARK_BYTES
        self._tables = [_table(number, (following - self._oldest) // TABLES) for number in range(TABLES)]
        self._room = array("q", [int(FULL * len(table)) for table in self._tables])
        for last, second, marks in connection.execute("SELECT last, second, marks FROM marks ORDER BY last"):
            if second >= now - window:
                self._index([mark for (mark,) in iter_unpack(f"{MARK_BYTES}s", marks)], last)

    def duplicates(self, marks: Sequence[bytes], now: int) -> list[int]:
        """The indexes of those that are known, or that stand earlier in `marks`."""
        if not self._window:
            return []
        tables, found = self._tables, set[int]()
        for index, mark in enumerate(marks):
            table = tables[(place := hash(mark)) & TABLES - 1]
            slot = (bits := place >> 32 & LOW) * len(table) >> 32
            while entry := table[slot]:
                if entry >> 32 == bits and self._is(entry, mark, now):
                    found.add(index)
                    break
                slot = (slot + 1) % len(table)
        if len(set(marks)) < len(marks):
            first: dict[bytes, int] = {}
            found |= {index for index, mark in enumerate(marks) if first.setdefault(mark, index) != index}
        return sorted(found)

    def expired(self, now: int) -> int:
        """The number of the record up to which the log may be deleted: a few rows each time; 0 when there are none."""
        horizon = now - self._window
        if self._oldest_second >= horizon:
            return 0
        select = "SELECT last, second FROM marks ORDER BY last LIMIT ?"
        rows = self._connection.execute(select, (TRIMMED_ROWS + 1,)).fetchall()
        expired = [last for last, _ in takewhile(lambda row: row[1] < horizon, rows[:TRIMMED_ROWS])]
        self._oldest_second = rows[len(expired)][1] if len(expired) < len(rows) else now
        self._oldest = expired[-1] + 1 if expired else self._oldest
        return expired[-1] if expired else 0

    def know(self, marks: Sequence[bytes]) -> None:
        """Index the marks of the next records, as they are committed now."""
        self._next += len(marks)
        if self._window:
            self._index(marks, self._next - 1)

    def _is(self, entry: int, mark: bytes, now: int) -> bool:
        """Whether the record that a slot names has this mark, and is within the window."""
        number = self._next - (self._next - entry & LOW)
        row = self._connection.execute(
            "SELECT last, second, marks FROM marks WHERE last >= ? ORDER BY last LIMIT 1", (number,)
        ).fetchone()
        if not row:
            return False
        last, second, marks = row
        start = len(marks) - MARK_BYTES * (last + 1 - number)
        return second >= now - self._window and start >= 0 and marks[start : start + MARK_BYTES] == mark

    def _index(self, marks: Sequence[bytes], last: int) -> None:
        """Put marks into the index; `last` is the number of the last one's record."""
        tables, room = self._tables, self._room
        for entry, mark in enumerate(marks, last + 1 - len(marks)):
            table = tables[number := (place := hash(mark)) & TABLES - 1]
            slot = (bits := place >> 32 & LOW) * len(table) >> 32
            while table[slot]:
                slot = (slot + 1) % len(table)
            table[slot] = bits << 32 | entry & LOW
            room[number] -= 1
            if not room[number]:
                self._rebuild(number)

    def _rebuild(self, number: int) -> None:
        """Free the slots of expired records in a table, and make it as large as the others need."""
        known = self._next - self._oldest
        entries = [entry for entry in self._tables[number] if entry and self._next - entry & LOW <= known]
        table = self._tables[number] = _table(number, len(entries))
        for entry in entries:
            slot = (entry >> 32) * len(table) >> 32
            while table[slot]:
                slot = (slot + 1) % len(table)
            table[slot] = entry
        self._room[number] = int(FULL * len(table)) - len(entries)


def _table(number: int, entries: int) -> array[int]:
    """An empty table that is roomy enough."""
    size = SLOTS * 2 ** (number / TABLES)
    while entries > ROOMY * size:
        size *= 2
    return array("Q", bytes(8 * int(size)))

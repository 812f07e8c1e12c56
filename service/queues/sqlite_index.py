"""An index of marks in memory: from 64 bits of a mark to the numbers of records that may have it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from struct import iter_unpack

MARK_BYTES = 16
PARTS = 1 << 12
"""The index is that many tables, which grow one at a time, so that no put waits for the whole."""

SLOTS = 64
"""How many slots the first table has at least; the last one has nearly twice as many, so that they do not all fill up
at once. With 16, an event took 0.5 µs more until 170,000 were known."""
FULL, ROOMY = 0.65, 0.45
"""Of a table's slots, how many may be taken before it is rebuilt, and after."""

LOW = (1 << 32) - 1


def places(marks: bytes) -> Iterable[tuple[int]]:
    """The 64 bits of each mark that decide where it stands: the low 12 choose the table, the high 32 the slot."""
    return iter_unpack(f"<Q{MARK_BYTES - 8}x", marks)


class Index:
    """Hash tables with linear probing. It takes 12 to 20 bytes a mark, and a lookup costs the same at any size.

    A slot holds the high 32 bits of a place, and the low 32 bits of the record's number; 0 when it is free. What it
    finds has to be confirmed: other marks may have the same 44 bits.
    """

    def __init__(self) -> None:
        self._tables = [_table(part, 0) for part in range(PARTS)]
        self._room = array("q", [_room(table) for table in self._tables])

    def search(self, marks: bytes, confirm: Callable[[int, int], bool]) -> list[int]:
        """The indexes of marks for which `confirm(index, the low 32 bits of a number)` was true."""
        tables, found = self._tables, list[int]()
        for index, (place,) in enumerate(places(marks)):
            table = tables[place & PARTS - 1]
            slot = (place >> 32) * len(table) >> 32
            while entry := table[slot]:
                if entry ^ place <= LOW and confirm(index, entry & LOW):
                    found.append(index)
                    break
                slot = (slot + 1) % len(table)
        return found

    def add(self, entries: Iterable[tuple[int, tuple[int]]], numbers: range) -> None:
        """Add numbers and places. Entries whose numbers are not in `numbers` may go."""
        tables, room = self._tables, self._room
        for number, (place,) in entries:
            part = place & PARTS - 1
            table = tables[part]
            slot = (place >> 32) * len(table) >> 32
            while table[slot]:
                slot = (slot + 1) % len(table)
            table[slot] = place & ~LOW | number & LOW
            room[part] -= 1
            if room[part] <= 0:
                self._rebuild(part, numbers)

    def save(self, part: int) -> bytes:
        return self._tables[part].tobytes()

    def restore(self, part: int, saved: bytes) -> None:
        table = self._tables[part] = array("Q", saved)
        self._room[part] = _room(table) - len(table) + table.count(0)

    def reserve(self, part: int, entries: int) -> None:
        """Make room in a part that is empty."""
        table = self._tables[part] = _table(part, entries)
        self._room[part] = _room(table)

    def _rebuild(self, part: int, numbers: range) -> None:
        """Make a table as large as it needs to be."""
        entries = [entry for entry in self._tables[part] if entry and numbers.stop - entry & LOW <= len(numbers)]
        table = self._tables[part] = _table(part, len(entries))
        for entry in entries:
            slot = (entry >> 32) * len(table) >> 32
            while table[slot]:
                slot = (slot + 1) % len(table)
            table[slot] = entry
        self._room[part] = _room(table) - len(entries)


def _table(part: int, entries: int) -> array[int]:
    size = SLOTS * 2 ** (part / PARTS)
    while entries > ROOMY * size:
        size *= 2
    return array("Q", bytes(8 * int(size)))


def _room(table: array[int]) -> int:
    return int(FULL * len(table))

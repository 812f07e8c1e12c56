"""Which records are known: looked up in the file, saved with it in turn, and read from it again."""

from __future__ import annotations

import os
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest

from service.queues.sqlite import INSERT
from service.queues.sqlite_file import RECORDS
from service.queues.sqlite_index import LOW, MARK_BYTES, PARTS, SLOTS
from service.queues.sqlite_marks import SAVE_EVERY, SCHEMA, Marks

WINDOW = 10


class File:
    """Marks that are committed to a file in memory."""

    def __init__(self, connection: sqlite3.Connection, following: int = 1) -> None:
        self.connection = connection
        self.open(0, following)

    def open(self, now: int, following: int) -> None:
        """Read what the file holds, as a new start does."""
        self.marks = Marks(self.connection, WINDOW, now, following)

    def commit(self, now: int, marks: Sequence[bytes]) -> list[int]:
        """Commit marks that are new, as a put does; the parts of the index that were saved with them."""
        self.marks.expire(now)
        saved = self.marks.unsaved()
        last = self.marks.following + len(marks) - 1
        for statement in (*saved, (INSERT, (last, now, b"".join(marks), bytes(4 * len(marks)), b""))):
            self.connection.execute(*statement)
        self.marks.know(b"".join(marks))
        return [parameters[0] for _, parameters in saved]

    def indexed(self) -> int:
        """How many numbers the index has."""
        tables = self.marks._index._tables  # pyright: ignore[reportPrivateUsage]
        return sum(len(table) - table.count(0) for table in tables)


@pytest.fixture
def file() -> Iterator[File]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(RECORDS + SCHEMA)
        yield File(connection)


def some(number: int) -> list[bytes]:
    return [os.urandom(MARK_BYTES) for _ in range(number)]


def some_of_first_part(number: int) -> list[bytes]:
    return [struct.pack("<HIH", 0, index << 5, index) + os.urandom(MARK_BYTES - 8) for index in range(number)]


def test_marks_are_found_in_their_rows_in_whatever_order_they_are_asked_for(file: File) -> None:
    rows = [some(1), some(5), some(3)]
    for marks in rows:
        file.commit(0, marks)
    known = [mark for marks in rows for mark in marks]
    for asked in (known, known[::-1], known[::2] + some(3) + known[1::2]):
        assert file.marks.duplicates(asked, 0) == [index for index, mark in enumerate(asked) if mark in known]


def test_mark_that_shares_its_place_with_a_known_one_is_new(file: File) -> None:
    (known,) = some(1)
    file.commit(0, [known])
    other = known[:8] + os.urandom(8)
    assert file.marks.duplicates([other], 0) == []
    file.commit(0, [other])
    assert file.marks.duplicates([other, known], 0) == [0, 1]


def test_mark_whose_row_is_gone_is_new(file: File) -> None:
    first, second = some(2), some(2)
    file.commit(0, first)
    file.commit(0, second)
    file.connection.execute("DELETE FROM records WHERE last = 2")
    assert file.marks.duplicates(first + second, 0) == [2, 3]
    file.connection.execute("DELETE FROM records")
    assert file.marks.duplicates(first + second, 0) == []


def test_numbers_past_32_bits_are_found(file: File) -> None:
    file.connection.execute(INSERT, (LOW - 2, 0, b"", bytes(4), b""))
    file.open(0, LOW - 1)
    marks = some(6)
    file.commit(0, marks[:3])
    file.commit(0, marks[3:])
    assert file.marks.duplicates(marks, 0) == list(range(6))
    file.open(0, LOW + 5)
    assert file.marks.duplicates(marks, 0) == list(range(6))


def test_first_mark_within_the_window_stays_when_a_table_is_rebuilt(file: File) -> None:
    old, first, *more = some_of_first_part(2 * SLOTS)
    file.commit(0, [old])
    file.commit(5, [first])
    file.commit(5 + WINDOW, more)  # the old one expires with it, and the table is rebuilt
    assert file.marks.duplicates([old, first, *more], 5 + WINDOW) == list(range(1, 2 * SLOTS))
    assert file.indexed() == 2 * SLOTS - 1


def test_a_part_is_saved_for_each_thousand_records_the_stalest_first(file: File) -> None:
    assert file.commit(0, some(SAVE_EVERY - 1)) == []
    assert file.commit(0, some(1)) == []
    assert file.commit(0, some(2 * SAVE_EVERY + 1)) == [0]
    assert file.commit(0, some(1)) == [1, 2]
    assert file.commit(0, some(SAVE_EVERY)) == []
    assert file.commit(0, some(1)) == [3]


def test_no_more_parts_are_saved_than_there_are(file: File) -> None:
    file.commit(0, [])
    file.marks.following += (PARTS + 5) * SAVE_EVERY
    statements = file.marks.unsaved()
    assert sorted(parameters[0] for _, parameters in statements) == list(range(PARTS))


def test_start_finds_what_was_saved_and_what_came_since_and_nothing_twice(file: File) -> None:
    saved, since = some_of_first_part(2 * SLOTS)[:SLOTS], some_of_first_part(2 * SLOTS)[SLOTS:]
    others = some(SAVE_EVERY)
    file.commit(0, saved)
    file.commit(0, others)
    assert file.commit(0, since) == [0]  # is the first part, so that all of `since` came after it was saved
    file.open(WINDOW, file.marks.following)
    known = [*saved, *others, *since]
    assert file.marks.duplicates(known, WINDOW) == list(range(len(known)))
    assert file.indexed() == len(known)
    # The next to be saved is the part that was saved longest ago.
    file.commit(WINDOW, some(SAVE_EVERY))
    assert file.commit(WINDOW, some(1)) == [1]


def test_start_leaves_what_is_no_longer_within_the_window(file: File) -> None:
    file.commit(0, some(7))
    within = some(3)
    file.commit(1, within)
    file.open(1 + WINDOW, file.marks.following)
    assert file.indexed() == 3
    assert file.marks.duplicates(within, 1 + WINDOW) == [0, 1, 2]
    file.open(2 + WINDOW, file.marks.following)
    assert file.indexed() == 0

"""The index in memory: what a table that is rebuilt keeps, and what it finds."""

from __future__ import annotations

import os
import struct

import pytest

from service.queues.sqlite_index import LOW, MARK_BYTES, SLOTS, Index, places


def marks_of_one_part(number: int) -> list[bytes]:
    """Random marks that all go to the first table."""
    return [struct.pack("<HI", 0, index) + os.urandom(MARK_BYTES - 6) for index in range(number)]


def found(index: Index, marks: list[bytes], numbers: range) -> list[int]:
    """The numbers of those marks that the index knows with the number that they have."""
    confirmed = index.search(b"".join(marks), lambda each, low: low == numbers[each] & LOW)
    return [numbers[each] for each in confirmed]


@pytest.mark.parametrize("first", [1, 7_000, LOW - 20], ids=["first", "later", "past 32 bits"])
def test_table_that_is_rebuilt_keeps_the_oldest_that_is_within_the_window(first: int) -> None:
    marks = marks_of_one_part(4 * SLOTS)
    numbers = range(first, first + len(marks))
    index = Index()
    for count in range(len(marks)):
        # One at a time: whichever fills the table up, the number of the oldest is among those that may not go.
        index.add([(numbers[count], place) for place in places(marks[count])], numbers[: count + 1])
        assert found(index, marks[: count + 1], numbers) == list(numbers[: count + 1])

"""The index in memory: what it finds, what a table keeps when it is rebuilt, and how large a table is."""

from __future__ import annotations

import os
import random
import struct
from array import array

import pytest

from service.queues.sqlite_index import FULL, LOW, MARK_BYTES, PARTS, ROOMY, SLOTS, Index, places


def mark(high: int, low: int) -> bytes:
    """A mark whose slot is decided by the 32 bits `high`, and its table by the last of the 32 bits `low`."""
    return struct.pack("<II", low, high) + os.urandom(MARK_BYTES - 8)


def marks_of_part(number: int, part: int = 0) -> list[bytes]:
    return [mark(random.getrandbits(32), part) for _ in range(number)]


def add(index: Index, marks: list[bytes], first: int, known: range) -> None:
    index.add(enumerate(places(b"".join(marks)), first), known)


def always(index: int, low: int) -> bool:
    return True


def found(index: Index, marks: list[bytes], first: int) -> list[int]:
    """The indexes of those marks that are found by the numbers that they were added with."""
    return index.search(b"".join(marks), lambda each, low: low == (first + each) & LOW)


def taken(index: Index, part: int = 0) -> tuple[int, int]:
    """How many slots of a table are taken, and how many there are."""
    table = array("Q", index.save(part))
    return len(table) - table.count(0), len(table)


def test_marks_are_found_by_their_numbers_and_others_are_not_asked_for() -> None:
    index, marks = Index(), [os.urandom(MARK_BYTES) for _ in range(2_000)]
    add(index, marks, 1, range(1, 2_001))
    assert found(index, marks, 1) == list(range(2_000))
    asked: list[int] = []
    index.search(b"".join(marks), lambda each, low: bool(asked.append(low - each)))
    assert set(asked) == {1}
    assert len(asked) == 2_000
    assert index.search(os.urandom(MARK_BYTES * 2_000), always) == []


def test_mark_whose_low_bits_are_all_unlike_its_number_s_is_found() -> None:
    index, marks = Index(), [mark(0x12345678, LOW ^ 5)]
    add(index, marks, 5, range(5, 6))
    assert found(index, marks, 5) == [0]


@pytest.mark.parametrize("high", [0, 0x7FFFFFFF, LOW], ids=["first slot", "in the middle", "last slot"])
def test_marks_that_crowd_one_slot_are_all_found_and_each_once(high: int) -> None:
    index, marks = Index(), [mark(high, 0) for _ in range(20)]
    add(index, marks, 1, range(1, 21))
    assert found(index, marks, 1) == list(range(20))
    assert index.search(b"".join(marks), always) == list(range(20))
    # They fill their table up, and are all there in the next.
    more = [mark(high, 0) for _ in range(SLOTS)]
    add(index, more, 21, range(1, 21 + SLOTS))
    assert found(index, marks + more, 1) == list(range(20 + SLOTS))


@pytest.mark.parametrize("first", [1, 7_000, LOW - 20], ids=["first", "later", "past 32 bits"])
def test_table_that_is_rebuilt_keeps_the_oldest_that_is_within_the_window(first: int) -> None:
    index, marks = Index(), marks_of_part(4 * SLOTS)
    # One at a time: whichever fills the table up, the oldest of its numbers is the first of those that may not go.
    for count in range(1, len(marks) + 1):
        add(index, marks[count - 1 : count], first + count - 1, range(first, first + count))
        assert found(index, marks[:count], first) == list(range(count))


def test_table_that_is_rebuilt_lets_go_of_what_is_no_longer_within_the_window() -> None:
    index, marks = Index(), marks_of_part(100 * SLOTS)
    for number in range(len(marks)):
        add(index, marks[number : number + 1], number, range(number - 9, number + 1))
        assert taken(index)[1] == SLOTS
    assert set(range(100 * SLOTS - 10, 100 * SLOTS)) <= set(found(index, marks, 0))


def test_table_is_never_too_full_and_never_larger_than_it_needs_to_be() -> None:
    index, marks = Index(), marks_of_part(20 * SLOTS)
    for number in range(len(marks)):
        add(index, marks[number : number + 1], number, range(number + 1))
        entries, slots = taken(index)
        assert entries == number + 1
        assert entries <= FULL * slots
        assert slots == SLOTS or entries > ROOMY * slots / 2 - 1


def test_table_is_rebuilt_only_where_it_is_full() -> None:
    """What is outside of the window goes then: until then it is there."""
    index, marks, rebuilt = Index(), marks_of_part(10 * SLOTS), list[int]()
    for number in range(len(marks)):
        before = taken(index)[0]
        add(index, marks[number : number + 1], number, range(number, number + 1))
        if taken(index)[0] <= before:
            rebuilt.append(before + 1)
    assert len(rebuilt) > 5
    assert set(rebuilt) == {int(FULL * SLOTS)}


@pytest.mark.parametrize("entries", [10, 35])
def test_table_that_was_saved_and_restored_goes_on_as_it_was(entries: int) -> None:
    index, marks = Index(), marks_of_part(20 * SLOTS)
    again = Index()
    add(index, marks[:entries], 0, range(entries))
    again.restore(0, index.save(0))
    assert found(again, marks[:entries], 0) == list(range(entries))
    for number in range(entries, len(marks)):
        for each in (index, again):
            add(each, marks[number : number + 1], number, range(number + 1))
        assert again.save(0) == index.save(0)


@pytest.mark.parametrize("entries", [0, 10 * SLOTS])
def test_part_for_which_room_was_reserved_is_not_rebuilt_before_it_is_full(entries: int) -> None:
    index = Index()
    index.reserve(3, entries)
    _, slots = taken(index, 3)
    assert entries <= ROOMY * slots
    marks = marks_of_part(int(FULL * slots) - 1, 3)
    add(index, marks, 0, range(1))
    assert taken(index, 3) == (len(marks), slots)
    add(index, marks_of_part(1, 3), len(marks), range(len(marks), len(marks) + 1))
    assert taken(index, 3)[0] == 1


def test_tables_differ_in_size_so_that_they_do_not_fill_up_at_once() -> None:
    index = Index()
    sizes = [taken(index, part)[1] for part in range(PARTS)]
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[PARTS // 2]) == (SLOTS, int(SLOTS * 2**0.5))
    assert 1.98 * SLOTS < sizes[-1] < 2 * SLOTS

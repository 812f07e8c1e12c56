"""What every queue promises, whatever its engine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.queues import QueueUnavailable, Record

from .backend import WINDOW, Backend, record, records


def values(given: Sequence[Record]) -> list[bytes]:
    return [each.value for each in given]


async def test_records_that_were_put_are_there_when_it_is_opened_again(backend: Backend) -> None:
    queue = backend.open()
    assert list(await queue.put(records("a", "b"))) == []
    await queue.close()
    assert await backend.values() == values(records("a", "b"))


async def test_records_can_be_read_when_put_returns(backend: Backend) -> None:
    queue = backend.open()
    await queue.put(records("a"))
    assert await backend.values() == values(records("a"))
    await queue.close()


async def test_values_come_out_byte_for_byte(backend: Backend) -> None:
    queue = backend.open()
    given = [
        record("empty", value=b"{}"),
        record("lines", value=b'{\n"a": 1\r\n}\n'),
        record("unicode", value='{"é":"\u2028\U0001f600"}'.encode()),
        record("large", value=b'{"a":"' + b"x" * 3_000_000 + b'"}'),
    ]
    await queue.put(given)
    await queue.close()
    assert await backend.values() == values(given)


async def test_put_of_nothing_returns_nothing(backend: Backend) -> None:
    queue = backend.open()
    assert list(await queue.put([])) == []
    await queue.close()
    assert await backend.values() == []


async def test_second_record_with_one_key_and_message_id_is_a_duplicate(backend: Backend) -> None:
    queue = backend.open()
    await queue.put(records("a", "b"))
    assert list(await queue.put(records("c", "b", "d", "a"))) == [1, 3]
    await queue.close()
    assert await backend.values() == values(records("a", "b", "c", "d"))


async def test_second_record_within_one_put_is_a_duplicate(backend: Backend) -> None:
    queue = backend.open()
    given = [record("a", value=b'{"first":1}'), record("a", value=b'{"second":1}'), record("b"), record("a")]
    assert list(await queue.put(given)) == [1, 3]
    await queue.close()
    assert await backend.values() == [b'{"first":1}', given[2].value]


async def test_duplicates_are_known_after_it_was_opened_again(backend: Backend) -> None:
    queue = backend.open()
    await queue.put(records("a"))
    await queue.close()
    queue = backend.open()
    assert list(await queue.put(records("a", "b"))) == [0]
    await queue.close()
    assert await backend.values() == values(records("a", "b"))


async def test_write_keys_tell_records_apart(backend: Backend) -> None:
    queue = backend.open()
    given = [
        record("bc", write_key="a"),
        record("c", write_key="ab"),
        record("abc", write_key=""),
        record("", write_key="abc"),
    ]
    assert list(await queue.put(given)) == []
    await queue.close()


async def test_a_duplicate_is_known_to_the_end_of_the_window_and_new_after_it(backend: Backend) -> None:
    queue = backend.open()
    await queue.put(records("a"))
    backend.clock.now += WINDOW
    assert list(await queue.put(records("a"))) == [0]
    backend.clock.now += 1
    assert list(await queue.put(records("a"))) == []
    assert list(await queue.put(records("a"))) == [0]
    await queue.close()
    assert await backend.values() == values(records("a", "a"))


async def test_window_goes_on_while_the_queue_is_closed(backend: Backend) -> None:
    queue = backend.open()
    await queue.put(records("a"))
    backend.clock.now += WINDOW - 1
    await queue.put(records("b"))
    await queue.close()
    backend.clock.now += 2
    queue = backend.open()
    assert list(await queue.put(records("a", "b"))) == [1]
    await queue.close()


async def test_nothing_is_a_duplicate_when_the_window_is_0(backend: Backend) -> None:
    queue = backend.open(duplicate_window=0)
    assert list(await queue.put(records("a", "a"))) == []
    assert list(await queue.put(records("a"))) == []
    await queue.close()
    assert await backend.values() == values(records("a", "a", "a"))


async def test_records_keep_the_order_in_which_they_were_put(backend: Backend) -> None:
    queue = backend.open()
    given = [record(str(number)) for number in range(1000)]
    for start in range(0, 1000, 100):
        await queue.put(given[start : start + 100])
    await queue.close()
    assert await backend.values() == values(given)


async def test_puts_at_once_are_all_queued_once_and_in_order(backend: Backend) -> None:
    queue = backend.open()
    outcomes = await asyncio.gather(*(queue.put(records(f"{n}-1", "shared", f"{n}-2")) for n in range(200)))
    await queue.close()
    assert [list(duplicates) for duplicates in outcomes] == [[], *([[1]] * 199)]
    found = await backend.values()
    assert found == values(records("0-1", "shared", "0-2", *(f"{n}-{i}" for n in range(1, 200) for i in (1, 2))))


async def test_duplicates_at_either_end_of_puts_at_once_are_told_to_the_puts_that_they_are_of(backend: Backend) -> None:
    queue = backend.open()
    outcomes = await asyncio.gather(*(queue.put(records("first", str(n), "last")) for n in range(50)))
    await queue.close()
    assert [list(duplicates) for duplicates in outcomes] == [[], *([[0, 2]] * 49)]


async def test_a_caller_that_goes_away_takes_nothing_with_it(backend: Backend) -> None:
    queue = backend.open()
    leaving = asyncio.create_task(queue.put(records("leaving")))
    staying = asyncio.create_task(queue.put(records("staying")))
    await asyncio.sleep(0)
    leaving.cancel()
    await staying
    await queue.close()
    assert await backend.values() == values(records("leaving", "staying"))


async def test_close_makes_what_waits_durable(backend: Backend) -> None:
    queue = backend.open()
    waiting = [asyncio.create_task(queue.put(records(str(number)))) for number in range(50)]
    await asyncio.sleep(0)
    await queue.close()
    await asyncio.gather(*waiting)
    assert await backend.values() == values(records(*map(str, range(50))))


async def test_a_closed_queue_takes_nothing_and_is_not_healthy(backend: Backend) -> None:
    queue = backend.open()
    assert await queue.healthy()
    await queue.close()
    await queue.close()
    with pytest.raises(QueueUnavailable):
        await queue.put(records("a"))
    assert not await queue.healthy()


async def test_health_leaves_no_record(backend: Backend) -> None:
    queue = backend.open()
    assert await queue.healthy()
    await queue.close()
    assert await backend.values() == []


@pytest.mark.parametrize(
    ("last", "limit", "expected"),
    [
        (None, None, range(1000)),
        (3, None, range(997, 1000)),
        (0, None, range(0)),
        (5000, None, range(1000)),
        (None, 7, range(7)),
        (None, 0, range(0)),
        (700, 300, range(300, 600)),
    ],
)
async def test_reader_gives_the_last_records_and_no_more_than_its_limit(
    backend: Backend, last: int | None, limit: int | None, expected: range
) -> None:
    queue = backend.open()
    for start, end in ((0, 1), (1, 10), (10, 600), (600, 1000)):
        await queue.put(records(*map(str, range(start, end))))
    assert await backend.values(last=last, limit=limit) == values(records(*map(str, expected)))
    await queue.close()


async def test_follower_gives_what_is_put_while_it_waits(backend: Backend) -> None:
    queue = backend.open()
    await queue.put(records("a", "b"))
    reader = backend.open_reader()
    follower = reader.read(last=1, limit=4, follow=True)
    assert await anext(follower) == record("b").value
    waiting = asyncio.ensure_future(anext(follower))
    await queue.put(records("c", "d", "e"))
    assert await waiting == record("c").value
    await queue.close()
    assert [value async for value in follower] == values(records("d", "e"))
    await reader.close()


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    puts=st.lists(st.lists(st.tuples(st.sampled_from(["k", "kk"]), st.sampled_from(["", "k", "a", "\ud800", "\0"])))),
    steps=st.lists(st.integers(0, WINDOW), min_size=1),
)
def test_duplicates_are_what_a_table_of_all_records_would_say(
    backend: Backend, puts: list[list[tuple[str, str]]], steps: list[int]
) -> None:
    async def run() -> None:
        backend.clock.now += 10 * WINDOW
        seen: dict[tuple[str, str], float] = {}
        queue = backend.open()
        try:
            for number, put in enumerate(puts):
                backend.clock.now += steps[number % len(steps)]
                expected: list[int] = []
                for index, key in enumerate(put):
                    if key in seen and backend.clock.now - seen[key] <= WINDOW:
                        expected.append(index)
                    else:
                        seen[key] = backend.clock.now
                given = [record(message_id, write_key=write_key, value=b"{}") for write_key, message_id in put]
                assert list(await queue.put(given)) == expected
        finally:
            await queue.close()

    asyncio.run(run())

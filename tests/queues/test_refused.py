"""The store of refused events: what it keeps, what it lets go of, and that it holds up nobody."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from service import refused
from service.queues import InvalidQueue, open_reader
from service.refused import BACKLOG, RefusedEvent, RefusedStore, refused_url


def event(number: int, *, payload: str = "{}") -> RefusedEvent:
    return RefusedEvent(
        time="2026-01-02T03:04:05.000Z",
        reason="required",
        field="event",
        description="event is required",
        type="track",
        message_id=str(number),
        source="web",
        payload=payload,
    )


async def kept(data_dir: Path, *, last: int | None = None, limit: int | None = None) -> list[str]:
    """The messageIds that a reader finds."""
    reader = open_reader(refused_url(data_dir))
    try:
        return [json.loads(line)["messageId"] async for line in reader.read(last=last, limit=limit, follow=False)]
    finally:
        await reader.close()


async def test_an_event_is_read_as_one_json_object(tmp_path: Path) -> None:
    store = RefusedStore.open(tmp_path, keep=10)
    store.add([event(1, payload='{"type":\n"träck"')])
    store.close()
    reader = open_reader(refused_url(tmp_path))
    (line,) = [line async for line in reader.read(last=None, limit=None, follow=False)]
    await reader.close()
    assert b"\n" not in line
    assert json.loads(line) == {
        "time": "2026-01-02T03:04:05.000Z",
        "reason": "required",
        "field": "event",
        "description": "event is required",
        "type": "track",
        "messageId": "1",
        "source": "web",
        "payload": '{"type":\n"träck"',
    }


async def test_the_newest_are_kept(tmp_path: Path) -> None:
    store = RefusedStore.open(tmp_path, keep=5)
    store.add([event(number) for number in range(7)])
    store.close()
    assert await kept(tmp_path) == ["2", "3", "4", "5", "6"]
    store = RefusedStore.open(tmp_path, keep=3)
    store.add([event(7)])
    store.close()
    assert await kept(tmp_path) == ["5", "6", "7"]
    assert await kept(tmp_path, last=2) == ["6", "7"]
    assert await kept(tmp_path, limit=1) == ["5"]


async def test_a_follower_gets_what_is_refused_while_it_waits(tmp_path: Path) -> None:
    store = RefusedStore.open(tmp_path, keep=5)
    reader = open_reader(refused_url(tmp_path))
    follower = reader.read(last=None, limit=3, follow=True)
    for number in range(3):
        store.add([event(number)])
        assert json.loads(await anext(follower))["messageId"] == str(number)
    assert [line async for line in follower] == []
    await reader.close()
    store.close()


async def test_what_cannot_be_written_in_time_is_dropped_and_counted_the_oldest_first(tmp_path: Path) -> None:
    store = RefusedStore.open(tmp_path, keep=10 * BACKLOG)
    store.add([event(number) for number in range(BACKLOG + 10)])
    store.close()
    assert store.dropped == 10
    assert await kept(tmp_path) == [str(number) for number in range(10, BACKLOG + 10)]


async def test_nothing_is_kept_when_0_are_to_be(tmp_path: Path) -> None:
    store = RefusedStore.open(tmp_path, keep=0)
    store.add([event(1)])
    store.close()
    assert (await kept(tmp_path), store.dropped) == ([], 0)


async def test_events_that_cannot_be_written_are_dropped_and_counted_and_later_ones_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = RefusedStore.open(tmp_path, keep=10)
    with closing(sqlite3.connect(tmp_path / "refused.db", isolation_level=None)) as intruder:
        intruder.execute("BEGIN IMMEDIATE")
        store.add([event(1), event(2)])
        async with asyncio.timeout(10):
            while not store.dropped:  # noqa: ASYNC110 - the store's own thread does it
                await asyncio.sleep(0.01)
        intruder.execute("ROLLBACK")
    store.add([event(3)])
    store.close()
    assert (await kept(tmp_path), store.dropped) == (["3"], 2)
    assert "refused events cannot be kept" in caplog.text


def test_two_processes_cannot_keep_refused_events_in_one_directory(tmp_path: Path) -> None:
    store = RefusedStore.open(tmp_path, keep=1)
    with pytest.raises(InvalidQueue, match=r"refused\.db is in use by another process \(pid \d+\)"):
        RefusedStore.open(tmp_path, keep=1)
    store.close()


async def until(done: Callable[[], bool]) -> None:
    """Return when the store's own thread has done it."""
    async with asyncio.timeout(10):
        while not done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_each_outage_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = RefusedStore.open(tmp_path, keep=10)
    with closing(sqlite3.connect(tmp_path / "refused.db", isolation_level=None)) as intruder:
        for outage in range(2):
            intruder.execute("BEGIN IMMEDIATE")
            for number in range(2):
                store.add([event(number)])
                await until(lambda dropped=2 * outage + number: store.dropped > dropped)
            intruder.execute("ROLLBACK")
            store.add([event(10 + outage)])
            while len(await kept(tmp_path)) == outage:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    store.close()
    assert (await kept(tmp_path), store.dropped) == (["10", "11"], 4)
    assert caplog.text.count("refused events cannot be kept") == 2


async def test_store_recovers_from_a_failure_within_a_transaction(tmp_path: Path) -> None:
    store = RefusedStore.open(tmp_path, keep=10)
    with closing(sqlite3.connect(tmp_path / "refused.db", isolation_level=None)) as intruder:
        intruder.execute("CREATE TRIGGER fail BEFORE INSERT ON records BEGIN SELECT RAISE(FAIL, 'no'); END")
        store.add([event(1)])
        await until(lambda: store.dropped == 1)
        intruder.execute("DROP TRIGGER fail")
    store.add([event(2)])
    store.close()
    assert (await kept(tmp_path), store.dropped) == (["2"], 1)


async def test_store_writes_only_what_was_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, writes = RefusedStore._write, list[None]()  # pyright: ignore[reportPrivateUsage]

    def counting(store: RefusedStore) -> None:
        writes.append(None)
        write(store)

    monkeypatch.setattr(RefusedStore, "_write", counting)
    monkeypatch.setattr(refused, "PAUSE_SECONDS", 0)
    store = RefusedStore.open(tmp_path, keep=100)
    for number in range(10):
        store.add([event(number)])
        while len(await kept(tmp_path)) == number:  # noqa: ASYNC110
            await asyncio.sleep(0)
    store.close()
    assert len(writes) <= 12


def test_file_that_is_no_store_is_left_unlocked(tmp_path: Path) -> None:
    file = tmp_path / "refused.db"
    file.write_bytes(b"no database" * 100)
    with pytest.raises(InvalidQueue):
        RefusedStore.open(tmp_path, keep=1)
    file.unlink()
    RefusedStore.open(tmp_path, keep=1).close()

"""The benchmark's requests are well-formed, differ as those of real senders do, and are answered 200."""

from __future__ import annotations

import json
import socket
import statistics
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from benchmarks import one_client, sdk_requests
from benchmarks.captures import read_captures
from benchmarks.described_sdks import described
from benchmarks.raw_requests import EARLIER, NOW, NUMBER, Requests
from tests.running import collector

MADE = {
    "sdk singles": sdk_requests.singles(300),
    "sdk batches": sdk_requests.batches(54),
    "one client": Requests(one_client.singles().requests[:50]),
    "new heads": one_client.new_heads(),
    "one client's batches": one_client.batches(50),
}
EVERY = pytest.mark.parametrize("requests", MADE.values(), ids=MADE)


def rendered(requests: Requests) -> Iterator[bytes]:
    """The requests as `load.lua` sends them first."""
    numbers = count(1)
    for text, _ in requests.requests:
        text = text.replace(EARLIER.encode(), b"2023-11-14T22:13:19").replace(NOW.encode(), b"2023-11-14T22:13:20")
        plain, *rest = text.split(NUMBER.encode())
        yield plain + b"".join(b"%012d%b" % (next(numbers), part) for part in rest)


def heads(requests: Requests) -> list[bytes]:
    return [request.partition(b"\r\n\r\n")[0] for request in rendered(requests)]


def bodies(requests: Requests) -> Iterator[dict[str, Any]]:
    for request in rendered(requests):
        head, _, body = request.partition(b"\r\n\r\n")
        if b"chunked" not in head:
            yield json.loads(body)


def events(requests: Requests) -> list[dict[str, Any]]:
    return [event for body in bodies(requests) for event in body.get("batch", [body])]


def answer(stream: BinaryIO) -> tuple[bytes, bytes]:
    """A status and a body."""
    status, length = stream.readline().split()[1], 0
    while (line := stream.readline()) != b"\r\n":
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return status, stream.read(length)


@EVERY
def test_every_request_is_answered_200_and_stored_whole(requests: Requests, tmp_path: Path) -> None:
    with (
        collector(tmp_path) as trackside,
        socket.create_connection(trackside.http_address, timeout=10) as connection,
        connection.makefile("rb") as stream,
    ):
        for request in rendered(requests):
            connection.sendall(request)
            assert answer(stream) == (b"200", b'{"Success": true}'), request
        whole, repeated = requests.stored(record["messageId"] for record in trackside.queued())
    assert (whole, repeated) == (len(requests.requests), 0)


def test_a_request_that_is_stored_in_part_or_twice_is_noticed() -> None:
    requests = sdk_requests.batches(30)
    ids = [event["messageId"] for event in events(one_client.batches(50))]
    stored = one_client.batches(50).stored
    assert stored(ids) == (8, 0)
    assert stored(ids[1:]) == (7, 0)
    assert stored([*ids, ids[-1]]) == (7, 1)
    assert requests.events(0, 30) == sum(request.events for request in requests.requests)
    assert requests.events(1, 30) == requests.events(0, 30)


def test_batches_have_1_to_100_events_and_about_20_in_the_median() -> None:
    sizes = [request.events for request in sdk_requests.batches(200).requests]
    assert 1 <= min(sizes) < 4
    assert 60 < max(sizes) <= 100
    assert 16 <= statistics.median(sizes) <= 24


def test_heads_of_sdks_and_new_heads_are_all_different_and_those_of_one_client_equal() -> None:
    assert len(set(heads(MADE["sdk singles"]))) == 300
    assert len(set(heads(MADE["new heads"]))) == len(MADE["new heads"].requests)
    assert len(set(heads(MADE["one client"]))) == 1


def test_new_heads_carry_events_of_the_same_size_on_average() -> None:
    lengths = [len(json.dumps(event, separators=(",", ":"))) for event in events(MADE["new heads"])]
    assert statistics.mean(lengths) == pytest.approx(950, abs=1)
    assert {len(json.dumps(event, separators=(",", ":"))) for event in events(MADE["one client"])} == {950}


@EVERY
def test_message_ids_are_unique(requests: Requests) -> None:
    ids = [event["messageId"] for event in events(requests)]
    assert len(set(ids)) == len(ids)


def test_the_members_of_an_event_are_those_that_its_sdk_sends() -> None:
    recorded = {tuple(event) for captured in [*read_captures(), *described()] for event in captured.events}
    for requests in (MADE["sdk singles"], MADE["sdk batches"]):
        made = [tuple(event) for event in events(requests)]
        assert set(made) <= recorded
        assert sum("_metadata" in names or "channel" in names for names in made) > len(made) / 3
    nulls = [event.get("anonymousId", "") is None for event in events(MADE["sdk batches"])]
    assert sum(nulls) > len(nulls) / 5


def test_the_same_requests_are_made_each_time() -> None:
    assert sdk_requests.singles(60).requests == sdk_requests.singles(60).requests
    assert sdk_requests.batches(30).requests == sdk_requests.batches(30).requests

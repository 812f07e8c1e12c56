"""Requests that follow one another on a connection: repeated, in pieces, pipelined, and with a client that leaves."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from tests.http_front.gate import address, gated
from tests.http_front.wire import Answer, Wire, connected, head, page, request
from tests.running import Running
from tests.spec.expectations import SUCCESS

_numbers = itertools.count(1_000)


def fresh() -> str:
    """A messageId that was not sent yet; all have the same length, so that heads are equal."""
    return str(next(_numbers))


def good() -> bytes:
    return page(fresh(), type="page")


BODIES = {
    "an event": ("/v1/page", good),
    "a batch": ("/v1/batch", lambda: b'{"batch":[%b,%b]}' % (good(), good())),
    "a partly refused batch": ("/v1/batch", lambda: b'{"batch":[%b,5]}' % good()),
    "a refused batch": ("/v1/batch", lambda: b'{"batch":[5,6]}'),
    "an empty batch": ("/v1/batch", lambda: b'{"batch":[]}'),
    "a webhook's event": ("/v1/webhook?writeKey=k", good),
    "a webhook's array": ("/v1/w?writeKey=k", lambda: b"[%b]" % good()),
    "no event": ("/v1/page", lambda: b"{}"),
    "no JSON": ("/v1/page", lambda: b'{"a"'),
    "no UTF-8": ("/v1/page", lambda: b'{"a":"\xff"}'),
    "what is mended": ("/v1/page", lambda: b'{"messageId":"%b","userId":"u","x":[NaN,"\\ud83d"]}' % fresh().encode()),
    "too deep": ("/v1/batch", lambda: b"[" * 20_000),
    "a large event": ("/v1/page", lambda: page(fresh(), x="y" * 15_360)),
}


def exchange(wire: Wire, sent: bytes) -> Answer:
    wire.send(sent)
    return wire.answer()


def told(answer: Answer) -> tuple[int, dict[str, str], Any]:
    return answer.status, {name: value for name, value in answer.headers.items() if name != "date"}, answer.json


def unstamped(lines: list[bytes]) -> list[dict[str, Any]]:
    return [{**json.loads(line), "messageId": None} for line in lines]


@pytest.mark.parametrize("name", BODIES)
def test_second_request_is_answered_as_the_first(trackside: Running, name: str) -> None:
    path, body = BODIES[name]
    with connected(trackside.http_address) as wire:
        first, records = exchange(wire, request(path, body())), trackside.lines()
        for _ in range(2):
            assert told(exchange(wire, request(path, body()))) == told(first)
            assert unstamped(trackside.lines()) == unstamped(records)


def test_request_may_come_in_pieces(trackside: Running) -> None:
    with connected(trackside.http_address) as wire:
        assert exchange(wire, request("/v1/page", good())).json == SUCCESS
        for cut in (1, 30, -30, -1):
            sent = request("/v1/page", good())
            wire.send(sent[:cut])
            assert trackside.http.get("/health").json() == SUCCESS
            wire.send(sent[cut:])
            assert wire.answer().json == SUCCESS
    assert len(trackside.lines()) == 5


def test_pipelined_requests_are_answered_in_order(trackside: Running) -> None:
    bodies = [good(), good(), b"{}" + b" " * (len(good()) - 2), good()]
    with connected(trackside.http_address) as wire:
        assert exchange(wire, request("/v1/page", good())).status == 200
        wire.send(b"".join(request("/v1/page", body) for body in bodies))
        assert [wire.answer().status for _ in bodies] == [200, 200, 400, 200]
    assert len(trackside.lines()) == 4


def test_requests_wait_while_the_one_before_is_answered(trackside: Running, tmp_path: Path) -> None:
    with gated(trackside, tmp_path) as (gate, http), connected(address(http)) as wire:
        gate.opened.set()
        assert exchange(wire, request("/v1/page", good())).status == 200
        assert gate.arrived.acquire(timeout=5)
        gate.opened.clear()
        wire.send(request("/v1/page", good()))
        assert gate.arrived.acquire(timeout=5)
        for sent in (request("/v1/page", good()), request("/nowhere", b"{}"), request("/v1/page", b"{")):
            wire.send(sent)
        assert http.get("/nowhere").status_code == 404  # it has seen them
        gate.opened.set()
        assert [wire.answer().status for _ in range(4)] == [200, 200, 404, 400]
    assert len(trackside.lines()) == 3


def test_client_that_goes_away_does_not_lose_its_second_request(trackside: Running, tmp_path: Path) -> None:
    with gated(trackside, tmp_path) as (gate, http):
        with connected(address(http)) as wire:
            gate.opened.set()
            assert exchange(wire, request("/v1/page", good())).status == 200
            assert gate.arrived.acquire(timeout=5)
            assert gate.passed.acquire(timeout=5)
            gate.opened.clear()
            wire.send(request("/v1/page", good()))
            assert gate.arrived.acquire(timeout=5)
            wire.reset()
        assert http.get("/nowhere").status_code == 404
        gate.opened.set()
        assert gate.passed.acquire(timeout=5)
    assert len(trackside.lines()) == 2


@pytest.mark.parametrize("header", ["Expect: 100-continue", "Content-Encoding: identity", "Connection: close"])
def test_head_that_asks_for_more_gets_it_each_time(trackside: Running, header: str) -> None:
    for _ in range(2):
        with connected(trackside.http_address) as wire:
            sent = good()
            wire.send(head("/v1/page", f"Content-Length: {len(sent)}", header) + sent)
            answer = wire.answer()
            if header.startswith("Expect"):
                assert answer.status == 100
                answer = wire.answer()
            assert answer.json == SUCCESS
            assert answer.headers["connection"] == ("close" if header == "Connection: close" else "keep-alive")
            assert header != "Connection: close" or wire.ended()
    assert len(trackside.lines()) == 2

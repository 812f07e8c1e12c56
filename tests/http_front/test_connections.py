"""What happens on a connection: several requests, requests that do not wait, 100 Continue, clients that go away."""

from __future__ import annotations

import itertools
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from tests.http_front.gate import address, gated
from tests.http_front.wire import chunked, connected, flood, head, page, request
from tests.running import KEY, Running, basic
from tests.spec.expectations import SUCCESS

numbers = itertools.count()


def ids(trackside: Running) -> list[str]:
    return [queued["messageId"] for queued in trackside.queued()]


def test_connection_is_kept_for_further_requests(trackside: Running) -> None:
    with connected(trackside.http_address) as wire:
        for number in range(3):
            wire.send(request("/v1/page", page(f"kept {number}")))
            answer = wire.answer()
            assert (answer.status, answer.headers["connection"]) == (200, "keep-alive")
        wire.send(request("/v1/nowhere", page("nowhere")))
        assert wire.answer().status == 404
        wire.send(request("/v1/page", b"{broken"))
        assert wire.answer().status == 400
        wire.send(request("/v1/page", page("kept 3"), "Connection: close"))
        answer = wire.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert wire.ended()
    assert ids(trackside) == [f"kept {number}" for number in range(4)]


@pytest.mark.parametrize("value", ["close", "Close"])
def test_connection_is_closed_when_the_client_asks_for_it(trackside: Running, value: str) -> None:
    for number in range(3):
        with connected(trackside.http_address) as wire:
            wire.send(request("/v1/page", page(f"kept {value} {number}")))
            assert wire.answer().headers["connection"] == "keep-alive"
            wire.send(request("/v1/page", page(f"last {value} {number}"), f"Connection: {value}"))
            answer = wire.answer()
            assert (answer.json, answer.headers["connection"]) == (SUCCESS, "close")
            assert wire.ended()
        assert ids(trackside) == [f"kept {value} {number}", f"last {value} {number}"]


def test_connection_is_not_read_without_end_while_its_request_waits(trackside: Running, tmp_path: Path) -> None:
    most = 64 << 20  # more than the system's buffers on both sides take
    one = request("/v1/page", page("flood", padding="x" * 10_000))
    with gated(trackside, tmp_path) as (gate, http), connected(address(http)) as wire:
        gate.opened.set()
        wire.send(one)
        assert wire.answer().json == SUCCESS
        assert gate.arrived.acquire(timeout=5)
        gate.opened.clear()
        wire.send(one)
        assert gate.arrived.acquire(timeout=5)
        wire.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            flood(wire, one * 100, most)
        gate.opened.set()
        wire.socket.settimeout(5)
        assert wire.answer().json == SUCCESS
    assert ids(trackside) == ["flood"]


def test_requests_that_do_not_wait_are_answered_in_order(trackside: Running) -> None:
    requests = [
        request("/v1/page", page("pipelined 1")),
        head("/v1/page", "Transfer-Encoding: chunked") + chunked(page("pipelined 2")),
        request("/v1/page", b"{"),
        request("/health", method="GET"),
        request("/nowhere", b"{}"),
        request("/v1/page", page("pipelined 3")),
    ]
    with connected(trackside.http_address) as wire:
        wire.send(b"".join(requests))
        assert [wire.answer().status for _ in requests] == [200, 200, 400, 200, 404, 200]
    assert ids(trackside) == ["pipelined 1", "pipelined 2", "pipelined 3"]


def test_requests_for_collecting_and_for_sanic_are_answered_in_order(trackside: Running) -> None:
    requests = [
        ("POST", request("/v1/page", page("one read 1")), 200),
        ("GET", request("/health", method="GET"), 200),
        ("OPTIONS", request("/v1/page", method="OPTIONS"), 200),
        ("HEAD", request("/health", method="HEAD"), 200),
        ("PUT", request("/v1/page", b"{}", method="PUT"), 405),
        ("GET", request("/nowhere", method="GET"), 404),
        ("POST", request("/v1/page", page("one read 2")), 200),
    ]
    with connected(trackside.http_address) as wire:
        wire.send(b"".join(sent for _, sent, _ in requests))
        for method, _, status in requests:
            assert wire.answer(body=method != "HEAD").status == status
    assert ids(trackside) == ["one read 1", "one read 2"]


def test_request_may_arrive_byte_by_byte(trackside: Running) -> None:
    with connected(trackside.http_address) as wire:
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request("/v1/page", page("bytes")):
            wire.send(bytes([byte]))
        assert wire.answer().json == SUCCESS
    assert ids(trackside) == ["bytes"]


def test_body_is_asked_for_where_the_client_waits_for_that(trackside: Running) -> None:
    body = page("continued")
    with connected(trackside.http_address) as wire:
        wire.send(head("/v1/page", f"Content-Length: {len(body)}", "Expect: 100-continue"))
        assert wire.answer().status == 100
        wire.send(body)
        assert wire.answer().json == SUCCESS
        wire.send(request("/v1/page", page("after")))
        assert wire.answer().json == SUCCESS
    assert ids(trackside) == ["continued", "after"]


def test_other_expectation_is_417(trackside: Running) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(request("/v1/page", page("expected"), "Expect: a-miracle"))
        answer = wire.answer()
        assert (answer.status, answer.json["code"]) == (417, "expectation_failed")
        assert wire.ended()
    assert ids(trackside) == []


def test_http_1_0_is_answered(trackside: Running) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(request("/v1/page", page("old")).replace(b"HTTP/1.1", b"HTTP/1.0"))
        answer = wire.answer()
        assert (answer.json, answer.headers["connection"]) == (SUCCESS, "close")
        assert wire.ended()
    assert ids(trackside) == ["old"]


@pytest.mark.parametrize("sent", [head("/v1/page", "Content-Length: 99") + b'{"messageId":"half"', b"POST /v1/pa"])
def test_request_that_is_cut_off_leaves_nothing(trackside: Running, sent: bytes) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(sent)
    assert trackside.http.get("/health").json() == SUCCESS
    assert ids(trackside) == []


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("encoding", ["Content-Length: 60", "Transfer-Encoding: chunked"])
def test_client_that_ends_its_side_is_answered(trackside: Running, encoding: str, number: int) -> None:
    for _ in range(2):
        messages = [f"ended {next(numbers)}" for _ in range(number)]
        bodies = [page(message).ljust(60) for message in messages]
        with connected(trackside.http_address) as wire:
            wire.send(
                b"".join(
                    [head("/v1/page", encoding) + (chunked(body) if "chunked" in encoding else body) for body in bodies]
                )
            )
            wire.socket.shutdown(socket.SHUT_WR)
            assert [wire.answer().json for _ in bodies] == [SUCCESS] * number
            assert wire.ended()
        assert ids(trackside) == messages


def test_client_that_ends_its_side_is_answered_however_much_it_sent_before(trackside: Running) -> None:
    """These are answered at once, one in each iteration of the event loop: the end comes in between."""
    with connected(trackside.http_address) as wire:
        wire.send(request("/v1/page", b"", "Content-Encoding: none") * 300)
        wire.socket.shutdown(socket.SHUT_WR)
        assert [wire.answer().status for _ in range(300)] == [415] * 300
        assert wire.ended()


@pytest.mark.parametrize("sent", [b"", b"POST /v1/pa", head("/v1/page", "Content-Length: 99") + b"{"])
def test_client_that_ends_its_side_before_it_has_asked_is_not_waited_for(trackside: Running, sent: bytes) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(sent)
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.ended()


def test_client_that_goes_away_does_not_lose_what_it_sent(trackside: Running, tmp_path: Path) -> None:
    before = answered()
    with gated(trackside, tmp_path) as (gate, http):
        with connected(address(http)) as wire:
            wire.send(request("/v1/page", page("gone")))
            assert gate.arrived.acquire(timeout=5)
            wire.reset()
        # The front answers this after it has seen that the client is gone.
        assert http.get("/nowhere").status_code == 404
        assert ids(trackside) == []
        gate.opened.set()
        assert gate.passed.acquire(timeout=5)
        assert http.post("/v1/page", content=page("still there"), headers=basic(KEY)).json() == SUCCESS
    assert ids(trackside) == ["gone", "still there"]
    assert answered() == before + 1


def answered() -> float:
    """How many answers were given to requests for /v1/page, as metrics say."""
    labels = {"route": "/v1/page", "status": "200"}
    return REGISTRY.get_sample_value("trackside_http_request_seconds_count", labels) or 0


def test_client_that_goes_away_does_not_harm_those_it_shares_a_call_with(trackside: Running, tmp_path: Path) -> None:
    with gated(trackside, tmp_path) as (gate, http), ExitStack() as connections:
        first, second, third, gone = (connections.enter_context(connected(address(http))) for _ in range(4))
        first.send(request("/v1/page", page("sharing 0")))
        assert gate.arrived.acquire(timeout=5)  # what comes while this call is in flight shares the next
        gone.send(request("/v1/page", page("sharing gone")))
        for number, wire in enumerate((second, third), 1):
            wire.send(request("/v1/page", page(f"sharing {number}")))
        assert http.get("/nowhere").status_code == 404
        gone.reset()
        assert http.get("/nowhere").status_code == 404
        gate.opened.set()
        assert [wire.answer().json for wire in (first, second, third)] == [SUCCESS] * 3
    assert sorted(ids(trackside)) == ["sharing 0", "sharing 1", "sharing 2", "sharing gone"]

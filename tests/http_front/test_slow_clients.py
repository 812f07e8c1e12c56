"""Clients that stall or drip are answered in time, and do not hold a connection for ever."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from http1 import connection
from http1.body import ChunkedFraming
from tests.http_front.wire import Wire, chunked, connected, head, page, request
from tests.running import Running, collector
from tests.spec.expectations import SUCCESS

SECONDS = 0.3


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with collector(tmp_path_factory.mktemp("hasty"), body_timeout=SECONDS, service_timeout=1) as running:
        yield running


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with collector(tmp_path_factory.mktemp("forgetful"), keep_alive_timeout=SECONDS) as running:
        yield running


def drip(wire: Wire, data: bytes) -> None:
    """Send byte by byte until the server says something."""
    wire.socket.settimeout(0.02)
    for byte in data:
        try:
            wire.send(bytes([byte]))
            assert wire.socket.recv(1, 2) is not None  # MSG_PEEK
            break
        except TimeoutError:
            continue
    wire.socket.settimeout(5)


STALLED = {
    "no body": head("/v1/page", "Content-Length: 99"),
    "half a body": head("/v1/page", "Content-Length: 99") + b'{"messageId":',
    "no chunk": head("/v1/page", "Transfer-Encoding: chunked"),
    "half a chunk": head("/v1/page", "Transfer-Encoding: chunked") + b"ff\r\n{",
    "half a chunk's size": head("/v1/page", "Transfer-Encoding: chunked") + b"f",
    "no last chunk": head("/v1/batch", "Transfer-Encoding: chunked") + chunked(b'{"batch":[]}')[:-5],
    "no empty line": head("/v1/batch", "Transfer-Encoding: chunked") + chunked(b'{"batch":[]}')[:-2],
    "no answer to 100 Continue": head("/v1/webhook", "Content-Length: 99", "Expect: 100-continue"),
}


@pytest.mark.parametrize("sent", STALLED.values(), ids=STALLED)
def test_stalled_body_is_408_in_time(hasty: Running, sent: bytes) -> None:
    started = time.monotonic()
    with connected(hasty.http_address) as wire:
        wire.send(sent)
        answer = wire.answer()
        if answer.status == 100:
            answer = wire.answer()
        assert (answer.status, answer.json["code"]) == (408, "request_timeout")
        assert answer.json["Message"] == "The request's body took too long to arrive"
        assert answer.headers["connection"] == "close"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert wire.ended()
    assert SECONDS <= time.monotonic() - started < SECONDS + 2
    assert hasty.queued() == []


def test_half_a_line_is_not_read_again_until_more_of_it_comes(hasty: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    take, reads = ChunkedFraming.take, list[int]()

    def counting(framing: ChunkedFraming, received: bytes, start: int) -> tuple[bytes, int]:
        reads.append(len(received) - start)
        return take(framing, received, start)

    monkeypatch.setattr(ChunkedFraming, "take", counting)
    with connected(hasty.http_address) as wire:
        wire.send(STALLED["half a chunk's size"])
        assert wire.answer().status == 408
    assert reads.count(1) <= 2


@pytest.mark.parametrize(
    "sent",
    [
        head("/v1/page", "Content-Length: 999") + b" " * 999,
        head("/v1/page", "Transfer-Encoding: chunked") + chunked(*[b" "] * 200),
    ],
    ids=["length", "chunks"],
)
def test_dripping_body_is_408_in_time(hasty: Running, sent: bytes) -> None:
    started = time.monotonic()
    with connected(hasty.http_address) as wire:
        start = sent.index(b"\r\n\r\n") + 4
        wire.send(sent[:start])
        drip(wire, sent[start:])
        answer = wire.answer()
        assert (answer.status, answer.json["code"]) == (408, "request_timeout")
    assert SECONDS <= time.monotonic() - started < SECONDS + 2
    assert hasty.queued() == []


@pytest.mark.parametrize("sent", [b"POST /v1/page HTTP/1.1\r\nHost: x\r\n", b"P"])
def test_stalled_head_is_408_in_time(hasty: Running, sent: bytes) -> None:
    with connected(hasty.http_address) as wire:
        wire.send(sent)
        answer = wire.answer()
        assert (answer.status, answer.json["code"]) == (408, "request_timeout")
        assert wire.ended()


def test_dripping_head_is_408_in_time(hasty: Running) -> None:
    started = time.monotonic()
    with connected(hasty.http_address) as wire:
        drip(wire, b"POST /v1/page HTTP/1.1\r\nX-Drip: " + b"x" * 900)
        assert wire.answer().status == 408
        assert wire.ended()
    assert SECONDS <= time.monotonic() - started < SECONDS + 2


def test_slow_clients_do_not_hold_up_others(hasty: Running) -> None:
    with connected(hasty.http_address) as slow, connected(hasty.http_address) as quick:
        slow.send(STALLED["half a body"])
        quick.send(request("/v1/page", page("quick")))
        assert quick.answer().json == SUCCESS
        assert slow.answer().status == 408
    assert [queued["messageId"] for queued in hasty.queued()] == ["quick"]


@pytest.mark.parametrize("sent", [b"", request("/v1/page", page("once"))], ids=["before a request", "after one"])
def test_idle_connection_ends_at_the_time_that_is_set(forgetful: Running, trackside: Running, sent: bytes) -> None:
    began = time.monotonic()
    with connected(forgetful.http_address) as idle, connected(trackside.http_address) as kept:
        for wire in (kept, idle):
            wire.send(sent)
            assert not sent or wire.answer().status == 200
        assert idle.ended()
        assert time.monotonic() - began >= SECONDS
        kept.send(request("/v1/page", page("kept")))
        assert kept.answer().status == 200
    for running in (forgetful, trackside):
        running.lines()


def test_connection_that_is_not_idle_does_not_end(forgetful: Running) -> None:
    sent = request("/v1/page", page("slow"))
    with connected(forgetful.http_address) as idle, connected(forgetful.http_address) as slow:
        slow.send(sent[:-1])
        assert idle.ended()
        slow.send(sent[-1:])
        assert slow.answer().status == 200
    assert [queued["messageId"] for queued in forgetful.queued()] == ["slow"]


def test_idle_connection_is_closed_in_time(tmp_path: Path) -> None:
    with collector(tmp_path, keep_alive_timeout=SECONDS) as running, connected(running.http_address) as wire:
        for number in range(2):
            wire.send(request("/v1/page", page(f"idle {number}")))
            assert wire.answer().json == SUCCESS
        started = time.monotonic()
        assert wire.ended()
        assert time.monotonic() - started < 2
        assert len(running.lines()) == 2


def test_connection_is_let_go_after_its_last_answer(trackside: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_LINGER_SECONDS", SECONDS)
    with connected(trackside.http_address) as wire:
        wire.send(request("/v1/page", b"", "Connection: close"))
        assert wire.answer().status == 400
        assert wire.ended()  # the server's side; it goes on reading
        started = time.monotonic()
        while is_open(trackside.http_address, wire.socket.getsockname()):
            assert time.monotonic() - started < 5
            assert trackside.http.get("/health").json() == SUCCESS


def is_open(server: tuple[str, int], client: tuple[str, int]) -> bool:
    """Whether a process has the server's socket of a connection, as the operating system says."""
    ends = [f"{port:04X}" for _, port in (server, client)]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, _, _, _, _, _, inode, *_ = line.split()
        if [local[-4:], remote[-4:]] == ends:
            return inode != "0"
    return False

"""HTTP/1.1 as its RFCs have it (9110 and 9112), where other servers' test suites look."""

from __future__ import annotations

import socket
import threading
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
from prometheus_client import REGISTRY

from http1.connection import Connection
from http_front import exchange
from tests.http_front.wire import AUTHORIZATION, chunked, connected, head, page, request
from tests.running import Running
from tests.spec.expectations import SUCCESS


def ids(trackside: Running) -> list[str]:
    return [queued["messageId"] for queued in trackside.queued()]


def posted(body: bytes, *lines: str, version: str = "1.1") -> bytes:
    """A request with these lines and no Host of its own."""
    start = [f"POST /v1/page HTTP/{version}", AUTHORIZATION, f"Content-Length: {len(body)}"]
    return "\r\n".join([*start, *lines, "", ""]).encode("latin-1") + body


@pytest.mark.parametrize("blank", [b"\r\n", b"\r\n\r\n\r\n"])
def test_empty_lines_before_a_request_are_skipped(trackside: Running, blank: bytes) -> None:
    with connected(trackside.http_address) as wire:
        for name in (f"blank {len(blank)} 1", f"blank {len(blank)} 2"):
            wire.send(blank + request("/v1/page", page(name)))
            assert wire.answer().json == SUCCESS
        wire.send(request("/v1/page", page(f"blank {len(blank)} 3")) + blank)
        assert wire.answer().json == SUCCESS
        wire.send(request("/v1/page", page(f"blank {len(blank)} 4")))
        assert wire.answer().json == SUCCESS
    assert ids(trackside) == [f"blank {len(blank)} {number}" for number in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("Host: a", "Host: a"),
        ("Host: a", "Host: b"),
        ("Host: a b",),
        ("Host: a/b",),
        ("Host: user@a",),
        ("Host: a:b",),
        ("Host: a, b",),
        ("Host: <a>",),
        ("Host: [::1",),
        ("Host: " + "a" * 301,),
    ],
    ids=str,
)
def test_missing_second_or_malformed_host_is_400(trackside: Running, lines: tuple[str, ...]) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(posted(page("host"), *lines))
        answer = wire.answer()
        assert (answer.status, "Host" in answer.json["Message"]) == (400, True)
        assert wire.ended()
    assert ids(trackside) == []


@pytest.mark.parametrize("host", ["a", "a:80", "a:", "127.0.0.1:8080", "[::1]", "[::1]:8080", "a_b.example", ""])
def test_host_may_have_a_port(trackside: Running, host: str) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(posted(page(f"host {host}"), f"Host: {host}"))
        assert wire.answer().json == SUCCESS
    assert ids(trackside) == [f"host {host}"]


def test_http_1_0_needs_no_host(trackside: Running) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(posted(page("no host"), version="1.0"))
        assert wire.answer().json == SUCCESS
    assert ids(trackside) == ["no host"]


@pytest.mark.parametrize(
    "sent",
    [
        request("/v1/page", page("dated")),
        request("/health", method="GET"),
        request("/nowhere"),
        request("/v1/page", method="PUT"),
        request("/v1/page", b"{"),
        request("/v1/batch", b" " * 512_001),
        request("/v1/page", method="OPTIONS"),
        b"nonsense\r\n\r\n",
    ],
)
def test_every_answer_has_its_date(trackside: Running, sent: bytes) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(sent)
        date = parsedate_to_datetime(wire.answer().headers["date"])
    assert abs((datetime.now(UTC) - date).total_seconds()) < 5
    trackside.lines()


@pytest.mark.parametrize("method", ["FOO", "PROPFIND", "M-SEARCH", "BREW", "get", "Post"])
@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/page", {"POST", "OPTIONS"}),
        ("/health", {"GET", "HEAD", "OPTIONS"}),
        ("/v1/pixel/page", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_any_other_method_is_405_with_those_that_are_allowed(
    trackside: Running, method: str, path: str, allowed: set[str]
) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(request(path, page("method"), method=method) + request("/v1/page", page(f"after {method} {path}")))
        answer = wire.answer()
        assert (answer.status, set(answer.headers["allow"].split(", "))) == (405, allowed)
        assert wire.answer().json == SUCCESS
    assert ids(trackside) == [f"after {method} {path}"]


def test_method_that_nobody_knows_is_404_on_a_path_that_nobody_knows(trackside: Running) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(request("/nowhere", method="FOO"))
        assert wire.answer().status == 404


def test_413_comes_without_100_continue(trackside: Running) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(head("/v1/batch", "Content-Length: 512001", "Expect: 100-continue"))
        answer = wire.answer()
        assert (answer.status, answer.headers["connection"]) == (413, "close")
        assert wire.ended()


def test_404_and_415_come_without_100_continue(trackside: Running) -> None:
    for path, encoding, status in (("/nowhere", "identity", 404), ("/v1/page", "gzipped", 415)):
        with connected(trackside.http_address) as wire:
            wire.send(head(path, "Content-Length: 9", "Expect: 100-continue", f"Content-Encoding: {encoding}"))
            assert wire.answer().status == status
            assert wire.ended()


def test_pixel_comes_without_100_continue(trackside: Running) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(head("/v1/pixel/page", "Content-Length: 9", "Expect: 100-continue", method="GET"))
        answer = wire.answer()
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert wire.ended()


def test_http_1_0_gets_no_100_continue(trackside: Running) -> None:
    body = page("old and expecting")
    with connected(trackside.http_address) as wire:
        wire.send(posted(body, "Expect: 100-continue", version="1.0"))
        assert wire.answer().json == SUCCESS
    assert ids(trackside) == ["old and expecting"]


def test_two_lines_of_a_header_are_one_list(trackside: Running) -> None:
    with connected(trackside.http_address) as wire:
        body = page("lines")
        wire.send(request("/v1/page", body, "Content-Encoding: gzip", "Content-Encoding: none"))
        answer = wire.answer()
        assert (answer.status, "gzip, none" in answer.json["Message"]) == (415, True)
    with connected(trackside.http_address) as wire:
        wire.send(request("/v1/page", body, "Connection: keep-alive", "Connection: close"))
        assert wire.answer().headers["connection"] == "close"
        assert wire.ended()
    assert ids(trackside) == ["lines"]


def test_options_on_an_unknown_path_has_cors_headers(trackside: Running) -> None:
    answer = trackside.http.options("/nowhere", headers={"Origin": "https://example.com"})
    assert answer.status_code == 404
    assert answer.headers["Access-Control-Allow-Origin"] == "https://example.com"
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_client_that_reads_only_after_it_wrote_everything_sees_the_413(trackside: Running, framing: str) -> None:
    size, piece = 20_000_000, b"x" * 1_000_000
    with connected(trackside.http_address) as wire:
        if framing == "length":
            wire.send(head("/v1/batch", f"Content-Length: {size}"))
            pieces = [piece] * 20
        else:
            wire.send(head("/v1/batch", "Transfer-Encoding: chunked"))
            pieces = [b"%x\r\n%b\r\n" % (len(piece), piece)] * 20
        for each in pieces:
            wire.send(each)
        if framing == "chunks":
            wire.send(b"0\r\n\r\n")
        answer = wire.answer()
        has = f"{size}" if framing == "length" else "more than 512000"
        assert (answer.status, answer.json["Errors"][0]["Details"]) == (
            413,
            f"HTTP request too large: the body has {has} bytes, 512000 are allowed",
        )
        wire.send(request("/v1/page", page(f"after 413 {framing}")))
        assert wire.answer().json == SUCCESS
    assert ids(trackside) == [f"after 413 {framing}"]


def test_body_without_end_is_not_read_for_ever(trackside: Running) -> None:
    """The first 64 MB after the answer are read and discarded, and no more."""
    sent = 0
    with connected(trackside.http_address) as wire:
        wire.send(head("/v1/batch", f"Content-Length: {10**12}"))
        with suppress(ConnectionResetError, BrokenPipeError):
            while sent < 512 << 20:
                sent += wire.socket.send(b"x" * 1_000_000)
    assert 64 << 20 <= sent < 128 << 20


@pytest.mark.parametrize(("size", "goes_on"), [(100, True), (101, False)])
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_body_that_nobody_wants_is_read_up_to_a_bound(
    trackside: Running, monkeypatch: pytest.MonkeyPatch, framing: str, size: int, goes_on: bool
) -> None:
    monkeypatch.setattr(exchange, "DISCARDED_BYTES", 100)
    name, body = f"behind {framing} {size}", b"x" * size
    line = f"Content-Length: {size}" if framing == "length" else "Transfer-Encoding: chunked"
    with connected(trackside.http_address) as wire:
        wire.send(head("/nowhere", line))
        assert wire.answer().status == 404
        with suppress(ConnectionResetError, BrokenPipeError):
            wire.send((body if framing == "length" else chunked(body)) + request("/v1/page", page(name)))
        if goes_on:
            assert wire.answer().json == SUCCESS
        else:
            assert wire.ended()
    assert ids(trackside) == [name] * goes_on


def test_upgrade_is_not_taken_and_the_body_is_read(trackside: Running) -> None:
    body = page("upgrade")
    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
    with connected(trackside.http_address) as wire:
        wire.send(request("/v1/page", body, *upgrade) + request("/v1/page", page("behind the upgrade")))
        assert [wire.answer().json for _ in range(2)] == [SUCCESS] * 2
    assert ids(trackside) == ["upgrade", "behind the upgrade"]


def test_what_follows_a_request_that_ends_the_connection_is_ignored(trackside: Running) -> None:
    with connected(trackside.http_address) as wire:
        last = request("/v1/page", page("last"), "Connection: close")
        wire.send(last + request("/v1/page", page("too late")))
        assert wire.answer().headers["connection"] == "close"
        assert wire.ended()
    assert ids(trackside) == ["last"]


def test_many_tiny_chunks_are_read(trackside: Running) -> None:
    body = page("tiny", filling="x" * 9_000)
    with connected(trackside.http_address) as wire:
        wire.send(head("/v1/page", "Transfer-Encoding: chunked"))
        wire.send(chunked(*[body[at : at + 1] for at in range(len(body))]))
        assert wire.answer().json == SUCCESS
    assert ids(trackside) == ["tiny"]


def test_target_in_absolute_form_is_its_path(trackside: Running) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(request("http://localhost/v1/webhook?writeKey=k", page("absolute", type="page")))
        assert wire.answer().json == SUCCESS
    assert [queued["writeKey"] for queued in trackside.queued()] == ["k"]


@pytest.mark.parametrize("target", ["*", "localhost:80", "http://", "?a=b"])
def test_target_that_is_no_path_is_answered(trackside: Running, target: str) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(request(target, method="OPTIONS"))
        assert wire.answer().status in (200, 400, 404)


def test_pipelined_requests_take_turns_with_other_connections(trackside: Running) -> None:
    """A neighbour is answered before the pipeline of the first connection has come to its end."""
    number, before = 2_000, answers("415")
    pipeline = request("/v1/page", b"", "Content-Encoding: none") * number  # each is answered at once
    with connected(trackside.http_address) as greedy, connected(trackside.http_address) as neighbour:
        sending = threading.Thread(target=greedy.send, args=(pipeline,))
        sending.start()
        assert greedy.answer().status == 415
        neighbour.send(request("/nowhere", method="GET"))
        assert neighbour.answer().status == 404
        assert answers("415") < before + number
        assert [greedy.answer().status for _ in range(number - 1)] == [415] * (number - 1)
        sending.join()
    assert answers("415") == before + number


def answers(status: str) -> float:
    """How many requests for /v1/page were answered so."""
    labels = {"route": "/v1/page", "status": status}
    return REGISTRY.get_sample_value("trackside_http_request_seconds_count", labels) or 0


def test_client_that_does_not_read_its_answers_is_not_served_on(trackside: Running) -> None:
    """Its answers fill the sockets' buffers, and then its requests wait: memory is bounded."""
    data = request("/nowhere", method="GET") * 1_000
    sent = stuck = 0
    with connected(trackside.http_address) as wire:
        wire.socket.setblocking(False)
        while stuck < 50 and sent < 64 << 20:
            try:
                sent += wire.socket.send(data[sent % len(data) :])
                stuck = 0
            except BlockingIOError:
                stuck += 1
                assert trackside.http.get("/health").json() == SUCCESS  # others are served
    assert sent < 64 << 20


def test_client_that_reads_its_answers_late_is_served_on(trackside: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    pause, paused = Connection.pause_writing, threading.Event()

    def pausing(connection: Connection) -> None:
        pause(connection)
        paused.set()

    monkeypatch.setattr(Connection, "pause_writing", pausing)
    many_errors = request("/v1/batch", b'{"batch":[%b]}' % b",".join([b"5"] * 1_000))
    with connected(trackside.http_address) as wire:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        wire.send(many_errors * 60)
        assert paused.wait(20)
        assert [wire.answer().status for _ in range(60)] == [400] * 60


def test_requests_that_come_faster_than_they_are_read_do_not_fill_the_memory(trackside: Running) -> None:
    number = 1_000
    sent = request("/nowhere", b"x" * 20_000) * number
    with connected(trackside.http_address) as wire:
        tracemalloc.start()
        try:
            sending = threading.Thread(target=wire.send, args=(sent,))
            sending.start()
            assert [wire.answer().status for _ in range(number)] == [404] * number
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        sending.join()
    assert peak < len(sent) // 4

"""Heads that two servers could read differently are refused and end the connection: nothing is smuggled behind."""

from __future__ import annotations

import socket
from contextlib import suppress

import pytest

from tests.http_front.wire import AUTHORIZATION, chunked, connected, page, request
from tests.running import Running

SECOND = 1_000_000_000
BODY = page("first")
SMUGGLED = request("/v1/page", page("smuggled"))


def posted(*lines: bytes, path: bytes = b"/v1/page", method: bytes = b"POST") -> bytes:
    """A head with these lines among its own."""
    start = [method + b" " + path + b" HTTP/1.1", b"Host: localhost", AUTHORIZATION.encode()]
    return b"\r\n".join([*start, *lines, b"", b""])


LENGTH = b"Content-Length: %d" % len(BODY)
AMBIGUOUS = {
    "white space before the colon of Transfer-Encoding": posted(b"Transfer-Encoding : chunked"),
    "a tab before the colon of Content-Length": posted(LENGTH.replace(b":", b"\t:")),
    "white space before the colon of any header": posted(LENGTH, b"X-Any : thing"),
    "a vertical tab before chunked": posted(b"Transfer-Encoding: \x0bchunked"),
    "a form feed before chunked": posted(b"Transfer-Encoding: \x0cchunked"),
    "a separator before chunked": posted(b"Transfer-Encoding: \x1cchunked"),
    "a no-break space before chunked": posted("Transfer-Encoding: \u00a0chunked".encode()),
    "a folded header": posted(LENGTH, b"X-Any: thing", b" Transfer-Encoding: chunked"),
    "a header folded by a tab": posted(LENGTH, b"X-Any: thing", b"\tmore"),
    "a folded first header": posted(b" X-Any: thing", LENGTH),
    "a header without a colon": posted(LENGTH, b"X-Any"),
    "a header without a name": posted(LENGTH, b": thing"),
    "a header whose name is none": posted(LENGTH, b"X{Any}: thing"),
    "a header whose name is not ASCII": posted(LENGTH, "X-Äny: thing".encode()),
    "a bare line feed between headers": posted(LENGTH + b"\nTransfer-Encoding: chunked"),
    "a bare line feed in a value": posted(LENGTH, b"X-Any: th\ning"),
    "a bare carriage return": posted(LENGTH, b"X-Any: thing\rTransfer-Encoding: chunked"),
    "a NUL": posted(LENGTH, b"X-Any: th\0ing"),
    "full-width digits": posted("Content-Length: {}".format(str(len(BODY)).translate(
        {ord("0") + digit: 0xFF10 + digit for digit in range(10)})).encode()),
    "a sign before the length": posted(b"Content-Length: +%d" % len(BODY)),
    "a negative length": posted(b"Content-Length: -1"),
    "underscores in the length": posted(b"Content-Length: 1_0"),
    "a hexadecimal length": posted(b"Content-Length: 0x10"),
    "an empty length": posted(b"Content-Length:"),
    "a length that is a list": posted(LENGTH + b", %d" % len(BODY)),
    "a length twice": posted(LENGTH, LENGTH),
    "two lengths": posted(LENGTH, b"Content-Length: 5"),
    "Transfer-Encoding and Content-Length": posted(b"Transfer-Encoding: chunked", LENGTH),
    "Content-Length and Transfer-Encoding": posted(LENGTH, b"Transfer-Encoding: chunked"),
    "chunked twice": posted(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    "a list of codings": posted(b"Transfer-Encoding: gzip, chunked"),
    "another coding": posted(b"Transfer-Encoding: identity"),
    "a coding that begins like chunked": posted(b"Transfer-Encoding: chunkedx"),
    "a quoted coding": posted(b'Transfer-Encoding: "chunked"'),
    "chunks in HTTP/1.0": posted(b"Transfer-Encoding: chunked", b"Connection: keep-alive").replace(b"/1.1", b"/1.0"),
    "no version": b"POST /v1/page\r\n\r\n",
    "an unknown version": b"POST /v1/page HTTP/3.0\r\n" + LENGTH + b"\r\n\r\n",
    "white space in the request's line": posted(LENGTH, path=b"/v1/page /v1/page"),
    "two blanks before the path": posted(LENGTH, path=b" /v1/page"),
    "two blanks after the path": posted(LENGTH, path=b"/v1/page "),
    "a fragment": posted(LENGTH, path=b"/v1/page#part"),
    "a length with zeros without end": posted(b"Content-Length: " + b"0" * 5_000 + b"%d" % len(BODY)),
    "a path that is not ASCII": posted(LENGTH, path="/v1/pagé".encode()),
}  # fmt: skip


@pytest.mark.parametrize("head", AMBIGUOUS.values(), ids=AMBIGUOUS)
@pytest.mark.parametrize("body", [BODY, chunked(BODY)], ids=["plain", "chunked"])
def test_ambiguous_head_is_400_and_ends_the_connection(trackside: Running, head: bytes, body: bytes) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(head + body + SMUGGLED)
        answer = wire.answer()
        assert answer.status == 400
        assert answer.json["Error"] == "Bad Request"
        assert answer.json["code"] == "bad_request"
        assert answer.json["message"] == answer.json["Message"] not in ("", "Bad Request")
        assert answer.headers["connection"] == "close"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert wire.ended()
    assert trackside.queued() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        (b"GET", b"/health"),
        (b"OPTIONS", b"/v1/page"),
        (b"GET", b"/v1/pixel/page"),
        (b"POST", b"/v1/batch"),
        (b"POST", b"/v1/webhook"),
        (b"PUT", b"/v1/page"),
        (b"GET", b"/nowhere"),
        (b"HEAD", b"/nowhere"),
    ],
)
def test_ambiguous_head_ends_the_connection_on_every_route(trackside: Running, method: bytes, path: bytes) -> None:
    head = posted(b"Transfer-Encoding : chunked", path=path, method=method)
    with connected(trackside.http_address) as wire:
        wire.send(head + chunked(BODY) + SMUGGLED)
        assert wire.answer(body=method != b"HEAD").status == 400
        assert wire.ended()
    assert trackside.queued() == []


@pytest.mark.parametrize(
    "head",
    [
        posted(LENGTH + b"  \t"),
        posted(b"content-length:%d" % len(BODY)),
        posted(LENGTH, b"X-Any:"),
        posted(LENGTH, b"X-Any: a: b , \xc3\xa9 \xe9"),
        posted(LENGTH, b"!#$%&'*+-.^_`|~09: token"),
        posted(LENGTH, path=b"/v1/page?a=b%20c"),
        posted(LENGTH, path=b"http://localhost/v1/page"),
    ],
)
def test_unusual_head_that_has_one_meaning_is_read(trackside: Running, head: bytes) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(head + BODY)
        answer = wire.answer()
        assert (answer.status, answer.json) == (200, {"Success": True})
    trackside.clock.now += 172_800 * SECOND  # so that the next one is no duplicate
    assert [queued["messageId"] for queued in trackside.queued()] == ["first"]


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (posted(LENGTH, b"X-Any: thing\nX-More: things"), "Each line of a request's head must end in CR LF"),
        (posted(LENGTH, b"X-Any"), "Each header must be a name, a colon and a value, on a line of its own"),
        (posted(LENGTH, b"X-Any: th\0ing"), "A request's head must be free of control characters"),
        (posted(b"Content-Length: -1"), "Content-Length must be a number of bytes"),
        (posted(b"Transfer-Encoding: gzip"), "Transfer-Encoding must be chunked, or left out"),
        (posted(LENGTH, LENGTH), "Content-Length and Transfer-Encoding must not stand in one head together, nor twice"),
        (b"GET /health HTTP/2.0\r\n\r\n", "A request's first line must be a method, a path and HTTP/1.1"),
        (b"hello\r\n\r\n", "A request's first line must be a method, a path and HTTP/1.1"),
        # A client's hello in TLS: its length and what follows are not lines.
        (b"\x16\x03\x01\x02", "A request must begin with its method: this port speaks HTTP without TLS"),
    ],
)
def test_what_is_wrong_with_a_head_is_said(trackside: Running, sent: bytes, message: str) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(sent)
        answer = wire.answer()
        assert (answer.status, answer.json["Message"]) == (400, message)
        assert wire.ended()


@pytest.mark.parametrize("start", [b"\n", b"\r", b"\r\r\n", b"\n\r\n", b" ", b"\0"])
@pytest.mark.parametrize("in_pieces", [False, True])
def test_request_begins_with_its_method(trackside: Running, start: bytes, in_pieces: bool) -> None:
    sent = start + posted(LENGTH) + BODY
    with connected(trackside.http_address) as wire:
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.send(sent[:1])
        if in_pieces:
            assert trackside.http.get("/health").status_code == 200
        with suppress(BrokenPipeError, ConnectionResetError):
            wire.send(sent[1:])
        answer = wire.answer()
        message = "A request must begin with its method: this port speaks HTTP without TLS"
        assert (answer.status, answer.json["Message"]) == (400, message)
        assert wire.ended()


def test_fault_in_a_pipelined_head_is_answered_without_a_body_to_its_head(trackside: Running) -> None:
    good = posted(path=b"/health", method=b"GET")
    with connected(trackside.http_address) as wire:
        wire.send(good + good.replace(b"GET", b"HEAD").replace(b"Host:", b"Host :"))
        assert wire.answer().status == 200
        assert wire.answer(body=False).status == 400
        assert wire.ended()


def test_head_over_48_kb_is_413(trackside: Running) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(posted(b"X-Any: " + b"x" * 49_152))
        answer = wire.answer()
        assert (answer.status, answer.json["code"]) == (413, "request_entity_too_large")
        assert wire.ended()

"""Whatever arrives over HTTP is answered, as JSON, and does not hurt what arrives after it."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from urllib.parse import quote_from_bytes

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_model import schema
from tests.fuzz.profile import examples
from tests.http_front.wire import connected, request
from tests.running import KEY, Running

_EVENT = (
    b'{"type":"track","messageId":"m","userId":"u","event":"E","timestamp":"2020-03-02T18:29:27.333Z",'
    b'"context":{"page":{"path":"/"}},"integrations":{"All":true},"properties":{"a":[1,2.5,null,"x\\u00e9"]}}'
)
_VALID = (
    _EVENT,
    b'{"batch":[' + _EVENT + b"," + _EVENT + b'],"context":{"os":{"name":"x"}},"sentAt":"2020-03-02T18:29:27Z"}',
    b"[" + _EVENT + b"," + _EVENT + b"]",
)
_snippets = st.sampled_from(
    [
        *(bytes([byte]) for byte in b'{}[]",:\\ \n\x00\x7f0-.e'),
        b"\xff",
        b"\xc3",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
        b"\\u",
        b"\\ud800",
        b"\\u0000",
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"null",
        b'"batch":',
        b'"type":"page"',
        b'"context":[]',
        b'"writeKey":1',
        b'"timestamp":"0000"',
        b"[" * 1_200,
        b'{"a":' * 250,
        b"9" * 5_000,
    ]
)
_edits = st.tuples(st.floats(0, 1), st.integers(0, 40), st.one_of(_snippets, st.binary(max_size=4), st.just(b"")))


def _edited(body: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for place, cut, put in edits:
        at = int(place * len(body))
        body = body[:at] + put + body[at + cut :]
    return body


_bodies = st.one_of(
    st.builds(_edited, st.sampled_from(_VALID), st.lists(_edits, min_size=1, max_size=4)), st.binary(max_size=200)
)
_compressed = st.builds(
    _edited, st.sampled_from([gzip.compress(body) for body in _VALID]), st.lists(_edits, max_size=2)
)
_routes = st.sampled_from(
    [
        *(f"/v1/{path}" for kind in schema.KINDS.values() for path in (kind.routes.long, kind.routes.short)),
        *["/v1/batch", "/v1/import", "/v1/b", "/v1/webhook", "/v1/w"] * 3,
    ]
)


def check(response: httpx.Response) -> None:
    """The answer is one that the API documents."""
    assert response.status_code in (200, 207, 400, 404, 405, 413, 415), response.text
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    if response.headers["Content-Type"] == "image/gif":
        assert response.content.startswith(b"GIF89a")
        assert (response.status_code == 200) == ("Trackside-Error" not in response.headers)
        return
    body = response.json()
    assert isinstance(body, dict)
    assert body
    if response.status_code != 200:
        assert body["code"]
        assert body["message"]


@pytest.fixture(autouse=True)
def works_afterwards(trackside: Running) -> Iterator[None]:
    yield
    trackside.lines()
    assert trackside.post("/v1/track", _EVENT).json() == {"Success": True}
    (record,) = trackside.queued()
    assert record["properties"] == {"a": [1, 2.5, None, "xé"]}


@given(route=_routes, body=_bodies)
@examples(200)
def test_any_body_is_answered_and_again_as_before(trackside: Running, route: str, body: bytes) -> None:
    check(trackside.post(route, body))
    with connected(trackside.http_address) as wire:
        wire.send(request(route, body))
        first = wire.answer()
        if first.headers["connection"] == "keep-alive":
            wire.send(request(route, body))
            second = wire.answer()
            assert (second.status, second.body) == (first.status, first.body)


@given(route=_routes, body=_compressed)
@examples(60)
def test_any_compressed_body_is_answered(trackside: Running, route: str, body: bytes) -> None:
    check(trackside.post(route, body, headers={"Content-Encoding": "gzip"}))


@given(kind=st.sampled_from(["track", "page", "alias", "nothing"]), data=st.one_of(_bodies, st.binary(max_size=20)))
@examples(60)
def test_any_query_is_answered(trackside: Running, kind: str, data: bytes) -> None:
    check(trackside.http.get(f"/v1/pixel/{kind}?data={quote_from_bytes(data[:9_000], safe='&=+/%')}"))
    check(trackside.http.post(f"/v1/webhook?writeKey={quote_from_bytes(data[:1_000])}", content=_EVENT))


_header_bytes = st.binary(max_size=40).map(lambda value: value.translate(None, b"\r\n\x00\x0b\x0c"))


@given(
    path=st.sampled_from([b"/v1/track", b"/v1/pixel/track", b"/v1/webhook", b"/", b"//v1//track/"]),
    headers=st.dictionaries(
        st.sampled_from([b"User-Agent", b"Authorization", b"Content-Type", b"Content-Encoding", b"Origin", b"X"]),
        st.one_of(_header_bytes, st.builds(bytes.__add__, st.sampled_from([b"Basic ", b"Bearer "]), _header_bytes)),
        max_size=3,
    ),
    query=_header_bytes.map(lambda value: value.translate(None, b" #")),
)
@examples(100)
def test_any_header_is_answered(trackside: Running, path: bytes, headers: dict[bytes, bytes], query: bytes) -> None:
    lines = [b"POST %b?writeKey=%b HTTP/1.1" % (path, query), b"Host: x", b"Connection: close"]
    lines += [name + b": " + value for name, value in headers.items()]
    head = b"\r\n".join([*lines, b"Content-Length: %d" % len(_EVENT), b"", b""])
    with socket.create_connection(trackside.http_address, 10) as connection:
        connection.sendall(head + _EVENT)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    status, _, body = answer.partition(b"\r\n\r\n")
    assert int(status.split()[1]) in (200, 400, 404, 405, 415), answer
    assert json.loads(body)


def test_key_that_is_sent_is_the_key_of_the_record(trackside: Running) -> None:
    assert trackside.post("/v1/track", _EVENT).status_code == 200
    assert trackside.queued()[-1]["writeKey"] == KEY

"""A connection's answers do not depend on how its bytes are cut."""

from __future__ import annotations

import gzip
import itertools
import re
import socket
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.profile import examples
from tests.http_front.wire import chunked, connected, head, page, request
from tests.running import Running, collector

_LIMIT = 2_000
_CHUNKED = "Transfer-Encoding: chunked"
_GOOD = [
    request("/v1/page", page("length")),
    request("/v1/page", page("expected"), "Expect: 100-continue"),
    request("/v1/page", gzip.compress(page("compressed"), mtime=0), "Content-Encoding: gzip"),
    request("/v1/page", b"not gzip", "Content-Encoding: gzip"),
    request("/v1/page", page("unknown coding"), "Content-Encoding: unknown"),
    request("/v1/page", b'{"a"'),
    request("/v1/page"),
    request("/v1/batch", b'{"batch":[%b,5]}' % page("batch", type="page")),
    request("/v1/batch", b'{"batch":[]}'),
    request("/v1/batch", b" " * (_LIMIT + 1)),
    request("/v1/pixel/page?data=e30", b"ignored", method="GET"),
    request("/health", method="HEAD"),
    request("/v1/page", method="OPTIONS"),
    request("/v1/page", b"{}", method="PUT"),
    request("/nowhere", b"{}", "Upgrade: h2c", "Connection: Upgrade"),
    request("http://localhost//v1/page/?a", page("absolute")),
    b"\r\n\r\n" + request("/", method="GET") + b"\r\n",
    head("/v1/page", _CHUNKED) + chunked(*[bytes([byte]) for byte in page("chunks")]),
    head("/v1/page", _CHUNKED) + b"002;a=b \r\n{}\r\n0\r\nTrailer: GET / HTTP/1.1\r\n\r\n",
    head("/v1/batch", _CHUNKED) + chunked(*[b" " * 700] * 4),
    head("/nowhere", _CHUNKED) + chunked(b"GET / HTTP/1.1\r\n\r\n"),
]
_FAULTS = [
    request("/v1/page", page("fault"), "Transfer-Encoding : chunked"),
    request("/v1/page", page("fault"), "Connection: close"),
    request("/v1/page", page("fault"), "Expect: nothing"),
    request("/health", method="HEAD").replace(b"Host:", b"Host :"),
    request("/" + "x" * 49_152, method="GET"),
    head("/v1/page", _CHUNKED) + b"2\r\n{}x\r\n",
    head("/v1/page", _CHUNKED) + b"2;" + b"x" * 300 + b"\r\n{}\r\n",
    head("/v1/page", _CHUNKED) + b"0\r\nno trailer\r\n\r\n",
    b"\r",
    b"\n",
    b"\x16\x03\x01\x02\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]
_LAST = request("/health", b"", "Connection: close", method="GET")
_DEPENDS = re.compile(rb"date: [^\r]*\r\n|connection: [^\r]*\r\n")
"""What the time of the answer, and of the end of the client's side, may change."""

_streams = st.tuples(st.lists(st.sampled_from(_GOOD), max_size=4), st.lists(st.sampled_from(_FAULTS), max_size=1)).map(
    lambda requests: b"".join([*requests[0], *requests[1], _LAST])
)
_cuts = st.lists(st.floats(0, 1), max_size=6)
_mutations = st.tuples(
    st.floats(0, 1), st.integers(0, 2), st.sampled_from([b"", b"\r", b"\n", b"\0", b":", b" ", b"1"])
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A collector of small bodies, to which nothing is a duplicate."""
    directory = tmp_path_factory.mktemp("small")
    with collector(directory, duplicate_window=0, max_batch_bytes=_LIMIT, max_event_bytes=_LIMIT) as running:
        yield running


def cut(stream: bytes, places: Sequence[float]) -> list[bytes]:
    at = [0, *sorted(int(place * len(stream)) for place in places), len(stream)]
    return [stream[start:end] for start, end in itertools.pairwise(at)]


def answers(running: Running, pieces: Sequence[bytes], *, end: bool = False) -> tuple[bytes, list[bytes]]:
    """All that the server says to these pieces, each of which it reads by itself, and what it queues."""
    with connected(running.http_address) as wire:
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            wire.send(piece)
            assert running.http.get("/").status_code == 200
        if end:
            wire.socket.shutdown(socket.SHUT_WR)
        said = b"".join(iter(lambda: wire.socket.recv(65_536), b""))
    return _DEPENDS.sub(b"", said), [record["messageId"] for record in running.queued()]


@given(stream=_streams, places=_cuts)
@examples(60)
def test_answers_are_the_same_however_requests_are_cut(small: Running, stream: bytes, places: list[float]) -> None:
    said, queued = answers(small, [stream])
    assert said.startswith(b"HTTP/1.1 ")
    assert answers(small, cut(stream, places)) == (said, queued)


@given(stream=_streams, mutation=_mutations, places=_cuts)
@examples(40)
def test_answers_to_mutated_requests_begin_alike(
    small: Running, stream: bytes, mutation: tuple[float, int, bytes], places: list[float]
) -> None:
    """The last request may not have come to its end: whether it is answered all the same is not determined."""
    place, removed, inserted = mutation
    at = int(place * len(stream))
    stream = stream[:at] + inserted + stream[at + removed :]
    said, queued = answers(small, [stream], end=True)
    others, others_queued = answers(small, cut(stream, places), end=True)
    assert queued == others_queued
    assert said.startswith(others) or others.startswith(said)

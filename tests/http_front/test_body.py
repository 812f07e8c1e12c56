"""Bodies: compressed, in chunks, and both; bounded while they are read, whatever they would become."""

from __future__ import annotations

import gzip
import json
import threading
import tracemalloc
import zlib

import pytest

from tests.http_front.wire import chunked, connected, head, page, request
from tests.running import Running
from tests.spec.expectations import (
    NO_INDEX,
    SUCCESS,
    TOO_LARGE,
    assert_accepted,
    assert_answer,
    assert_refused,
    batch,
    record,
    single,
)

LIMIT = 500 * 1024
GZIP = {"Content-Encoding": "gzip"}
REQUEST_TOO_LARGE = batch("request_too_large", {**TOO_LARGE, **NO_INDEX})


def event(message_id: str) -> dict[str, str]:
    return {"messageId": message_id, "userId": "ü"}


def ids(trackside: Running) -> list[str]:
    return [queued["messageId"] for queued in trackside.queued()]


def filled(size: int, message_id: str) -> bytes:
    """A batch of this many bytes."""
    start = json.dumps({"batch": [{**event(message_id), "type": "page"}], "filling": ""}).encode()[:-2]
    return start + b"x" * (size - len(start) - 2) + b'"}'


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", " gzip "])
def test_gzip_is_read(trackside: Running, encoding: str) -> None:
    sent = event(f"gzip {encoding}")
    body = gzip.compress(json.dumps(sent).encode())
    response = trackside.post("/v1/page", body, headers={"Content-Encoding": encoding.strip()})
    assert_accepted(trackside, response, record("page", sent))


def test_gzip_of_several_members_is_read(trackside: Running) -> None:
    sent = event("members")
    whole = json.dumps(sent).encode()
    body = b"".join(gzip.compress(whole[start : start + 7]) for start in range(0, len(whole), 7)) + gzip.compress(b"")
    assert_accepted(trackside, trackside.post("/v1/page", body, headers=GZIP), record("page", sent))


@pytest.mark.parametrize("encoding", ["identity", ""])
def test_no_encoding_is_read(trackside: Running, encoding: str) -> None:
    sent = event(f"plain {encoding}")
    response = trackside.post("/v1/page", sent, headers={"Content-Encoding": encoding})
    assert_accepted(trackside, response, record("page", sent))


@pytest.mark.parametrize("encoding", ["deflate", "br", "zstd", "gzip, gzip", "gzip, br", "none", "é"])
def test_other_encoding_is_415(trackside: Running, encoding: str) -> None:
    response = trackside.post("/v1/page", event("m"), headers={"Content-Encoding": encoding.encode()})
    message = f"Content-Encoding {encoding!r} is not supported, gzip is"
    lower = {"code": "unsupported_media_type", "message": message}
    body = {"Error": "Unsupported Media Type", "Message": message, "Details": "", **lower}
    assert_refused(trackside, response, 415, body)
    assert response.headers["Accept-Encoding"] == "gzip"


COMPRESSED = gzip.compress(page("m"), mtime=0)
NOT_GZIP = {
    "plain": b"{}",
    "a magic number alone": b"\x1f\x8b",
    "a byte less": COMPRESSED[:-1],
    "no checksum": COMPRESSED[:-9],
    "no data": COMPRESSED[:15],
    "more behind it": COMPRESSED + b"more",
    "a member that is cut off": COMPRESSED + gzip.compress(b"   ")[:-4],
    "a wrong checksum": COMPRESSED[:-8] + bytes(8),
    "zlib": zlib.compress(page("m")),
}


@pytest.mark.parametrize("name", NOT_GZIP)
def test_body_that_is_not_gzip_is_refused(trackside: Running, name: str) -> None:
    told = single("The body is not what its Content-Encoding says", "Content-Encoding", "malformed_encoding")
    assert_refused(trackside, trackside.post("/v1/page", NOT_GZIP[name], headers=GZIP), 400, told)


def test_compressed_body_that_is_not_json_is_refused(trackside: Running) -> None:
    body = single("The body is not valid JSON", "JSON is malformed: invalid character (byte 0)", "malformed_json")
    assert_refused(trackside, trackside.post("/v1/page", gzip.compress(b"?"), headers=GZIP), 400, body)


def test_limit_counts_what_is_inflated(trackside: Running) -> None:
    assert_answer(trackside.post("/v1/batch", gzip.compress(filled(LIMIT, "at")), headers=GZIP), 200, SUCCESS)
    assert ids(trackside) == ["at"]
    response = trackside.post("/v1/batch", gzip.compress(filled(LIMIT + 1, "over")), headers=GZIP)
    assert_refused(trackside, response, 413, REQUEST_TOO_LARGE)


def test_body_that_does_not_compress_may_be_larger_compressed(trackside: Running) -> None:
    body = gzip.compress(filled(LIMIT, "stored"), compresslevel=0)
    assert len(body) > LIMIT
    assert_answer(trackside.post("/v1/batch", body, headers=GZIP), 200, SUCCESS)
    assert ids(trackside) == ["stored"]


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(b"x" * (LIMIT + 1)),
        gzip.compress(b"x" * (200 << 20), compresslevel=1),
        gzip.compress(b"x" * LIMIT) + gzip.compress(b"x"),
        gzip.compress(b"") * 60_000,
    ],
    ids=["a byte over", "200 MB", "in the second member", "empty members without end"],
)
def test_bomb_is_stopped_at_the_limit(trackside: Running, body: bytes) -> None:
    tracemalloc.start()
    try:
        response = trackside.post("/v1/batch", body, headers=GZIP)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert_refused(trackside, response, 413, REQUEST_TOO_LARGE)
    assert peak < 16 << 20


@pytest.mark.parametrize("sizes", [[1], [3, 5, 1], [1000]])
def test_chunks_are_joined(trackside: Running, sizes: list[int]) -> None:
    body, start, parts = page(f"chunks {sizes}"), 0, list[bytes]()
    for size in sizes * len(body):
        parts += [body[start : start + size]] if start < len(body) else []
        start += size
    with connected(trackside.http_address) as wire:
        wire.send(head("/v1/page", "Transfer-Encoding: chunked") + chunked(*parts))
        assert wire.answer().json == SUCCESS
    assert ids(trackside) == [f"chunks {sizes}"]


def test_chunks_of_gzip_are_inflated(trackside: Running) -> None:
    body = gzip.compress(page("chunked gzip"))
    parts = [body[start : start + 5] for start in range(0, len(body), 5)]
    with connected(trackside.http_address) as wire:
        wire.send(head("/v1/page", "Transfer-Encoding: chunked", "Content-Encoding: gzip") + chunked(*parts))
        assert wire.answer().json == SUCCESS
    assert ids(trackside) == ["chunked gzip"]


def test_size_of_a_chunk_may_have_leading_zeros_and_extensions(trackside: Running) -> None:
    body = page("extended")
    with connected(trackside.http_address) as wire:
        wire.send(head("/v1/page", "Transfer-Encoding: chunked"))
        wire.send(b'%08X;name="value";more\r\n%b\r\n00;end\r\n\r\n' % (len(body), body))
        assert wire.answer().json == SUCCESS
        wire.send(request("/v1/page", page("next")))
        assert wire.answer().json == SUCCESS
    assert ids(trackside) == ["extended", "next"]


BODY = page("smuggled")
SIZE = b"%x" % len(BODY)


@pytest.mark.parametrize(
    "sent",
    [
        b"0x%b\r\n%b\r\n0\r\n\r\n" % (SIZE, BODY),
        b" %b\r\n%b\r\n0\r\n\r\n" % (SIZE, BODY),
        b"\x0b%b\r\n%b\r\n0\r\n\r\n" % (SIZE, BODY),
        b"+%b\r\n%b\r\n0\r\n\r\n" % (SIZE, BODY),
        b"-1\r\n%b\r\n0\r\n\r\n" % BODY,
        b"\r\n%b\r\n0\r\n\r\n" % BODY,
        b"%b\r\n%b\r\n0\r\n\r\n" % (SIZE.translate(bytes.maketrans(b"0123456789", b"g" * 10)), BODY),
        f"{chr(0xFF11) * 2}\r\n".encode() + BODY + b"\r\n0\r\n\r\n",
        b"%b\r\n%bXX0\r\n\r\n" % (SIZE, BODY),
        b"%b\r\n%b0\r\n\r\n" % (SIZE, BODY),
        b"%b\r\n%b\r\n0\r\nX-Trailer : thing\r\n\r\n" % (SIZE, BODY),
        b"%b\r\n%b\r\n0\r\n folded\r\n\r\n" % (SIZE, BODY),
        b"%b\r\n%b\r\n0\r\nX-Trailer: %b\r\n\r\n" % (SIZE, BODY, b"x" * 8_192),
        b"%b\r\n%b\r\n0\r\n%b\r\n" % (SIZE, BODY, b"X-Trailer: thing\r\n" * 600),
        b"000000000%b\r\n%b\r\n0\r\n\r\n" % (SIZE, BODY),
        b"%b;%b\r\n%b\r\n0\r\n\r\n" % (SIZE, b"x" * 300, BODY),
        b"%b;a\nb\r\n%b\r\n0\r\n\r\n" % (SIZE, BODY),
    ],
)
@pytest.mark.parametrize("path", ["/v1/page", "/v1/batch", "/nowhere"])
def test_ambiguous_chunk_ends_the_connection(trackside: Running, path: str, sent: bytes) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(head(path, "Transfer-Encoding: chunked") + sent + request("/v1/page", page("behind")))
        answer = wire.answer()
        if path == "/nowhere":
            assert answer.status == 404
        else:
            assert (answer.status, answer.json["message"]) == (400, "Bad chunked encoding")
            assert answer.headers["connection"] == "close"
        assert wire.ended()
    assert ids(trackside) == []


def test_trailers_are_read_and_dropped(trackside: Running) -> None:
    body = page("trailers")
    trailers = b"X-Checksum: a\r\nContent-Length: 5\r\nX-Empty:\r\n"
    with connected(trackside.http_address) as wire:
        wire.send(head("/v1/page", "Transfer-Encoding: chunked", "Trailer: X-Checksum"))
        wire.send(chunked(body)[:-2] + trailers + b"\r\n" + request("/v1/page", page("after trailers")))
        assert [wire.answer().json for _ in range(2)] == [SUCCESS] * 2
    assert ids(trackside) == ["trailers", "after trailers"]


def test_endless_chunks_are_413_before_they_end(trackside: Running) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with connected(trackside.http_address) as wire:
        wire.send(head("/v1/batch", "Transfer-Encoding: chunked"))
        for _ in range(8):
            wire.send(chunk)
        answer = wire.answer()
        assert (answer.status, answer.json) == (413, REQUEST_TOO_LARGE)
    assert ids(trackside) == []


def test_length_over_the_limit_is_413_and_the_connection_goes_on(trackside: Running) -> None:
    with connected(trackside.http_address) as wire:
        sender = threading.Thread(target=wire.send, args=(request("/v1/batch", b"x" * 3_000_000),))
        sender.start()
        answer = wire.answer()
        assert (answer.status, answer.json) == (413, REQUEST_TOO_LARGE)
        sender.join(5)
        wire.send(request("/v1/page", page("after 413")))
        assert wire.answer().json == SUCCESS
    assert ids(trackside) == ["after 413"]


def test_length_without_bounds_is_413_and_ends_the_connection(trackside: Running) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(head("/v1/batch", f"Content-Length: {10**18}") + b"x" * (LIMIT + 1))
        answer = wire.answer()
        assert (answer.status, answer.json) == (413, REQUEST_TOO_LARGE)
        assert wire.ended()
    assert ids(trackside) == []


def test_body_that_nobody_reads_does_not_become_a_request(trackside: Running) -> None:
    inner = request("/v1/page", page("inner"))
    with connected(trackside.http_address) as wire:
        wire.send(request("/nowhere", inner) + request("/v1/page", inner, method="OPTIONS"))
        wire.send(request("/v1/page", inner, "Content-Encoding: br") + request("/v1/page", inner, method="PUT"))
        wire.send(request("/health", inner, method="GET") + request("/v1/page", page("outer")))
        assert [wire.answer().status for _ in range(6)] == [404, 200, 415, 405, 200, 200]
    assert ids(trackside) == ["outer"]

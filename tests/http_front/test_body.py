"""Bodies: compressed, in chunks, and both; bounded while they are read, whatever they would become."""

from __future__ import annotations

import gzip
import json
import random
import sys
import threading
import tracemalloc
import zlib
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import brotli as untyped_brotli
import pytest

from http1.content_coding import STEP_BYTES
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

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

brotli: Any = untyped_brotli
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


def raw_deflate(body: bytes, level: int = 6) -> bytes:
    compressor = zlib.compressobj(level, wbits=-15)
    return compressor.compress(body) + compressor.flush()


def br(body: bytes) -> bytes:
    return brotli.compress(body, quality=4)


def zstd_window(body: bytes, log: int) -> bytes:
    """A frame whose size is not said, so that its window is."""
    compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: log})
    return compressor.compress(body, mode=compressor.FLUSH_BLOCK) + compressor.flush()


ENCODERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", lambda body: gzip.compress(body, 1, mtime=0)),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "br": ("br", br),
    "zstd": ("zstd", zstd.compress),
}
"""By name: what Content-Encoding says, and the encoder."""
encodings = pytest.mark.parametrize(("encoding", "encode"), ENCODERS.values(), ids=ENCODERS)


def encoded(encoding: str) -> dict[str, str]:
    return {"Content-Encoding": encoding}


@encodings
@pytest.mark.parametrize(
    "path", ["/v1/page", "/v1/p", "/v1/batch", "/v1/webhook?writeKey=test-key", "/beacon/v1/batch"]
)
def test_encoded_body_is_read(
    trackside: Running, encoding: str, encode: Callable[[bytes], bytes], path: str, request: pytest.FixtureRequest
) -> None:
    sent = {**event(request.node.name), "type": "page"}
    body = json.dumps({"batch": [sent]} if "batch" in path else sent).encode()
    response = trackside.post(path, encode(body), headers=encoded(encoding))
    assert_accepted(trackside, response, record("page", sent))


@pytest.mark.parametrize("encoding", ["GZIP", "x-gzip", "gzip, identity", ", gzip,", "identity,\tgzip"])
def test_gzip_may_be_spelt_otherwise(trackside: Running, encoding: str) -> None:
    sent = event(f"gzip {encoding}")
    body = gzip.compress(json.dumps(sent).encode())
    assert_accepted(trackside, trackside.post("/v1/page", body, headers=encoded(encoding)), record("page", sent))


@pytest.mark.parametrize("inner", ENCODERS)
@pytest.mark.parametrize("outer", ENCODERS)
def test_two_encodings_are_undone_the_last_first(trackside: Running, inner: str, outer: str) -> None:
    sent = event(f"{inner} in {outer}")
    (first, encode_first), (second, encode_second) = ENCODERS[inner], ENCODERS[outer]
    body = encode_second(encode_first(json.dumps(sent).encode()))
    with connected(trackside.http_address) as wire:
        wire.send(request("/v1/page", body, f"Content-Encoding: {first}", f"Content-Encoding: {second}"))
        assert wire.answer().json == SUCCESS
        wire.send(request("/v1/page", body, f"Content-Encoding: {first}, {second}"))
        assert wire.answer().json == SUCCESS
    assert ids(trackside) == [sent["messageId"]]


@encodings
@pytest.mark.parametrize("size", [60_000, LIMIT])
def test_large_body_is_decoded_in_steps(
    trackside: Running, encoding: str, encode: Callable[[bytes], bytes], size: int
) -> None:
    # Random letters, so that it is large when it is encoded, too.
    letters = random.Random(size).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=size)
    start = json.dumps({"batch": [{**event(f"{encoding} {size} {encode}"), "type": "page"}], "x": ""}).encode()[:-2]
    body = encode(start + "".join(letters)[: size - len(start) - 2].encode() + b'"}')
    assert len(body) > 4 * STEP_BYTES
    assert_answer(trackside.post("/v1/batch", body, headers=encoded(encoding)), 200, SUCCESS)
    assert ids(trackside) == [f"{encoding} {size} {encode}"]


@pytest.mark.parametrize("path", ["/v1/page", "/v1/page?compression=gzip", "/v1/webhook?compression=gzip-js"])
@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "identity"}, {"Content-Type": "text/plain"}])
def test_gzip_is_known_by_its_first_bytes(trackside: Running, path: str, headers: dict[str, str]) -> None:
    sent = {**event(f"unnamed {path} {headers}"), "type": "page"}
    body = gzip.compress(json.dumps(sent).encode())
    assert_accepted(trackside, trackside.post(path, body, headers=headers), record("page", sent))


@pytest.mark.parametrize("sizes", [[1], [2, 1], [1000]])
def test_gzip_in_chunks_is_known_by_its_first_bytes(trackside: Running, sizes: list[int]) -> None:
    body, parts = gzip.compress(page(f"unnamed chunks {sizes}")), list[bytes]()
    while body:
        parts.append(body[: sizes[len(parts) % len(sizes)]])
        body = body[len(parts[-1]) :]
    with connected(trackside.http_address) as wire:
        wire.send(head("/v1/page?compression=gzip", "Transfer-Encoding: chunked") + chunked(*parts))
        assert wire.answer().json == SUCCESS
    assert ids(trackside) == [f"unnamed chunks {sizes}"]


def test_gzip_is_known_once(trackside: Running) -> None:
    twice = gzip.compress(gzip.compress(page("twice")))
    for headers in ({}, GZIP):
        answer = trackside.post("/v1/page", twice, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")
    assert ids(trackside) == []


def test_unnamed_gzip_is_bounded(trackside: Running) -> None:
    assert_refused(trackside, trackside.post("/v1/batch", gzip.compress(bytes(LIMIT + 1))), 413, REQUEST_TOO_LARGE)
    told = single("The body is not what its Content-Encoding says", "Content-Encoding", "malformed_encoding")
    assert_refused(trackside, trackside.post("/v1/page", gzip.compress(page("m"))[:-1]), 400, told)
    assert_refused(trackside, trackside.post("/v1/page", b"\x1f\x8b"), 400, told)
    assert trackside.post("/v1/page", b"\x1f").json()["code"] == "malformed_json"


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_several_members_are_read(trackside: Running, name: str) -> None:
    encoding, encode = ENCODERS[name]
    sent = event(f"members {name}")
    whole = json.dumps(sent).encode()
    body = b"".join(encode(whole[start : start + 7]) for start in range(0, len(whole), 7)) + encode(b"") * 500
    assert len(body) > STEP_BYTES
    assert_accepted(trackside, trackside.post("/v1/page", body, headers=encoded(encoding)), record("page", sent))


def test_frames_of_zstd_that_are_to_be_skipped_are_skipped(trackside: Running) -> None:
    sent = event("skippable")
    body = bytes.fromhex("502a4d18") + b"\x04\0\0\0abcd" + zstd.compress(json.dumps(sent).encode())
    assert_accepted(trackside, trackside.post("/v1/page", body, headers=encoded("zstd")), record("page", sent))


def test_window_of_zstd_is_bounded(trackside: Running) -> None:
    sent = event("window")
    body = json.dumps(sent).encode()
    response = trackside.post("/v1/page", zstd_window(body, 23), headers=encoded("zstd"))
    assert_accepted(trackside, response, record("page", sent))
    assert_refused(
        trackside, trackside.post("/v1/page", zstd_window(body, 24), headers=encoded("zstd")), 400, NOT_ENCODED
    )


@pytest.mark.parametrize("encoding", ["identity", ""])
def test_no_encoding_is_read(trackside: Running, encoding: str) -> None:
    sent = event(f"plain {encoding}")
    response = trackside.post("/v1/page", sent, headers={"Content-Encoding": encoding})
    assert_accepted(trackside, response, record("page", sent))


@pytest.mark.parametrize(
    "encoding",
    [
        "compress",
        "lzma",
        "dcb",
        "none",
        "é",
        "gzip, none",
        "none, gzip",
        "gzip, gzip, gzip",
        "gzip;q=1",
        "gzip br",
        "*",
    ],
)
def test_other_encoding_is_415(trackside: Running, encoding: str) -> None:
    response = trackside.post("/v1/page", event("m"), headers={"Content-Encoding": encoding.encode()})
    message = f"Content-Encoding {encoding!r} is not supported; gzip, deflate, br and zstd are, at most 2 of them"
    lower = {"code": "unsupported_media_type", "message": message}
    body = {"Error": "Unsupported Media Type", "Message": message, "Details": "", **lower}
    assert_refused(trackside, response, 415, body)
    assert response.headers["Accept-Encoding"] == "gzip, deflate, br, zstd"


NOT_ENCODED = single("The body is not what its Content-Encoding says", "Content-Encoding", "malformed_encoding")
COMPRESSED = gzip.compress(page("m"), mtime=0)
NOT_GZIP = {
    "a magic number alone": b"\x1f\x8b",
    "no checksum": COMPRESSED[:-9],
    "no data": COMPRESSED[:15],
    "a member that is cut off": COMPRESSED + gzip.compress(b"   ")[:-4],
    "a wrong checksum": COMPRESSED[:-8] + bytes(8),
    "zlib": zlib.compress(page("m")),
    "members without end": COMPRESSED + gzip.compress(b"") * 1_000,
}


@pytest.mark.parametrize("name", NOT_GZIP)
def test_body_that_is_not_gzip_is_refused(trackside: Running, name: str) -> None:
    assert_refused(trackside, trackside.post("/v1/page", NOT_GZIP[name], headers=GZIP), 400, NOT_ENCODED)


NOT_AS_ENCODED: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda _: b'{"messageId":"m"}',
    "its first byte": lambda body: body[:1],
    "half": lambda body: body[: len(body) // 2],
    "a byte less": lambda body: body[:-1],
    "more behind it": lambda body: body + b"more",
    "more behind it, in a later step": lambda body: body + bytes(2 * STEP_BYTES),
    "another one's": lambda body: brotli.compress(body) if body[0] in b"\x1f\x28" else gzip.compress(body),
}


@encodings
@pytest.mark.parametrize("name", NOT_AS_ENCODED)
@pytest.mark.parametrize("within", ["", "gzip", "br"])
def test_body_that_is_not_as_encoded_is_refused(
    trackside: Running, encoding: str, encode: Callable[[bytes], bytes], name: str, within: str
) -> None:
    body = NOT_AS_ENCODED[name](encode(page("m", filling="abcdefghijklm" * 5)))
    header = encoding
    if within:
        outer, encode_outer = ENCODERS[within]
        header, body = f"{encoding}, {outer}", encode_outer(body)
    assert_refused(trackside, trackside.post("/v1/page", body, headers=encoded(header)), 400, NOT_ENCODED)


@encodings
def test_empty_body_is_empty_in_every_encoding(
    trackside: Running, encoding: str, encode: Callable[[bytes], bytes]
) -> None:
    told = single("The body is not valid JSON", "It is empty", "malformed_json")
    for body in (b"", encode(b"")):
        assert_refused(trackside, trackside.post("/v1/page", body, headers=encoded(encoding)), 400, told)


def test_compressed_body_that_is_not_json_is_refused(trackside: Running) -> None:
    body = single("The body is not valid JSON", "JSON is malformed: invalid character (byte 0)", "malformed_json")
    assert_refused(trackside, trackside.post("/v1/page", gzip.compress(b"?"), headers=GZIP), 400, body)


@encodings
def test_limit_counts_what_is_decoded(trackside: Running, encoding: str, encode: Callable[[bytes], bytes]) -> None:
    name, headers = f"at {encoding} {encode}", encoded(encoding)
    assert_answer(trackside.post("/v1/batch", encode(filled(LIMIT, name)), headers=headers), 200, SUCCESS)
    assert ids(trackside) == [name]
    response = trackside.post("/v1/batch", encode(filled(LIMIT + 1, "over")), headers=headers)
    assert_refused(trackside, response, 413, REQUEST_TOO_LARGE)


def test_body_that_does_not_compress_may_be_larger_compressed(trackside: Running) -> None:
    body = gzip.compress(filled(LIMIT, "stored"), compresslevel=0)
    assert len(body) > LIMIT
    assert_answer(trackside.post("/v1/batch", body, headers=GZIP), 200, SUCCESS)
    assert ids(trackside) == ["stored"]


@cache
def of_parts(name: str, size: int) -> bytes:
    """Zeros, encoded without that they are ever in memory together."""
    part, parts = bytes(1 << 20), size >> 20
    match name:
        case "br":
            compressor = brotli.Compressor(quality=1)
            return b"".join(compressor.process(part) for _ in range(parts)) + compressor.finish()
        case "zstd":
            compressor = zstd.ZstdCompressor()
        case _:
            compressor = zlib.compressobj(9, wbits={"gzip": 31, "deflate": 15, "raw deflate": -15}[name])
    return b"".join(compressor.compress(part) for _ in range(parts)) + compressor.flush()


def twice(outer: Callable[[bytes], bytes], inner: str) -> bytes:
    return outer(of_parts(inner, 64 << 20))


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    **{
        f"{name} of a byte over": (encoding, partial(encode, bytes(LIMIT + 1)))
        for name, (encoding, encode) in ENCODERS.items()
    },
    **{f"{name} of 64 MB": (encoding, partial(of_parts, name, 64 << 20)) for name, (encoding, _) in ENCODERS.items()},
    **{
        f"{name} in gzip": (f"{encoding}, gzip", partial(twice, gzip.compress, name))
        for name, (encoding, _) in ENCODERS.items()
    },
    **{
        f"gzip in {name}": (f"gzip, {encoding}", partial(twice, encode, "gzip"))
        for name, (encoding, encode) in ENCODERS.items()
    },
    "much in between": ("gzip, gzip", partial(of_parts, "gzip", 3 << 20)),
    "gzip, in the second member": ("gzip", lambda: gzip.compress(b"x" * LIMIT) + gzip.compress(b"x")),
    "gzip, empty members without end": ("gzip", lambda: gzip.compress(b"") * 60_000),
    "zstd, in the second frame": ("zstd", lambda: zstd.compress(b"x" * LIMIT) + zstd.compress(b"x")),
    "zstd, empty frames without end": ("zstd", lambda: zstd.compress(b"") * 120_000),
}
"""By name: what Content-Encoding says, and what makes the body."""


@pytest.mark.parametrize("bomb", BOMBS)
def test_bomb_is_stopped_at_the_limit(trackside: Running, bomb: str) -> None:
    encoding, made = BOMBS[bomb]
    body = made()
    tracemalloc.start()
    try:
        response = trackside.post("/v1/batch", body, headers=encoded(encoding))
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


@encodings
def test_chunks_are_joined_and_decoded(trackside: Running, encoding: str, encode: Callable[[bytes], bytes]) -> None:
    name = f"chunked {encoding} {encode}"
    body = encode(page(name))
    parts = [body[start : start + 5] for start in range(0, len(body), 5)]
    with connected(trackside.http_address) as wire:
        wire.send(head("/v1/page", "Transfer-Encoding: chunked", f"Content-Encoding: {encoding}") + chunked(*parts))
        assert wire.answer().json == SUCCESS
    assert ids(trackside) == [name]


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
        wire.send(request("/v1/page", inner, "Content-Encoding: none") + request("/v1/page", inner, method="PUT"))
        wire.send(request("/health", inner, method="GET") + request("/v1/page", page("outer")))
        assert [wire.answer().status for _ in range(6)] == [404, 200, 415, 405, 200, 200]
    assert ids(trackside) == ["outer"]

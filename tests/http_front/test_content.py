"""The content of a body: decoded in short steps, and bounded to the byte before and after it is decoded."""

from __future__ import annotations

import gzip
import random
import sys
import zlib
from collections.abc import Callable
from typing import Any

import brotli as untyped_brotli
import pytest

from http1.content import Content, UnsupportedMediaType
from http1.content_coding import STEP_BYTES, Malformed, TooLarge, decode
from http1.request_head import RequestHead

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

brotli: Any = untyped_brotli
Encode = Callable[[bytes], bytes]


def raw_deflate(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(body) + compressor.flush()


ENCODERS: dict[str, tuple[str, Encode]] = {
    "gzip": ("gzip", lambda body: gzip.compress(body, mtime=0)),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "br": ("br", lambda body: brotli.compress(body, quality=4)),
    "zstd": ("zstd", zstd.compress),
}
encodings = pytest.mark.parametrize(("name", "encode"), ENCODERS.values(), ids=ENCODERS)
RANDOM = random.Random(1).randbytes(100_000)
"""They do not compress."""


def decoded(name: str, encoded: bytes, limit: int) -> tuple[bytes, int]:
    """What was decoded, and in how many steps."""
    steps, number = decode(name, encoded, limit), 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value, number
        number += 1


@encodings
@pytest.mark.parametrize("body", [b"", b"x", RANDOM, bytes(1_000_000)], ids=["empty", "a byte", "random", "zeros"])
def test_limit_is_kept_to_the_byte(name: str, encode: Encode, body: bytes) -> None:
    encoded = encode(body)
    assert decoded(name, encoded, len(body))[0] == body
    assert decoded(name, encoded, len(body) + 1)[0] == body
    if body:
        limit = len(body) - 1
        with pytest.raises(TooLarge, match=f"^the body has more than {limit} bytes, {limit} are allowed$"):
            decoded(name, encoded, limit)


@encodings
def test_steps_are_short(name: str, encode: Encode) -> None:
    assert decoded(name, encode(b"x"), 1)[1] == 1
    _, of_input = decoded(name, encode(RANDOM), len(RANDOM))
    assert len(RANDOM) // STEP_BYTES <= of_input < len(RANDOM) // STEP_BYTES * 3
    _, of_output = decoded(name, encode(bytes(1_000_000)), 1_000_000)
    assert 1_000_000 // 131_072 <= of_output < 40


@encodings
def test_what_is_not_as_encoded_is_refused(name: str, encode: Encode) -> None:
    encoded = encode(RANDOM)
    for sent, why in {
        encoded[:-1]: f"{name} that ends too early",
        encoded[: 3 * STEP_BYTES]: f"{name} that ends too early",
        encoded[:1]: f"{name} that ends too early",
        b"{" + encoded: f"not {name}",
    }.items():
        with pytest.raises(Malformed, match=f"^{why}$"):
            decoded(name, sent, len(RANDOM))


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_streams_are_counted(name: str) -> None:
    encode = ENCODERS[name][1]
    encoded = encode(b"a") * 999
    assert decoded(name, encoded + encode(b"b"), 1_000)[0] == b"a" * 999 + b"b"
    with pytest.raises(Malformed, match=f"^more behind the end of {name}$"):
        decoded(name, encoded + encode(b"b") * 2, 2_000)


def test_deflate_has_one_stream() -> None:
    for encode in (zlib.compress, raw_deflate):
        with pytest.raises(Malformed, match=r"^more behind the end of deflate$"):
            decoded("deflate", encode(b"a") * 2, 100)


@pytest.mark.parametrize("level", range(10))
@pytest.mark.parametrize("window", [9, 12, 15])
def test_deflate_has_its_header_or_none(level: int, window: int) -> None:
    for bits in (window, -window):
        compressor = zlib.compressobj(level, wbits=bits)
        encoded = compressor.compress(RANDOM[:500] + bytes(500)) + compressor.flush()
        assert decoded("deflate", encoded, 1_000)[0] == RANDOM[:500] + bytes(500)


def head(encoding: str = "", length: int = 0) -> RequestHead:
    head = RequestHead()
    head.content_length = length
    if encoding:
        head.headers[b"content-encoding"] = encoding.encode()
    return head


def content(encoding: str, limit: int, *parts: bytes) -> Content:
    content = Content(head(encoding), limit)
    for part in parts:
        content.add(part)
    return content


@pytest.mark.parametrize(("encoding", "most"), [("", 100), ("identity", 100), ("gzip", 200), ("br, zstd", 200)])
def test_bytes_of_a_body_are_bounded_before_they_are_decoded(encoding: str, most: int) -> None:
    Content(head(encoding, most), 100)
    with pytest.raises(TooLarge, match=f"^the body has {most + 1} bytes, 100 are allowed$"):
        Content(head(encoding, most + 1), 100)
    receiving = content(encoding, 100, b"x" * (most - 1), b"x")
    with pytest.raises(TooLarge, match=r"^the body has more than 100 bytes, 100 are allowed$"):
        receiving.add(b"x")


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_gzip_is_known_without_its_header_by_its_first_two_bytes(size: int) -> None:
    encoded = gzip.compress(b"content")
    parts = [encoded[at : at + size] for at in range(0, len(encoded), size)]
    assert content("", 100, *parts).decoded() == b"content"
    assert content("", 100, b"x", *parts).decoded() == b"x" + encoded
    assert content("", 100, b"", b"\x1f", b"").decoded() == b"\x1f"
    assert content("", 100, b"\x1f", b"\x8c").decoded() == b"\x1f\x8c"


@pytest.mark.parametrize(
    ("encoding", "size", "at_once"),
    [
        ("", 100_000, True),
        ("gzip", STEP_BYTES, True),
        ("gzip", STEP_BYTES + 1, False),
        ("gzip, gzip", 1, False),
    ],
)
def test_what_takes_one_step_is_decoded_at_once(encoding: str, size: int, at_once: bool) -> None:
    assert content(encoding, 100_000, b"x" * size).is_decoded_at_once is at_once


def test_what_is_encoded_twice_may_be_larger_in_between() -> None:
    inner = gzip.compress(RANDOM[:1_000], 0)
    assert len(inner) > 1_000
    assert content("gzip, br", 1_000, brotli.compress(inner)).decoded() == RANDOM[:1_000]
    with pytest.raises(TooLarge):
        content("gzip, br", 999, brotli.compress(inner)).decoded()
    with pytest.raises(TooLarge, match="more than 2000 bytes"):
        content("gzip, br", 1_000, brotli.compress(bytes(2_001))).decoded()


@pytest.mark.parametrize("encoding", ["none", "gzip, none", "gzip, br, gzip", "gzip;q=1"])
def test_encodings_that_are_not_read_are_refused(encoding: str) -> None:
    with pytest.raises(UnsupportedMediaType, match="gzip, deflate, br and zstd are, at most 2 of them") as refused:
        Content(head(encoding), 100)
    assert refused.value.status_code == 415

"""Where a body ends, however its bytes arrive, and the bounds on the lines between its chunks, to the byte."""

from __future__ import annotations

import pytest
from sanic.exceptions import BadRequest

from http1.body import ChunkedFraming, Framing, LengthFraming, framing_of
from http1.request_head import RequestHead
from tests.http_front.wire import chunked

BEHIND = b"POST /v1/page"
SIZES = [1, 2, 3, 5, 7, 64, 100_000]


def read(framing: Framing, sent: bytes, size: int, before: bytes = b"") -> tuple[bytes, bytes]:
    """The body in `sent`, which arrives in pieces of `size` bytes, and the bytes behind it.

    `before` are bytes that were read of the same pieces before.
    """
    body, unread = b"", b""
    for at in range(0, len(sent), size):
        unread += sent[at : at + size]
        taken = -1
        while taken and not framing.complete:
            part, end = framing.take(before + unread, len(before))
            taken = end - len(before)
            assert 0 <= taken <= len(unread)
            body, unread = body + part, unread[taken:]
    return body, unread


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("before", [b"", b"the head"])
def test_length_says_where_a_body_ends(before: bytes, size: int) -> None:
    framing = LengthFraming(9)
    assert read(framing, b"\r\n3456789" + BEHIND, size, before) == (b"\r\n3456789", BEHIND)
    assert framing.complete
    assert LengthFraming(0).complete
    assert not LengthFraming(1).complete


CHUNKED = {
    "one": b"5\r\nhello\r\n0\r\n\r\n",
    "several, of line ends": b"2\r\n\r\n\r\n4;a=b \t;c\r\n\r\n\r\n\r\n0\r\n\r\n",
    "none": b"0\r\n\r\n",
    "long": b"1a\r\n" + b"x" * 26 + b"\r\n0FF\r\n" + b"y" * 255 + b"\r\n0\r\n\r\n",
    "with trailers": b"0A \t\r\n0123456789\r\n000;last\r\nX-One: 1\r\nX-Two:\r\n\r\n",
}
BODIES = {
    "one": b"hello",
    "several, of line ends": b"\r\n\r\n\r\n",
    "none": b"",
    "long": b"x" * 26 + b"y" * 255,
    "with trailers": b"0123456789",
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("before", [b"", b"the head"])
@pytest.mark.parametrize("name", CHUNKED)
def test_last_chunk_says_where_a_body_ends(name: str, before: bytes, size: int) -> None:
    framing = ChunkedFraming()
    assert not framing.complete
    assert read(framing, CHUNKED[name] + BEHIND, size, before) == (BODIES[name], BEHIND)
    assert framing.complete


def test_many_chunks_are_read_in_turns() -> None:
    sent = chunked(*[b"x"] * 5_000)
    part, end = ChunkedFraming().take(sent, 0)
    assert 100 < len(part) < 1_000
    assert 100 < end < len(sent) // 5
    assert read(ChunkedFraming(), sent, len(sent)) == (b"x" * 5_000, b"")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "sent",
    [
        b"5\r\nhello!\r\n0\r\n\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"5\r\nhello\r\ng\r\n\r\n",
        b"\r\n5\r\nhello\r\n0\r\n\r\n",
        b"0\r\nno trailer\r\n\r\n",
        b"0\r\nX : 1\r\n\r\n",
        b"123456789\r\n",
    ],
)
def test_chunk_that_is_not_well_formed_is_refused(sent: bytes, size: int) -> None:
    with pytest.raises(BadRequest, match=r"^Bad chunked encoding$"):
        read(ChunkedFraming(), sent, size)


def chunk_line(length: int) -> bytes:
    return b"0;" + b"x" * (length - 4) + b"\r\n"


def trailers(*lengths: int) -> bytes:
    """The end of a body, with trailers whose lines have these lengths, without their line ends."""
    return b"0\r\n" + b"".join(b"X:" + b"x" * (length - 2) + b"\r\n" for length in lengths)


@pytest.mark.parametrize("size", [1, 256, 100_000])
@pytest.mark.parametrize(
    ("within", "over"),
    [
        (chunk_line(256), chunk_line(257)),
        (trailers(8_190), trailers(8_191)),
        (trailers(4_096, 4_096), trailers(4_096, 4_097)),
    ],
    ids=["size of a chunk", "trailer", "trailers"],
)
def test_lines_between_chunks_are_bounded(within: bytes, over: bytes, size: int) -> None:
    framing = ChunkedFraming()
    assert read(framing, within, size) == (b"", b"")
    assert read(framing, b"\r\n" + BEHIND, size) == (b"", BEHIND)
    with pytest.raises(BadRequest):
        read(ChunkedFraming(), over + b"\r\n", size)


@pytest.mark.parametrize(("start", "limit"), [(b"", 256), (b"0\r\n", 8_192)])
def test_line_without_end_is_refused_as_soon_as_it_is_too_long(start: bytes, limit: int) -> None:
    framing = ChunkedFraming()
    assert read(framing, start, 100) == (b"", b"")
    line = b"1;" + b"x" * (limit - 3)
    assert framing.take(line, 0) == (b"", 0)
    with pytest.raises(BadRequest):
        framing.take(line + b"x", 0)


def test_head_says_how_a_body_is_framed() -> None:
    head = RequestHead()
    assert framing_of(head) is None
    head.content_length = 1
    assert isinstance(framing_of(head), LengthFraming)
    head.chunked = True
    assert isinstance(framing_of(head), ChunkedFraming)

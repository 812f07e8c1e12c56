"""The requests of real SDKs that `tests/golden` holds, decoded: those that are answered 200."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

GOLDEN = Path(__file__).parent.parent / "tests" / "golden"

Members = dict[str, Any]


class Captured(NamedTuple):
    """A POST that an SDK made. The body is not compressed any more."""

    sdk: str
    path: str
    headers: list[tuple[str, str]]
    body: Members
    spaced: bool
    """Whether the JSON has blanks behind commas and colons, as Python's."""
    ascii: bool
    """Whether the JSON is escaped to ASCII."""

    @property
    def events(self) -> list[Members]:
        return self.body["batch"] if self.is_batch else [self.body]

    @property
    def is_batch(self) -> bool:
        return "batch" in self.body

    @property
    def is_browser(self) -> bool:
        return "ozilla" in self.header("user-agent")

    def header(self, name: str) -> str:
        """A header's value; empty if the request lacks it."""
        return next((value for found, value in self.headers if found.lower() == name), "")

    @property
    def write_key(self) -> str:
        basic = base64.b64decode(self.header("authorization").removeprefix("Basic ")).decode().removesuffix(":")
        query = self.path.partition("writeKey=")[2]
        return basic or query or self.body.get("writeKey", "")


_WHOLE = '200 {"Success": true}'
"""The answer where no event is rejected. Some SDKs get 200 in place of 207."""


_DESCRIBED = (
    "captured.analytics-php",
    "captured.analytics-ruby",
    "captured.events-sdk-js-node",
    "captured.metarouter",
    "captured.simple_segment",
)
"""Captures of SDKs that are described by hand (described_sdks.py), or that have too few requests to vary."""


def read_captures() -> list[Captured]:
    """Every collecting request of the golden files whose events are all accepted."""
    files = [file for file in sorted(GOLDEN.glob("captures/*.json")) if not file.stem.startswith(_DESCRIBED)]
    return [captured for file in files for captured in _read(file)]


def _read(file: Path) -> Iterator[Captured]:
    replayed = (GOLDEN / "replayed" / f"{file.stem}.txt").read_text().split("\n\n")
    for request, answered in zip(json.loads(file.read_text()), replayed, strict=False):
        headers = [(name, value) for name, value in request["headers"]]
        if request["method"] == "POST" and answered.split("\n")[1].startswith(_WHOLE):
            text = _decoded({name.lower(): value for name, value in headers}, base64.b64decode(request["body_base64"]))
            spaced, ascii_only = b'": ' in text[:60], text.isascii() and b"\\u" in text
            yield Captured(file.stem, request["path"], headers, json.loads(text), spaced, ascii_only)


def _decoded(headers: dict[str, str], body: bytes) -> bytes:
    if headers.get("transfer-encoding") == "chunked":
        body = b"".join(_chunks(body))
    return gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body


def _chunks(body: bytes) -> Iterator[bytes]:
    while body:
        size, _, rest = body.partition(b"\r\n")
        yield rest[: int(size, 16)]
        body = rest[int(size, 16) + 2 :]

"""The content of a request's body: its Content-Encoding undone, and bounded before memory is spent."""

from __future__ import annotations

from collections.abc import Iterator

from sanic.exceptions import SanicException

from http1.content_coding import ALIASES, NAMES, STEP_BYTES, TooLarge, decode
from http1.request_head import RequestHead

_CODINGS = 2  # of one body
_GROWTH = 2  # encoded bytes for each byte that is allowed: what does not compress grows a little
_GZIP_MAGIC = b"\x1f\x8b"  # no JSON text begins with it


class UnsupportedMediaType(SanicException):
    """The Content-Encoding is not read here."""

    status_code = 415
    headers = {"Accept-Encoding": ", ".join(NAMES)}  # noqa: RUF012 - the type is SanicException's
    quiet = True


class Content:
    """The content of a body, at most `limit` bytes."""

    def __init__(self, head: RequestHead, limit: int) -> None:
        """Raises UnsupportedMediaType; and TooLarge where the head says a length over the limit."""
        self._codings = _codings(head)
        """Those that are left to be undone, the last first."""
        self._limit = limit
        self._received_limit = limit * _GROWTH if self._codings else limit
        self._received = 0
        self._parts: list[bytes] = []
        if head.content_length > self._received_limit:
            raise _too_large(limit, str(head.content_length))

    def add(self, part: bytes) -> None:
        """Take bytes of the body. Raises TooLarge."""
        before, self._received = self._received, self._received + len(part)
        if self._received > self._received_limit:
            raise _too_large(self._limit, f"more than {self._limit}")
        self._parts.append(part)
        # Beacons compress, and cannot say so: they have no headers of their own.
        if before < 2 <= self._received and not self._codings:
            start = self._whole() if before else part
            if start.startswith(_GZIP_MAGIC):
                self._codings.append("gzip")

    @property
    def is_decoded_at_once(self) -> bool:
        """Decoding takes one short step, or none."""
        return not self._codings or (len(self._codings) == 1 and self._received <= STEP_BYTES)

    def steps(self) -> Iterator[None]:
        """Decode, step by step. Raises TooLarge, and Malformed where the content is not what its encoding says."""
        while self._codings:
            # What was encoded twice may have as many bytes in between as a body that was encoded once.
            limit = self._limit if len(self._codings) == 1 else self._received_limit
            decoded = yield from decode(self._codings[-1], self._whole(), limit)
            self._codings.pop()
            self._parts = [decoded]

    def decoded(self) -> bytes:
        """The content. Raises as `steps` does."""
        if self._codings:
            for _ in self.steps():
                pass
        return self._whole()

    def _whole(self) -> bytes:
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)


def _codings(head: RequestHead) -> list[str]:
    """The codings in the order in which they were applied. Raises UnsupportedMediaType."""
    if b"content-encoding" not in head.headers:
        return []
    header = head.header(b"content-encoding")
    names = [name.strip().lower() for name in header.split(",")]
    codings = [ALIASES.get(name, name) for name in names if name not in ("", "identity")]
    if len(codings) > _CODINGS or not set(codings) <= set(NAMES):
        readable = f"{', '.join(NAMES[:-1])} and {NAMES[-1]} are, at most {_CODINGS} of them"
        raise UnsupportedMediaType(f"Content-Encoding {header.lower()[:40]!r} is not supported; {readable}")
    return codings


def _too_large(limit: int, size: str) -> TooLarge:
    return TooLarge(f"the body has {size} bytes, {limit} are allowed")

"""A request's head: refused where two servers could read it differently, and its headers as text."""

from __future__ import annotations

import re
from typing import Any, cast

from sanic import Request
from sanic.exceptions import BadRequest

# What Sanic accepts and other servers read differently, so that two of them would see different requests.
_SMUGGLING = re.compile(
    rb"""
      (?<!\r)\n            # a line that ends in LF alone
    | \r(?!\n)
    | \r\n(?![!#$%&'*+\-.^_`|~0-9A-Za-z]++:)  # a folded header, white space before a colon, no name
    | [\x00\x0b\x0c]
    | \r\n(?i:content-length):[ \t]*+(?![0-9]+[ \t]*(?:\r|\Z))
    | \r\n(?i:transfer-encoding):[ \t]*+(?!(?i:chunked)[ \t]*(?:\r|\Z))
    """,
    re.VERBOSE,
)


class StrictRequest(Request):
    """A request whose head can be read in one way only. What it raises ends the connection, whatever the route."""

    def __init__(self, url_bytes: bytes, *args: Any, head: bytes = b"", **more: Any) -> None:
        if _SMUGGLING.search(head):
            raise BadRequest("Malformed request head")
        # Without a head it stands for a request that cannot be read, so that it can be answered. Its URL may be why.
        super().__init__(url_bytes if head else b"*", *args, head=head, **more)
        if self.version == "1.0" and "transfer-encoding" in self.headers:  # which HTTP/1.0 does not know
            raise BadRequest("Malformed request head")


def header(request: Request, name: str) -> str | None:
    """A header's value, with U+FFFD for what is not UTF-8. Sanic's headers are not typed."""
    value = cast("str | None", request.headers.get(name))
    if value is None or value.isascii():
        return value
    return value.encode(errors="surrogateescape").decode(errors="replace")

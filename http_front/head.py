"""A request's head: refused where two servers could read it differently, and its headers as text."""

from __future__ import annotations

import re
from typing import Any, cast

from sanic import Request
from sanic.exceptions import BadRequest

# What Sanic accepts and other servers read differently, so that two of them would see different requests.
_SMUGGLING = re.compile(
    rb"""
      (?P<line>(?<!\r)\n|\r(?!\n))
    | (?P<header>\r\n(?![!#$%&'*+\-.^_`|~0-9A-Za-z]++:))  # folded, white space before the colon, no name, no colon
    | (?P<control>[\x00\x0b\x0c])
    | (?P<length>\r\n(?i:content-length):[ \t]*+(?![0-9]+[ \t]*(?:\r|\Z)))
    | (?P<coding>\r\n(?i:transfer-encoding):[ \t]*+(?!(?i:chunked)[ \t]*(?:\r|\Z)))
    """,
    re.VERBOSE,
)
_FAULTS = {
    "line": "Each line of a request's head must end in CR LF",
    "header": "Each header must be a name, a colon and a value, on a line of its own",
    "control": "A request's head must be free of control characters",
    "length": "Content-Length must be a number of bytes",
    "coding": "Transfer-Encoding must be chunked, or left out",
}
_FIRST_LINE = re.compile(rb"[^ ]+ [^ ]+ HTTP/1\.[01](?:\r|\Z)")


def fault(head: bytes) -> str:
    """What is wrong with a head that was refused, as a sentence."""
    if found := _SMUGGLING.search(head):
        return _FAULTS[found.lastgroup or ""]
    if not _FIRST_LINE.match(head):
        return "A request's first line must be a method, a path and HTTP/1.1"
    return "Content-Length and Transfer-Encoding must not stand in one head together, nor twice"


class StrictRequest(Request):
    """A request whose head can be read in one way only. What it raises ends the connection, whatever the route."""

    def __init__(self, url_bytes: bytes, *args: Any, head: bytes = b"", **more: Any) -> None:
        if _SMUGGLING.search(head):
            raise BadRequest(fault(head))
        # Without a head it stands for a request that cannot be read, so that it can be answered. Its URL may be why.
        super().__init__(url_bytes if head else b"*", *args, head=head, **more)
        if self.version == "1.0" and "transfer-encoding" in self.headers:  # which HTTP/1.0 does not know
            raise BadRequest("HTTP/1.0 has no Transfer-Encoding")


def header(request: Request, name: str) -> str | None:
    """A header's value, with U+FFFD for what is not UTF-8. Sanic's headers are not typed."""
    value = cast("str | None", request.headers.get(name))
    if value is None or value.isascii():
        return value
    return value.encode(errors="surrogateescape").decode(errors="replace")

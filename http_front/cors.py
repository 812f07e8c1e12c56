"""Cross-origin requests: any page may send events, and may read why one was rejected.

Credentials are allowed, since a browser sends a beacon of JSON with them. Nothing here reads a cookie.
"""

from __future__ import annotations

import re
from functools import lru_cache

from http1.request_head import RequestHead

_ORIGIN = re.compile(rb"null|[A-Za-z][A-Za-z0-9+.\-]{0,31}://[A-Za-z0-9.\-_:\[\]]{0,262}")
"""`null`, or a scheme, a host of at most 253 characters and a port. In some web views a file has no host."""
_ORIGIN_BYTES = 300
DUPLICATE = "Trackside-Duplicate"
"""Header that counts the events of a request that were duplicates. It is absent where none was."""
IMAGE_ERROR = "Trackside-Error"
"""Header that says why the event of an image was rejected."""
_EXPOSED = f"access-control-expose-headers: Retry-After, {IMAGE_ERROR}, {DUPLICATE}\r\n".encode()
_ANY_ORIGIN = b"access-control-allow-origin: *\r\nvary: origin\r\n" + _EXPOSED

_HEADER_NAMES = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[ \t]*,[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+){0,63}")
_HEADER_NAMES_BYTES = 2_048
# What the browser SDKs of Segment and RudderStack send, the Rsa ones on a resend.
_KNOWN_HEADERS = (
    "Authorization, Content-Type, Content-Encoding, Cache-Control, X-Retry-Count, AnonymousId, SentAt, "
    "X-Event-Metadata, "
    "Rsa-Retry-Attempt, Rsa-Retry-Reason, Rsa-Since-First-Attempt, Rsa-Since-Last-Attempt, Rsa-Recovered"
)


def cors_lines(head: RequestHead | None) -> bytes:
    """The header lines that every answer has. Without them a browser takes a 400 for a broken network."""
    origin = head and head.headers.get(b"origin")
    return _lines_for(origin) if origin and len(origin) <= _ORIGIN_BYTES else _ANY_ORIGIN


@lru_cache(1024)
def _lines_for(origin: bytes) -> bytes:
    origin = origin.strip()
    if not _ORIGIN.fullmatch(origin):
        return _ANY_ORIGIN
    credentials = b"access-control-allow-credentials: true\r\n"
    return b"access-control-allow-origin: %b\r\n%bvary: origin\r\n%b" % (origin, credentials, _EXPOSED)


def preflight_headers(head: RequestHead) -> dict[str, str]:
    """Further headers of the answer to OPTIONS: what a page may send."""
    allowed = {
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Allow-Headers": _requested_headers(head) or _KNOWN_HEADERS,
        "Access-Control-Max-Age": "86400",
    }
    if head.header(b"access-control-request-private-network") == "true":
        allowed["Access-Control-Allow-Private-Network"] = "true"
    return allowed


def _requested_headers(head: RequestHead) -> str:
    """The header names that a page asks for, at most 64 in 2,048 bytes; empty where they are not such a list.

    They are named one by one: with credentials a star stands for nothing.
    """
    names = head.headers.get(b"access-control-request-headers", b"")
    if len(names) > _HEADER_NAMES_BYTES:
        return ""
    text = head.header(b"access-control-request-headers")
    return text if _HEADER_NAMES.fullmatch(text) else ""

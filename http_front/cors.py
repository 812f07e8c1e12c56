"""Cross-origin requests: any page may send events, and may read why one was rejected."""

from __future__ import annotations

from http1.request_head import RequestHead

_EXPOSED = b"access-control-expose-headers: Retry-After\r\n"
_ANY_ORIGIN = b"access-control-allow-origin: *\r\nvary: origin\r\n" + _EXPOSED

PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    # What the browser SDKs of Segment and RudderStack send, the Rsa ones on a resend. The star stands for what comes
    # next; it does not stand for Authorization, and old browsers do not know it.
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, Content-Encoding, Cache-Control, X-Retry-Count, AnonymousId, SentAt, "
        "X-Event-Metadata, "
        "Rsa-Retry-Attempt, Rsa-Retry-Reason, Rsa-Since-First-Attempt, Rsa-Since-Last-Attempt, Rsa-Recovered, *"
    ),
    "Access-Control-Max-Age": "86400",
}
"""Further headers of the answer to OPTIONS."""


def cors_lines(head: RequestHead | None) -> bytes:
    """The header lines that every answer has. Without them a browser takes a 400 for a broken network."""
    origin = head and head.headers.get(b"origin")
    if not origin:
        return _ANY_ORIGIN
    return b"access-control-allow-origin: %b\r\naccess-control-allow-credentials: true\r\nvary: origin\r\n%b" % (
        origin,
        _EXPOSED,
    )

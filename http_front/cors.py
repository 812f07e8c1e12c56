"""Cross-origin requests: any page may send events, and may read why one was refused."""

from __future__ import annotations

CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
"""On every answer: without them a browser takes a 400 for a broken network, and its SDK sends again."""

PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    # What the browser SDKs of Segment and RudderStack send, the Rsa ones on a resend. The star stands for what comes
    # next; it does not stand for Authorization, and old browsers do not know it.
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, Content-Encoding, Cache-Control, X-Retry-Count, AnonymousId, SentAt, "
        "Rsa-Retry-Attempt, Rsa-Retry-Reason, Rsa-Since-First-Attempt, Rsa-Since-Last-Attempt, Rsa-Recovered, *"
    ),
    "Access-Control-Max-Age": "86400",
}
"""Besides, on the answer to OPTIONS."""

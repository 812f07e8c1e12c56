"""The event that every benchmark sends: 950 bytes of JSON, each with a messageId of its own."""

from __future__ import annotations

import json
import uuid
from typing import Any

_PROPERTIES = {
    "orderId": "50314b8e9bcf000000000000",
    "total": 27.5,
    "currency": "USD",
    "products": [
        {"productId": "507f1f77bcf86cd799439011", "name": "Monopoly: 3rd Edition", "price": 19, "quantity": 1}
    ],
    "note": "",
}
_CONTEXT = {
    "library": {"name": "analytics.js", "version": "2.11.1"},
    "page": {"path": "/academy/", "title": "Academy", "url": "https://example.com/academy/"},
    "locale": "en-US",
    "userAgent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36",
}


def members(size: int = 950, run: str = "") -> dict[str, Any]:
    """An event that is `size` bytes of JSON; `run` makes its messageId differ between runs."""
    members: dict[str, Any] = {
        "type": "track",
        "messageId": f"{run}{uuid.uuid4()}",
        "userId": "user-12345",
        "anonymousId": "cf09e649-fd0b-46b6-9fc1-53ab9cd05c47",
        "event": "Order Completed",
        "timestamp": "2026-11-23T08:00:00.123Z",
        "sentAt": "2026-11-23T08:00:01.456Z",
        "integrations": {"All": True},
        "context": _CONTEXT,
        "properties": dict(_PROPERTIES),
    }
    members["properties"]["note"] = "x" * max(0, size - len(text(members)))
    return members


def text(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))


def event(size: int = 950, run: str = "") -> str:
    """The event as JSON text."""
    return text(members(size, run))

"""Clients that take 207 for a failure and send everything again: they get 200 with the same body.

What was refused stays refused: it is in the body, the metrics and the refused events. A setting turns this off.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from sanic import Request

from http_front.head import header


class Client(NamedTuple):
    """A client that does not know 207."""

    headers: dict[str, re.Pattern[str]]
    """The headers that tell it, each with what its value begins with."""
    why: str
    """What it does on 207."""


CLIENTS = {
    "analytics-python up to 2.3": Client(
        {"user-agent": re.compile(r"analytics-python/([01]\.|2\.[0-3](\D|$))")},
        "It, and what is made from it, sends the whole batch up to ten times.",
    ),
    "events-sdk-python": Client(
        {"user-agent": re.compile(r"events-sdk-python/")}, "It does as the Python SDK that it is made from."
    ),
    "segmentio, Segment's first for Python": Client(
        {"user-agent": re.compile(r"python-requests/")},
        "It names its HTTP library alone, and does as its successor.",
    ),
    "analytics-php": Client(
        {"user-agent": re.compile(r"analytics-php/")}, "Its default consumer sends the batch again without a pause."
    ),
    "RudderStack's first for Android": Client(
        {"user-agent": re.compile(r"Dalvik/"), "anonymousid": re.compile(r".")}, "It sends the batch again for ever."
    ),
    "RudderStack's first for iOS": Client(
        {"user-agent": re.compile(r".*CFNetwork/"), "anonymousid": re.compile(r".")},
        "It sends the batch again for ever.",
    ),
}


def knows_multi_status(request: Request) -> bool:
    """Whether the client takes 207 for the partial success that it is."""
    return not any(_is(client, request) for client in CLIENTS.values())


def _is(client: Client, request: Request) -> bool:
    return all(pattern.match(header(request, name) or "") for name, pattern in client.headers.items())

"""Clients that take 207 for a failure and send everything again: they get 200 with the same body.

What was refused stays refused: it is in the body, the metrics and the refused events. A setting turns this off.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from http1.request_head import RequestHead


class Client(NamedTuple):
    """A client that does not know 207."""

    headers: dict[bytes, re.Pattern[str]]
    """The headers that tell it, each with what its value begins with."""
    why: str
    """What it does on 207."""


CLIENTS = {
    "analytics-python up to 2.3": Client(
        {b"user-agent": re.compile(r"analytics-python/([01]\.|2\.[0-3](\D|$))")},
        "It, and what is made from it, sends the whole batch up to ten times.",
    ),
    "events-sdk-python": Client(
        {b"user-agent": re.compile(r"events-sdk-python/")}, "It does as the Python SDK that it is made from."
    ),
    "segmentio, Segment's first for Python": Client(
        {b"user-agent": re.compile(r"python-requests/")},
        "It names its HTTP library alone, and does as its successor.",
    ),
    "analytics-php": Client(
        {b"user-agent": re.compile(r"analytics-php/")}, "Its default consumer sends the batch again without a pause."
    ),
    "RudderStack's first for Android": Client(
        {b"user-agent": re.compile(r"Dalvik/"), b"anonymousid": re.compile(r".")}, "It sends the batch again for ever."
    ),
    "RudderStack's first for iOS": Client(
        {b"user-agent": re.compile(r".*CFNetwork/"), b"anonymousid": re.compile(r".")},
        "It sends the batch again for ever.",
    ),
}


def understands_207(head: RequestHead) -> bool:
    """The client takes 207 for the partial success that it is."""
    return not any(_is(client, head) for client in CLIENTS.values())


def _is(client: Client, head: RequestHead) -> bool:
    return all(pattern.match(head.header(name)) for name, pattern in client.headers.items())

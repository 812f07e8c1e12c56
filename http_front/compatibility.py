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

    header: str
    """The request's header that tells it."""
    pattern: re.Pattern[str]
    """What the header's value starts with."""
    why: str
    """What it does on 207."""


CLIENTS = (
    Client(
        "user-agent",
        re.compile(r"analytics-python/([01]\.|2\.[0-3](\D|$))"),
        "Segment's Python SDK up to 2.3 and those made from it send the whole batch up to ten times",
    ),
    Client("user-agent", re.compile(r"events-sdk-python/"), "does as the Python SDK that it is made from"),
    Client(
        "user-agent",
        re.compile(r"python-requests/"),
        "Segment's first Python SDK, which names its HTTP library alone, does as its successor",
    ),
    Client("user-agent", re.compile(r"analytics-php/"), "Segment's PHP SDK sends the batch again without a pause"),
)


def knows_multi_status(request: Request) -> bool:
    """Whether the client takes 207 for the partial success that it is."""
    return not any(client.pattern.match(header(request, client.header) or "") for client in CLIENTS)

"""The requests of one client that repeats itself: one kind of event, and heads that are equal or all different."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from benchmarks import payload
from benchmarks.raw_requests import EARLIER, NOW, NUMBER, Request, Requests, post, size, unescaped

TRACK, BATCH = "/v1/track", "/v1/batch"
_LENGTHS = range(850, 1050)
_SMALL = 600
"""Events of fewer bytes have no context."""


def empty() -> Requests:
    """A POST without a body, for the ceiling."""
    return Requests([post("/", [("Host", "localhost"), ("Content-Length", "0")], b"", 0)])


def singles(event_bytes: int = 950) -> Requests:
    """Requests of one event. All heads are equal."""
    return Requests([_post(TRACK, _event(event_bytes, number)) for number in range(1000)])


def new_heads() -> Requests:
    """The same events, 950 bytes on average. No head comes twice: User-Agent and Content-Length differ."""
    agent = (
        f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.{NUMBER} Safari/537.36"
    )
    return Requests([_post(TRACK, _event(length, length), ("User-Agent", agent)) for length in _LENGTHS])


def batches(events: int) -> Requests:
    """Requests of so many events of 950 bytes. All heads are equal."""
    numbers = itertools.count()
    requests: list[Request] = []
    for _ in range(max(8, 400 // events)):
        body = b'{"batch":[%b]}' % b",".join(_event(950, next(numbers)) for _ in range(events))
        requests.append(_post(BATCH, body, events=events))
    return Requests(requests)


def _post(path: str, body: bytes, *more: tuple[str, str], events: int = 1) -> Request:
    return post(path, [*_headers(), *more], body, events)


def _headers() -> Iterator[tuple[str, str]]:
    yield "Host", "localhost"
    yield "Authorization", "Basic YmVuY2g6"
    yield "Content-Type", "application/json"
    yield "Content-Length", ""


def _event(event_bytes: int, number: int) -> bytes:
    """JSON of so many bytes. `number` chooses its milliseconds."""
    members = payload.members()
    if event_bytes < _SMALL:
        del members["context"], members["integrations"], members["anonymousId"]
        members["properties"] = {}
    members |= {
        "messageId": f"bench-{NUMBER}",
        "timestamp": f"{EARLIER}.{number % 1000:03}Z",
        "sentAt": f"{NOW}.{number % 1000:03}Z",
    }
    members["properties"]["note"] = ""
    missing = event_bytes - size(_encoded(members))
    members["properties"]["note"] = "x" * max(0, missing)
    return _encoded(members)


def _encoded(members: dict[str, Any]) -> bytes:
    return unescaped(payload.text(members)).encode()

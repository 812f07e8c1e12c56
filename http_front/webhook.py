"""A webhook: another system's events, under the write key of the query (specification: Webhook Endpoint)."""

from __future__ import annotations

from collections.abc import Iterable

from event_model import jsontext
from http_front.batch import add_events, read_batch
from http_front.parsed_request import ParsedRequest


def read_webhook(collected: ParsedRequest, body: bytes, event_limit: int) -> Iterable[None]:
    """Add the events of a body that is one event, an array of events, or a batch: of many, some at each step.

    Raises Refused, and jsontext's errors where the body is not JSON.
    """
    if body.lstrip()[:1] == b"[":
        collected.form = "batch"
        return add_events(collected, jsontext.elements(body), event_limit)
    try:
        members = jsontext.members(body)
    except jsontext.NotAnObject:
        members = {}
    if "batch" in members:
        collected.form = "batch"
        return read_batch(collected, members, event_limit)
    collected.add(body.strip(), event_limit)
    return ()

"""A webhook: another system's events, under the write key of the query (specification: Webhook Endpoint)."""

from __future__ import annotations

from collections.abc import Iterable

from event_model import jsontext
from http_front.batch import add_events, read_batch
from http_front.parsed_request import ParsedRequest


def read_webhook(request: ParsedRequest, body: bytes, event_limit: int) -> Iterable[None]:
    """Add the events of a body that is one event, an array of events, or a batch: of many, some at each step.

    Raises Rejected, and jsontext's errors where the body is not JSON.
    """
    if body.lstrip()[:1] == b"[":
        request.form = "batch"
        return add_events(request, jsontext.elements(body), event_limit)
    try:
        members = jsontext.members(body)
    except jsontext.NotAnObject:
        members = {}
    if "batch" in members:
        request.form = "batch"
        return read_batch(request, members, event_limit)
    request.add(body.strip(), event_limit)
    return ()

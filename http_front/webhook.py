"""A webhook: another system's events, under the write key of the query (specification: Webhook Endpoint)."""

from __future__ import annotations

from event_model import jsontext
from http_front.batch import add_events, read_batch
from http_front.collecting import Collected


def read_webhook(collected: Collected, body: str, event_limit: int) -> None:
    """Add the events of a body that is one event, an array of events, or a batch.

    Raises Refused, and jsontext's errors where the body is not JSON.
    """
    if body.lstrip()[:1] == "[":
        collected.form = "batch"
        add_events(collected, jsontext.elements(body), event_limit)
        return
    try:
        members = jsontext.members(body)
    except jsontext.NotAnObject:
        members = {}
    if "batch" in members:
        collected.form = "batch"
        read_batch(collected, members, event_limit)
    else:
        collected.add(body.strip(), event_limit)

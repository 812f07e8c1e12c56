"""A batch: many events, and what is said for all of them (specification: Batch)."""

from __future__ import annotations

from collections.abc import Iterator

from trackside.v1 import collector_service_pb2 as proto

from event_model import jsontext
from event_model.jsontext import Members, Raw
from event_model.schema import LIMITS
from http_front.event_decoder import put_member
from http_front.parsed_request import ParsedRequest
from http_front.refusals import Refused

_FOR_ALL = ("context", "integrations", "sentAt", "timestamp")


def read_body(collected: ParsedRequest, body: bytes, event_limit: int) -> Iterator[None]:
    """Add the events of a body, some at each step. Raises Refused, and jsontext's errors where the body is not JSON."""
    try:
        members = jsontext.members(body)
    except jsontext.NotAnObject:
        raise Refused(proto.REASON_NOT_AN_OBJECT, "", "A batch must be a JSON object") from None
    return read_batch(collected, members, event_limit)


def read_batch(collected: ParsedRequest, members: Members, event_limit: int) -> Iterator[None]:
    """Add a batch's events, and fill in what it says for all. Raises Refused where that cannot be read."""
    events = _events(members.get("batch"))
    collected.delivery = proto.Delivery()
    for name in (*_FOR_ALL, "writeKey"):
        put_member(collected.delivery, name, members.get(name))
    return add_events(collected, events, event_limit)


def add_events(collected: ParsedRequest, events: list[Raw], event_limit: int) -> Iterator[None]:
    """Add the events of an array. Raises Refused where they are too many."""
    if len(events) > LIMITS.delivery_events:
        raise Refused(
            proto.REASON_REQUEST_TOO_LARGE, "batch", f"{len(events)} events, {LIMITS.delivery_events} are allowed"
        )
    return collected.add_all(events, event_limit)


def _events(batch: Raw | None) -> list[Raw]:
    if batch is None:
        raise Refused(proto.REASON_REQUIRED, "batch", "batch is required")
    try:
        return jsontext.elements(batch)
    except jsontext.NotAnObject:
        raise Refused(proto.REASON_WRONG_TYPE, "batch", "batch must be an array") from None

"""A batch: many events, and what is said for all of them (specification: Batch)."""

from __future__ import annotations

from collections.abc import Iterator

from trackside.v1 import collector_service_pb2 as proto

from event_model import jsontext
from event_model.jsontext import Members, Raw
from event_model.schema import LIMITS
from http_front.errors import Rejected
from http_front.event_decoder import encode_defaults
from http_front.parsed_request import ParsedRequest


def read_body(request: ParsedRequest, body: bytes, event_limit: int) -> Iterator[None]:
    """Add the events of a body, some at each step. Raises Rejected, and jsontext's errors where it is not JSON."""
    try:
        members = jsontext.members(body)
    except jsontext.NotAnObject:
        raise Rejected(proto.REASON_NOT_AN_OBJECT, "", "A batch must be a JSON object") from None
    return read_batch(request, members, event_limit)


def read_batch(request: ParsedRequest, members: Members, event_limit: int) -> Iterator[None]:
    """Add a batch's events, and fill in what it says for all. Raises Rejected where that cannot be read."""
    events = _events(members.get("batch"))
    request.defaults = encode_defaults(members)
    return add_events(request, events, event_limit)


def add_events(request: ParsedRequest, events: list[Raw], event_limit: int) -> Iterator[None]:
    """Add the events of an array. Raises Rejected where they are too many."""
    if len(events) > LIMITS.delivery_events:
        raise Rejected(
            proto.REASON_REQUEST_TOO_LARGE, "batch", f"{len(events)} events, {LIMITS.delivery_events} are allowed"
        )
    return request.add_all(events, event_limit)


def _events(batch: Raw | None) -> list[Raw]:
    if batch is None:
        raise Rejected(proto.REASON_REQUIRED, "batch", "batch is required")
    try:
        return jsontext.elements(batch)
    except jsontext.NotAnObject:
        raise Rejected(proto.REASON_WRONG_TYPE, "batch", "batch must be an array") from None

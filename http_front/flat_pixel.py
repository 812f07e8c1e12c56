"""RudderStack's pixel: an event whose members are parameters of the query, like `context.page.path`."""

from __future__ import annotations

from typing import Any

import msgspec
from trackside.v1 import collector_service_pb2 as proto

from event_model.schema import LIMITS
from http_front.errors import Rejected
from http_front.query import PARAMETERS, parameters

_WRITE_KEY = "writeKey"  # it is read as the request's, as a webhook's is
_NAME_CHARACTERS = 100  # of a name that is told to the sender


def read_parameters(query: str) -> bytes:
    """The event's JSON. Every value is a string; of two with one name the first counts. Raises Rejected."""
    event: dict[str, Any] = {}
    count = query.count("&") + 1
    if count > PARAMETERS:
        raise Rejected(proto.REASON_EVENT_TOO_LARGE, "", f"{count} parameters, {PARAMETERS} are allowed")
    for name, value in parameters(query):
        if name and name != _WRITE_KEY:
            _put(event, name, value)
    return msgspec.json.encode(event)


def _put(event: dict[str, Any], name: str, value: str) -> None:
    *path, last = name.split(".")
    if len(path) > LIMITS.nesting:
        raise Rejected(proto.REASON_NESTED_TOO_DEEP)
    members = event
    for step in path:
        inner = members.setdefault(step, {})
        if isinstance(inner, str):
            raise _both(step)
        members = inner
    if isinstance(members.setdefault(last, value), dict):
        raise _both(last)


def _both(name: str) -> Rejected:
    name = name[:_NAME_CHARACTERS]
    return Rejected(proto.REASON_WRONG_TYPE, name, f"{name} must be an object, as another parameter has it")

"""Makes an event from a call's arguments, and checks it by the rules that the protos state."""

import json
import math
import re
import time
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict, cast

import protovalidate
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event

from trackside_client.options import LARGEST_EVENT

Json = Mapping[str, Any]

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_violations = protovalidate.Validator().collect_violations


class Common(TypedDict, total=False):
    """What every kind of event may say. A `timestamp` without a zone is UTC."""

    anonymous_id: str
    message_id: str
    timestamp: datetime
    context: Json
    integrations: Json
    extra: Json


def make(kind: str, user_id: str, common: Common, **own: Any) -> Event:
    """An event of a kind from the arguments of its call. Raises TypeError for a value that JSON does not have."""
    return Event(user_id=user_id, **_fields(common), **{kind: _fields(own)})


def complete(event: Event) -> int:
    """Fill in the messageId and the timestamp if they are unset. Returns the event's bytes in a request."""
    event.message_id = event.message_id or str(uuid.uuid4())
    if not event.HasField("timestamp"):
        event.timestamp.FromMilliseconds(time.time_ns() // 1_000_000)
    return event.ByteSize() + 10  # the entry around it has at most two tags and two lengths


def _fields(given: Mapping[str, Any]) -> Any:
    """A message's fields. A mapping goes into the field of its JSON text."""
    texts = {f"{name}_json": _text(value) for name, value in given.items() if isinstance(value, Mapping)}
    return texts | {name: value for name, value in given.items() if not isinstance(value, Mapping)}


def _text(value: Any) -> str:
    text = _encode(value)
    if "NaN" in text or "Infinity" in text:
        text = _encode(_finite(value))
    return text if text.isascii() else re.sub("[\ud800-\udfff]", "\ufffd", text)  # halves of surrogate pairs


def _finite(value: Any) -> Any:
    """The value with None for each number that is not finite."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {name: _finite(member) for name, member in cast("Json", value).items()}
        case [*items]:
            return [_finite(item) for item in items]
        case _:
            return value


def refusal(event: Event, size: int) -> proto.Refusal | None:
    """Why the server would refuse the event, as far as that is known here."""
    if size > LARGEST_EVENT:
        description = f"the event has {size} bytes, and a gRPC message holds {LARGEST_EVENT}"
        return proto.Refusal(reason=proto.REASON_EVENT_TOO_LARGE, description=description)
    for violation in _violations(event, fail_fast=True):
        member, _, rule = violation.proto.rule_id.rpartition(".")
        reason = proto.REASON_INVALID_TIMESTAMP if member == "timestamp" else proto.REASON_INVALID_VALUE
        reason = proto.REASON_REQUIRED if rule == "required" else reason
        path = violation.proto.field.elements if violation.proto.field else ()  # else the rule is the whole message's
        field = re.sub("_(.)", lambda match: match[1].upper(), path[-1].field_name) if path else member
        field = "type" if field == "kind" else field
        return proto.Refusal(reason=reason, field=field, description=f"{field}: {violation.proto.message}")
    return None

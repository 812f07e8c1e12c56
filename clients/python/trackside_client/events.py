"""Makes an event from a call's arguments, and checks it by the rules that the protos state."""

import json
import re
import time
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict

import protovalidate
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event

from trackside_client.options import LARGEST_EVENT, Refused

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
    """An event of a kind from what its call was given. Raises TypeError for a value that JSON does not have."""
    event = Event(user_id=user_id)
    body = getattr(event, kind)
    body.SetInParent()
    for message, given in (event, common), (body, own):
        for name, value in given.items():
            if isinstance(value, str):
                setattr(message, name, value)
            elif isinstance(value, datetime):
                message.timestamp.FromDatetime(value)
            elif value is not None:
                setattr(message, f"{name}_json", _text(value))
    return event


def _text(value: Any) -> str:
    text = _encode(value)
    return text if text.isascii() else re.sub("[\ud800-\udfff]", "\ufffd", text)  # halves of surrogate pairs


def complete(event: Event) -> None:
    """Give an event the messageId and the timestamp that it lacks."""
    event.message_id = event.message_id or str(uuid.uuid4())
    if not event.HasField("timestamp"):
        event.timestamp.FromMilliseconds(time.time_ns() // 1_000_000)


def refusal(event: Event, size: int) -> Refused | None:
    """Why the server would refuse the event, as far as that is known here."""
    if size > LARGEST_EVENT:
        return Refused(event, proto.REASON_EVENT_TOO_LARGE, "", f"{size} bytes are more than a message may have")
    if not (violations := _violations(event, fail_fast=True)):
        return None
    violation = violations[0].proto
    member, _, rule = violation.rule_id.rpartition(".")
    path = violation.field.elements if violation.field else ()
    field = re.sub("_(.)", lambda match: match[1].upper(), path[-1].field_name) if path else member
    reason = proto.REASON_INVALID_TIMESTAMP if member == "timestamp" else proto.REASON_INVALID_VALUE
    reason = proto.REASON_REQUIRED if rule == "required" else reason
    return Refused(event, reason, "type" if field == "kind" else field, f"{field}: {violation.message}")

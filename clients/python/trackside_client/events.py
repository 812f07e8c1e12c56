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

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")
_violations = protovalidate.Validator().collect_violations


class Common(TypedDict, total=False):
    """What every kind of event may say. A `timestamp` without a zone is UTC."""

    anonymous_id: str
    message_id: str
    timestamp: datetime
    context: Mapping[str, Any]
    integrations: Mapping[str, Any]
    extra: Mapping[str, Any]


def text(value: Mapping[str, Any] | None) -> str | None:
    """The text form of a free-form value. Raises TypeError for what JSON does not have."""
    encoded = None if value is None else _encode(value)
    return encoded if encoded is None or encoded.isascii() else _HALF_A_PAIR.sub("\ufffd", encoded)


def make(user_id: str, common: Common, **kind: Any) -> Event:
    event = Event(
        user_id=user_id,
        anonymous_id=common.get("anonymous_id"),
        message_id=common.get("message_id"),
        context_json=text(common.get("context")),
        integrations_json=text(common.get("integrations")),
        extra_json=text(common.get("extra")),
        **kind,
    )
    if timestamp := common.get("timestamp"):
        event.timestamp.FromDatetime(timestamp)
    return event


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

"""The rules that the protos state for an event, checked by protovalidate. No other module knows that engine."""

from __future__ import annotations

import protovalidate
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event

from service.refusals import Refused

_validator = protovalidate.Validator()


def validate(event: Event) -> None:
    """Raise Refused with the first rule that the event breaks.

    A rule of the whole message is named `<JSON name of the member>.<rule>` in the proto, and brings its sentence along.
    """
    violations = _validator.collect_violations(event, fail_fast=True)
    if not violations:
        return
    violation = violations[0].proto
    member, _, rule = violation.rule_id.rpartition(".")
    field = _member(violation.field.elements[-1].field_name) if violation.field else member
    if field == "kind":
        raise Refused(proto.REASON_REQUIRED, "type", "type is required")
    if rule == "required":
        raise Refused(proto.REASON_REQUIRED, field, f"{field} is required" if violation.field else violation.message)
    if member == "timestamp":
        raise Refused(proto.REASON_INVALID_TIMESTAMP, field, f"{field} {violation.message}")
    raise Refused(
        proto.REASON_INVALID_VALUE, field, f"{field} {violation.message}" if violation.field else violation.message
    )


def _member(field_name: str) -> str:
    """The JSON name of a field, as protobuf derives it."""
    first, *rest = field_name.split("_")
    return first + "".join(word.capitalize() for word in rest)

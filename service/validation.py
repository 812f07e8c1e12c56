"""The rules that the protos state for an event, checked by protovalidate. No other module knows that engine.

It takes 8 µs an event, the most of any step, so a verdict is remembered where it depends only on which fields are set.
That is read off the rules themselves: one that looks at a value turns it off.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import protovalidate
from buf.validate import validate_pb2
from google.protobuf.descriptor import FieldDescriptor
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event

from event_model import schema
from service.fields import Columns, is_text
from service.refusals import OneByOne, Refused

_validator = protovalidate.Validator()
_remembered: dict[tuple[str, tuple[bool, ...]], Refused | None] = {}
"""By the kind, and which of the members are set that rules name."""
_REMEMBERED = 4_096

# What a condition may be made of to depend on presence alone: an empty string is an absent field.
_PRESENCE = re.compile(r"(?:!?has\(this(?:\.\w+)+\)|this(?:\.\w+)+ [!=]= ''|&&|\|\||[()!\s])*")


def validate(events: Sequence[Event], kind: str, columns: Columns) -> None:
    """Raise Refused with the first rule that an event breaks. `columns` are those of the events, of one kind.

    Of several events it raises OneByOne where it does not remember.
    """
    for present in set(zip(*[map(bool, columns[name]) for name in _NAMED[kind]], strict=True)):
        try:
            refused = _remembered[kind, present]
        except KeyError:
            if len(events) > 1:
                raise OneByOne from None
            refused = _first_violation(events[0])
            if _BY_PRESENCE:
                if len(_remembered) >= _REMEMBERED:
                    _remembered.clear()
                _remembered[kind, present] = refused
        if refused:
            raise Refused(refused.reason, refused.field, refused.description)


def _first_violation(event: Event) -> Refused | None:
    """A rule of the whole message is named `<JSON name of the member>.<rule>`, and brings its sentence along."""
    violation = next((each.proto for each in _validator.collect_violations(event) if _counts(each.proto.rule_id)), None)
    if violation is None:
        return None
    member, _, rule = violation.rule_id.rpartition(".")
    field = _member(violation.field.elements[-1].field_name) if violation.field else member
    if rule == "required":
        return Refused(proto.REASON_REQUIRED, field, f"{field} is required" if violation.field else violation.message)
    sentence = f"{field} {violation.message}" if violation.field else violation.message
    return Refused(proto.REASON_INVALID_VALUE, field, sentence)


def _counts(rule: str) -> bool:
    """Whether a rule is one of those that are checked here; that a timestamp is one is checked where it is read."""
    return not rule.startswith("timestamp.")


def _member(field_name: str) -> str:
    """The JSON name of a field, as protobuf derives it."""
    first, *rest = field_name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _rules(descriptor: Any, extension: Any) -> Any:
    return descriptor.GetOptions().Extensions[extension]


def _by_presence(message: Any) -> bool:
    """Whether every rule of a message depends only on which fields are set."""
    conditions = [rule.expression for rule in _rules(message, validate_pb2.message).cel]
    return all(_PRESENCE.fullmatch(condition) for condition in conditions) and all(
        _field_by_presence(field) for field in message.fields
    )


def _field_by_presence(field: FieldDescriptor) -> bool:
    rules = {rule.name for rule, _ in _rules(field, validate_pb2.field).ListFields()}
    return rules <= {"required", "timestamp"}


def _named(message: Any) -> set[str]:
    """The fields that the rules of a message name."""
    conditions = [rule.expression for rule in _rules(message, validate_pb2.message).cel]
    required = [field.name for field in message.fields if _rules(field, validate_pb2.field).required]
    return {*required, *re.findall(r"\w+", " ".join(conditions))}


_MESSAGES = [Event.DESCRIPTOR, *(kind.message_type for kind in Event.DESCRIPTOR.oneofs_by_name["kind"].fields)]
_FIELDS = frozenset[str]().union(*map(_named, _MESSAGES))
_NAMED = {
    kind.name: [member.name for member in (*schema.ENVELOPE, *kind.members) if member.field in _FIELDS]
    for kind in schema.KINDS.values()
}
_BY_PRESENCE = all(map(_by_presence, _MESSAGES)) and all(
    is_text(member)
    for kind in schema.KINDS.values()
    for member in (*schema.ENVELOPE, *kind.members)
    if member.field in _FIELDS
)

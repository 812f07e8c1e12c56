"""The rules that the protos state for an event, checked by protovalidate. No other module knows that engine.

It takes 8 µs an event, more than all else that is done to judge one, so a verdict is remembered where it depends only
on which fields are set. That is read off the rules themselves: one that looks at a value turns it off.
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
from service.refusals import Refused

_validator = protovalidate.Validator()
_remembered: dict[tuple[str, tuple[bool, ...]], Refused | None] = {}
"""By the kind, and which of the members are set that rules name."""
_REMEMBERED = 4_096

# What a condition may be made of to depend on presence alone: an empty string is an absent field.
_PRESENCE = re.compile(r"(?:!?has\(this(?:\.\w+)+\)|this(?:\.\w+)+ [!=]= ''|&&|\|\||[()!\s])*")


def refusals(kind: str, events: Sequence[Event], columns: Columns) -> dict[int, Refused]:
    """The first rule that an event of a kind breaks, by the event's index.

    `columns` has those of the events, with messageIds that were made.
    """
    if not _BY_PRESENCE:
        found = enumerate(map(_first_violation, events, columns["messageId"]))
        return {index: refused for index, refused in found if refused}
    rows = [*zip(*[map(bool, columns[name]) for name in NAMED[kind]], strict=True)]
    of_row: dict[tuple[bool, ...], Refused | None] = {}
    for present in set(rows):
        try:
            of_row[present] = _remembered[kind, present]
        except KeyError:
            if len(_remembered) >= _REMEMBERED:
                _remembered.clear()
            event = rows.index(present)
            of_row[present] = _first_violation(events[event], columns["messageId"][event])
            _remembered[kind, present] = of_row[present]
    if not any(of_row.values()):
        return {}
    return {index: refused for index, present in enumerate(rows) if (refused := of_row[present])}


def _first_violation(event: Event, message_id: str) -> Refused | None:
    """A rule of the whole message is named `<JSON name of the member>.<rule>`, and brings its sentence along."""
    if not event.message_id and message_id:
        named = Event(message_id=message_id)
        named.MergeFrom(event)
        event = named
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
    """Whether every rule of a message depends only on which fields are set. Those on oneofs are not looked into."""
    whole = _rules(message, validate_pb2.message)
    oneofs = [oneof for oneof in message.oneofs if oneof.name != "kind" and _rules(oneof, validate_pb2.oneof).required]
    return (
        not whole.oneof
        and not oneofs
        and all(_PRESENCE.fullmatch(rule.expression) for rule in whole.cel)
        and all(map(_field_by_presence, message.fields))
    )


def _field_by_presence(field: FieldDescriptor) -> bool:
    rules = {rule.name for rule, _ in _rules(field, validate_pb2.field).ListFields()}
    return rules <= {"required", "timestamp"}


def _named(message: Any) -> set[str]:
    """The fields that the rules of a message name, and other words."""
    required = [field.name for field in message.fields if _rules(field, validate_pb2.field).required]
    conditions = [rule.expression for rule in _rules(message, validate_pb2.message).cel]
    return {*required, *re.findall(r"\w+", " ".join(conditions))}


def _is_named(member: schema.Member) -> bool:
    return not _WORDS.isdisjoint([member.field, member.comfortable])


_MESSAGES = [Event.DESCRIPTOR, *(kind.message_type for kind in Event.DESCRIPTOR.oneofs_by_name["kind"].fields)]
_WORDS = frozenset[str]().union(*map(_named, _MESSAGES))
_RULED = {kind.name: [*filter(_is_named, (*schema.ENVELOPE, *kind.members))] for kind in schema.KINDS.values()}
NAMED = {kind: [member.name for member in members] for kind, members in _RULED.items()}
"""The members of each kind that rules name."""
_BY_PRESENCE = all(map(_by_presence, _MESSAGES)) and all(
    is_text(member) for members in _RULED.values() for member in members
)

"""JSON Schemas (2020-12) of events as they are accepted and of records, derived from the protos' descriptors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from typing import Any

import msgspec
from buf.validate import validate_pb2
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.context_pb2 import Context
from trackside.v1.event_pb2 import Event

from event_model import schema
from event_model.schema import Kind, Member, MemberType

Schema = dict[str, Any]
Ref = Callable[[str], Schema]
"""Makes a reference to a schema of this module by its name."""

COMMENTS: dict[str, str] = msgspec.json.decode(files("trackside.v1").joinpath("comments.json").read_bytes())
"""The comments of the protos, by the full name of what they stand before."""

_JSON_TYPES = {
    MemberType.STRING: "string",
    MemberType.TIME: "string",
    MemberType.BOOLEAN: "boolean",
    MemberType.INTEGER: "integer",
    MemberType.NUMBER: "number",
    MemberType.OBJECT: "object",
}
_ABSENT: list[Any] = [None, ""]
_TIME = (
    "ISO 8601: besides RFC 3339, a time without a zone is UTC and a date is its midnight. Years 1 to 9999 in UTC, "
    "fraction digits past the ninth are cut."
)
_RECORD_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.([0-9]{3}|[0-9]{6}|[0-9]{9})Z$"
_SET = re.compile(r"this\.(\w+) != ''")
_ONE_OF_SET = re.compile(rf"{_SET.pattern}(?: \|\| {_SET.pattern})*")

_EVENT: Any = Event.DESCRIPTOR
_JSON_NAMES: dict[str, str] = {field.name: field.json_name for field in _EVENT.fields}


def events(ref: Ref) -> dict[str, Schema]:
    """The schemas of what senders send, by name: an event of each kind, one of any kind, a batch, and a context."""
    kinds = {title(kind): _event(kind, ref) for kind in schema.KINDS.values()}
    # A route says the kind. Without one, `type` does.
    typed = [
        {"allOf": [ref(title(kind)), {"properties": {"type": {"const": kind.name}}, "required": ["type"]}]}
        for kind in schema.KINDS.values()
    ]
    return {
        **kinds,
        "Event": {"title": "Event", "description": "An event that says its kind.", "oneOf": typed},
        "Batch": _batch(ref),
        "Context": {"title": "Context", "type": "object", **_documented(Context.DESCRIPTOR)},
    }


def records(stamped: Iterable[str]) -> dict[str, Schema]:
    """The schemas of the records in the queue, by name. `stamped` are the members that every record has."""
    kinds = {title(kind): _record(kind, list(stamped)) for kind in schema.KINDS.values()}
    return {**kinds, "Record": {"title": "Record", "oneOf": [{"$ref": f"#/$defs/{name}"} for name in kinds]}}


def title(kind: Kind) -> str:
    return _EVENT.fields_by_name[kind.field].message_type.name


def _event(kind: Kind, ref: Ref) -> Schema:
    message = _EVENT.fields_by_name[kind.field].message_type
    members = [(_EVENT, member) for member in schema.ENVELOPE] + [(message, member) for member in kind.members]
    # An alias is read where the member itself is absent.
    aliased = [(owner, member) for owner, member in members if member.options.alias]
    required = [member.name for owner, member in members if _required(owner, member) and not member.options.alias]
    rules = [_present(member.name, member.options.alias) for owner, member in aliased if _required(owner, member)]
    rules += map(_one_of, filter(_ONE_OF_SET.fullmatch, _conditions()))
    rules += [
        {"anyOf": [_has(member.name), _has("userId", member.options.stand_in)]}
        for _, member in members
        if member.options.stand_in
    ]
    return {
        "title": title(kind),
        "description": _comment(f"{_EVENT.full_name}.{kind.field}"),
        "type": "object",
        "properties": {
            "type": {"enum": [kind.name, *_ABSENT], "description": "The kind of the event."},
            **{member.name: _accepted(owner, member, ref) for owner, member in members},
            **{member.options.alias: _alias(owner, member, ref) for owner, member in aliased},
        },
        "required": required,
        "allOf": rules,
    }


def _batch(ref: Ref) -> Schema:
    delivery: Any = proto.Delivery.DESCRIPTOR
    own = {member.name: member for member in schema.members_of(delivery)}
    shared = [member for member in schema.ENVELOPE if member.name in own]
    said = {
        member.name: {
            **_accepted(_EVENT, member, ref),
            "description": _member_comment(delivery, own[member.name]),
        }
        for member in shared
    }
    events: Schema = {"type": "array", "items": ref("Event"), "maxItems": schema.LIMITS.delivery_events}
    return {
        "title": "Batch",
        "description": "Many events, and what is said for all of them.",
        "type": "object",
        "properties": {"batch": events, **said},
        "required": ["batch"],
    }


def _accepted(owner: Any, member: Member, ref: Ref) -> Schema:
    """A member as senders may write it. Null and an empty string are an absent member."""
    description = _member_comment(owner, member)
    type_ = _JSON_TYPES[member.type]
    absent = not _required(owner, member) or member.options.alias
    own: Schema = {"type": type_, **_bounds(owner, member)}
    forms: list[Schema] = [{"type": "array", "maxItems": 0}] if member.options.accepts_empty_array else []
    match member.type:
        case MemberType.STRING:
            integer = ["integer"] if member.options.accepts_integer else []
            types = [type_, *integer, *(["null"] if absent else [])]
            own["type"] = types if len(types) > 1 else type_
            return {"description": description, **own, **({} if absent else {"minLength": 1})}
        case MemberType.TIME:
            own["format"] = "date-time"
            description = f"{description} {_TIME}"
        case MemberType.OBJECT if member.name == "context":
            own = ref("Context")
        case _:
            pass
    return {"description": description, "anyOf": [own, *forms, *([{"enum": _ABSENT}] if absent else [])]}


def _alias(owner: Any, member: Member, ref: Ref) -> Schema:
    description = f"Read as `{member.name}` where that is absent."
    return {**_accepted(owner, member, ref), "description": description}


def _record(kind: Kind, stamped: list[str]) -> Schema:
    message = _EVENT.fields_by_name[kind.field].message_type
    members = [(_EVENT, member) for member in schema.ENVELOPE] + [(message, member) for member in kind.members]
    properties = {
        member.name: {"description": _member_comment(owner, member), **_kept(member)} for owner, member in members
    }
    properties["type"] = {"const": kind.name, "description": "The kind of the event."}
    time = {"type": "string", "pattern": _RECORD_TIME}
    properties["timestamp"] = {
        **time,
        "description": "When the event happened: the sender's time, corrected where `sentAt` was given, "
        "or the time of receipt.",
    }
    properties["sentTimestamp"] = {
        **time,
        "description": "The `timestamp` that was sent, where it was corrected and the sender gave `originalTimestamp`.",
    }
    properties["receivedAt"] = {**time, "description": "When the collector received the event."}
    required = [member.name for owner, member in members if _required(owner, member)]
    return {
        "title": title(kind),
        "description": _comment(f"{_EVENT.full_name}.{kind.field}"),
        "type": "object",
        "properties": properties,
        "required": sorted({*stamped, *required}),
    }


def _kept(member: Member) -> Schema:
    """A member as a record has it."""
    if member.type is MemberType.TIME:
        return {"type": "string", "pattern": _RECORD_TIME}
    empty = {"minLength": 1} if member.type is MemberType.STRING and not member.presence else {}
    return {"type": _JSON_TYPES[member.type], **empty}


def _documented(message: Any) -> Schema:
    """The documented members of a free-form object. Their types are told and not enforced."""
    properties: dict[str, Schema] = {}
    for field in message.fields:
        type_ = field.message_type
        ours = type_ is not None and type_.file.package == _EVENT.file.package
        json_type = "object" if type_ is not None else _JSON_TYPES[schema.SCALARS[field.cpp_type]]
        properties[field.json_name] = {
            "description": f"{_comment(field.full_name)} "
            f"Documented as {_noun(json_type)}; another value is kept as sent.",
            **(_documented(type_) if ours else {}),
        }
    return {"description": _comment(message.full_name), "properties": properties}


def _noun(json_type: str) -> str:
    return f"{'an' if json_type[0] in 'aeiou' else 'a'} {json_type}"


def _comment(full_name: str) -> str:
    """A comment without `Required.` and `Optional.`, which a schema says otherwise, and with JSON's names."""
    comment = COMMENTS.get(full_name, "").removeprefix("Required. ").removeprefix("Optional. ")
    return re.sub(r"\b[a-z]+(?:_[a-z]+)+\b", lambda name: _JSON_NAMES.get(name[0], name[0]), comment)


def _member_comment(owner: Any, member: Member) -> str:
    return _comment(f"{owner.full_name}.{member.oneof or member.field}")


def _rules(owner: Any, member: Member) -> validate_pb2.FieldRules:
    return owner.fields_by_name[member.field].GetOptions().Extensions[validate_pb2.field]


def _required(owner: Any, member: Member) -> bool:
    return _rules(owner, member).required


def _bounds(owner: Any, member: Member) -> Schema:
    """What the rules say of a number."""
    if member.type not in (MemberType.INTEGER, MemberType.NUMBER):
        return {}
    rules = _rules(owner, member)
    kind = rules.WhichOneof("type")
    bounds = getattr(rules, kind) if kind else None
    names = {"gte": "minimum", "lte": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
    return {name: getattr(bounds, rule) for rule, name in names.items() if bounds is not None and bounds.HasField(rule)}


def _conditions() -> list[str]:
    return [rule.expression for rule in _EVENT.GetOptions().Extensions[validate_pb2.message].cel]


def _one_of(condition: str) -> Schema:
    names: Mapping[str, Any] = _EVENT.fields_by_name
    return _present(*(names[field].json_name for field in _SET.findall(condition)))


def _present(*names: str) -> Schema:
    """At least one of these members is not absent."""
    return {"anyOf": [_has(name) for name in names]}


def _has(*names: str) -> Schema:
    present = {"type": ["string", "integer"], "minLength": 1}
    return {"properties": dict.fromkeys(names, present), "required": list(names)}

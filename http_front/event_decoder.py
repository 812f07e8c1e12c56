"""Turns the JSON text of an event into an encoded proto.Entry. The protos' descriptors say where each member goes.

Free-form values stay the text that was sent. Members that the protos do not name become `extra_json`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from google.protobuf.message_factory import GetMessageClass
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event

from event_model import jsontext, schema
from event_model.jsontext import Members, Raw
from event_model.schema import Member, MemberType
from http_front import protowire, timestamps
from http_front.errors import Rejected
from http_front.protowire import Prefix

Encode = Callable[[Raw], bytes]
"""Encodes a member's value as a field of a message. An absent value becomes no bytes. Raises Rejected."""

_TYPE = "type"
_INTEGER = re.compile(r"-?\d+", re.ASCII)
_text: Callable[[Raw], str | None] = msgspec.json.Decoder(str | None).decode
"""Decodes a string or null. Raises msgspec.ValidationError."""
_OBJECT, _ARRAY = ord("{"), ord("[")
_NOUNS = {
    MemberType.STRING: "a string",
    MemberType.BOOLEAN: "a boolean",
    MemberType.INTEGER: "an integer",
    MemberType.NUMBER: "a number",
    MemberType.OBJECT: "an object",
}
_SCALARS: dict[MemberType, type[bool | int | float]] = {
    MemberType.BOOLEAN: bool,
    MemberType.INTEGER: int,
    MemberType.NUMBER: float,
}


def decode_members(text: bytes | Raw) -> Members:
    """The members of an event. The text must be valid UTF-8. Raises Rejected, and jsontext.Malformed."""
    try:
        return jsontext.members(text)
    except jsontext.NotAnObject:
        raise Rejected(proto.REASON_NOT_AN_OBJECT, "", "An event must be a JSON object") from None
    except jsontext.TooDeep:
        raise Rejected(proto.REASON_NESTED_TOO_DEEP) from None


def encode_event(members: Members, kind: schema.Kind | None) -> bytes:
    """An event as an encoded proto.Entry. `kind` is the route's; without one, `type` is required. Raises Rejected."""
    table = _table(members.get(_TYPE), kind)
    for alias, name in table.aliases:
        if alias in members and is_absent(members.get(name)):
            members[name] = members.pop(alias)
    event: list[bytes] = []
    own: list[bytes] = []
    extra: Members = {}
    for name, value in members.items():
        if encode := _ENVELOPE.get(name):
            event.append(encode(value))
        elif encode := table.own.get(name):
            own.append(encode(value))
        else:
            extra[name] = value
    protowire.put(event, table.prefix, b"".join(own))
    if extra:
        protowire.put(event, _EXTRA, msgspec.json.encode(extra))
    content = b"".join(event)
    return _EVENT(len(content)) + content


def encode_defaults(members: Members) -> bytes:
    """The members that a batch has for all its events, as fields of a proto.Delivery. Raises Rejected."""
    return b"".join([encode(members[name]) for name, encode in _DELIVERY.items() if name in members])


def text_member(members: Members, name: str) -> str:
    """A member that is a string, or an empty string."""
    try:
        return jsontext.string(members[name])
    except (KeyError, msgspec.ValidationError):
        return ""


def is_absent(value: Raw | None) -> bool:
    return value is None or bytes(value) in (b"null", b'""')


def _nothing(value: Raw, otherwise: Rejected) -> bytes:
    """The encoding of an absent value. Raises the given error where it is not absent."""
    if is_absent(value):
        return b""
    raise otherwise


def _wrong_type(member: Member) -> Rejected:
    return Rejected(proto.REASON_WRONG_TYPE, member.name, f"{member.name} must be {_NOUNS[member.type]}")


def _encoder(member: Member, message: Any) -> Encode:
    """The encoder of a member. `message` is the descriptor of its message."""
    prefix = protowire.prefix(message.fields_by_name[member.field].number)
    match member.type:
        case MemberType.STRING:
            return _string_encoder(member, prefix)
        case MemberType.TIME:
            return _time_encoder(member, prefix)
        case MemberType.OBJECT:
            return _object_encoder(member, prefix)
        case _:
            return _scalar_encoder(member, GetMessageClass(message))


def _string_encoder(member: Member, prefix: Prefix) -> Encode:
    def encode(value: Raw) -> bytes:
        try:
            text = _text(value)
        except msgspec.ValidationError:
            text = str(memoryview(value), "ascii", "replace")
            if not (member.options.accepts_integer and _INTEGER.fullmatch(text)):
                raise _wrong_type(member) from None
        if text is None or (not text and not member.presence):
            return b""
        content = text.encode()
        return prefix(len(content)) + content

    return encode


def _time_encoder(member: Member, prefix: Prefix) -> Encode:
    def encode(value: Raw) -> bytes:
        text = None
        try:
            text = _text(value)
            content = timestamps.encoded(text) if text else b""
        except msgspec.ValidationError:
            number = str(memoryview(value)[:40], "ascii", "replace")
            sentence = timestamps.complaint(member.name, number)
            raise Rejected(proto.REASON_WRONG_TYPE, member.name, sentence) from None
        except (ValueError, OverflowError):
            sentence = timestamps.complaint(member.name, text or "")
            raise Rejected(proto.REASON_INVALID_TIMESTAMP, member.name, sentence) from None
        return prefix(len(content)) + content if text else b""

    return encode


def _object_encoder(member: Member, prefix: Prefix) -> Encode:
    def encode(value: Raw) -> bytes:
        content = bytes(value)
        if content[0] != _OBJECT:
            if not (member.options.accepts_empty_array and content[0] == _ARRAY and not jsontext.elements(value)):
                return _nothing(value, _wrong_type(member))
            content = b"{}"
        return prefix(len(content)) + content

    return encode


def _scalar_encoder(member: Member, message: Callable[..., Any]) -> Encode:
    decode = msgspec.json.Decoder(_SCALARS[member.type]).decode

    def encode(value: Raw) -> bytes:
        try:
            return message(**{member.field: decode(value)}).SerializeToString()
        except ValueError:  # msgspec's for another type, protobuf's for an integer that is out of range
            return _nothing(value, _wrong_type(member))

    return encode


def _omit(_: Raw) -> bytes:
    return b""


def member_encoders(members: Iterable[Member], message: Any) -> dict[str, Encode]:
    """The encoders of members by their names in JSON. `message` is the descriptor of their message."""
    return {member.name: _encoder(member, message) for member in members}


class _Table:
    """What one kind of event adds to the envelope."""

    def __init__(self, kind: schema.Kind) -> None:
        field = Event.DESCRIPTOR.fields_by_name[kind.field]
        self.prefix = protowire.prefix(field.number)
        self.own = member_encoders(kind.members, field.message_type)
        self.aliases = [(member.options.alias, member.name) for member in kind.members if member.options.alias]


def _table(value: Raw | None, kind: schema.Kind | None) -> _Table:
    """The table of an event, by its `type` and its route. Raises Rejected."""
    try:
        name = "" if value is None else _text(value) or ""
    except msgspec.ValidationError:
        raise Rejected(proto.REASON_WRONG_TYPE, _TYPE, "type must be a string") from None
    if kind is None:
        if table := _TABLES.get(name):
            return table
        if not name:
            raise Rejected(proto.REASON_REQUIRED, _TYPE, "type is required")
        raise Rejected(proto.REASON_UNKNOWN_TYPE, _TYPE, f"type must be one of {', '.join(schema.KINDS)}")
    if name and name not in (kind.name, kind.routes.other):
        raise Rejected(proto.REASON_TYPE_MISMATCH, _TYPE, f"type must be {kind.name}, as the route says")
    return _TABLES[kind.name]


_EVENT = protowire.prefix(proto.Entry.EVENT_FIELD_NUMBER)
_EXTRA = protowire.prefix(Event.EXTRA_JSON_FIELD_NUMBER)
_ENVELOPE = {
    **member_encoders(schema.ENVELOPE, Event.DESCRIPTOR),
    # The kind's field says the type. Only the service says when an event was received.
    **dict.fromkeys((_TYPE, "receivedAt"), _omit),
}
_TABLES = {name: _Table(kind) for name, kind in schema.KINDS.items()}
_OPTIONS = {member.name: member.options for member in schema.ENVELOPE}
_DELIVERY = member_encoders(
    # A batch says these in the same ways as its events. Only the front says the others of a Delivery.
    [
        member._replace(options=_OPTIONS[member.name])
        for member in schema.members_of(proto.Delivery.DESCRIPTOR)
        if member.name in _OPTIONS
    ],
    proto.Delivery.DESCRIPTOR,
)

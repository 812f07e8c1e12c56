"""An event's JSON text becomes an Event. Which member goes where is derived from the protos.

What is free-form stays the text that was sent; members that nobody named are kept as `extra_json`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
from trackside.v1 import collector_service_pb2 as proto

from event_model import jsontext, schema
from event_model.jsontext import Members, Raw
from event_model.schema import Member, MemberType
from http_front import plain, timestamps
from http_front.plain import IMPLICIT
from http_front.refusals import Refused

Put = Callable[[Any, Raw], None]
"""Puts a member's value into its field of a message. Raises Refused."""

_INTEGER = re.compile(rb"-?\d+")
_NOUNS = {
    MemberType.STRING: "a string",
    MemberType.BOOLEAN: "a boolean",
    MemberType.INTEGER: "an integer",
    MemberType.NUMBER: "a number",
    MemberType.TIME: "an ISO 8601 time",
    MemberType.OBJECT: "an object",
}
_DECODERS: dict[MemberType, Callable[[Raw], Any]] = {
    MemberType.STRING: msgspec.json.Decoder(str).decode,
    MemberType.TIME: msgspec.json.Decoder(str).decode,
    MemberType.BOOLEAN: msgspec.json.Decoder(bool).decode,
    MemberType.INTEGER: msgspec.json.Decoder(int).decode,
    MemberType.NUMBER: msgspec.json.Decoder(float).decode,
}


def read_event(text: str | Raw, kind: schema.Kind | None) -> bytes:
    """The entry of a call, encoded, with the event that the text of one JSON object is.

    `kind` is what the route says; without one, the event's `type` is required. Raises Refused, and jsontext.Malformed.
    """
    return plain.read_event(text, kind) or _read_any(text, kind).SerializeToString()


def _read_any(text: str | Raw, kind: schema.Kind | None) -> proto.Entry:
    """An entry made member by member, so that what is wrong can be named."""
    try:
        members = jsontext.members(text)
    except jsontext.NotAnObject:
        raise Refused(proto.REASON_NOT_AN_OBJECT, "", "An event must be a JSON object") from None
    except jsontext.TooDeep:
        raise Refused(proto.REASON_NESTED_TOO_DEEP) from None
    table = _TABLES[_kind(members.pop("type", None), kind)]
    entry = proto.Entry()
    event = entry.event
    body = getattr(event, table.field)
    body.SetInParent()
    for alias, name in table.aliases:
        if alias in members and _absent(members.get(name)):
            members[name] = members.pop(alias)
    extra: Members = {}
    for name, value in members.items():
        if put := table.envelope.get(name):
            put(event, value)
        elif put := table.own.get(name):
            put(body, value)
        elif name not in IMPLICIT:
            extra[name] = value
    if extra:
        event.extra_json = jsontext.with_members("{}", extra)
    return entry


def put_member(message: Any, name: str, value: Raw | None) -> None:
    """Put a member that a batch has at its top level into a Delivery. Raises Refused."""
    if value is not None:
        _DELIVERY[name](message, value)


def text_member(members: Members, name: str) -> str:
    """A string member that is read apart from its event, or an empty string where it is none."""
    try:
        return jsontext.string(members[name])
    except (KeyError, msgspec.DecodeError):
        return ""


def _kind(value: Raw | None, kind: schema.Kind | None) -> str:
    """The name of the event's kind, from its route and its `type`."""
    name = ""
    if not _absent(value):
        try:
            name = jsontext.string(value) if value is not None else ""
        except msgspec.ValidationError:
            raise Refused(proto.REASON_WRONG_TYPE, "type", "type must be a string") from None
    if kind is None:
        if not name:
            raise Refused(proto.REASON_REQUIRED, "type", "type is required")
        if name not in schema.KINDS:
            raise Refused(proto.REASON_UNKNOWN_TYPE, "type", f"type must be one of {', '.join(schema.KINDS)}")
        return name
    if name and name != kind.name:
        raise Refused(proto.REASON_TYPE_MISMATCH, "type", f"type must be {kind.name}, as the route says")
    return kind.name


def _absent(value: Raw | None) -> bool:
    return value is None or bytes(value) in (b"null", b'""')


def _put(member: Member) -> Put:
    if member.type is MemberType.OBJECT:
        return _put_object(member)
    if member.type is MemberType.TIME:
        return _put_time(member)
    field, decode, presence = member.field, _DECODERS[member.type], member.presence

    def put(message: Any, value: Raw) -> None:
        try:
            content = decode(value)
        except msgspec.ValidationError:
            text = bytes(value)
            if text in (b"null", b'""'):
                return
            if not (member.options.accepts_integer and _INTEGER.fullmatch(text)):
                raise _wrong_type(member) from None
            content = text.decode()
        if content or presence:
            try:
                setattr(message, field, content)
            except ValueError:  # an integer that the field is too narrow for
                raise _wrong_type(member) from None

    return put


def _put_time(member: Member) -> Put:
    decode = _DECODERS[MemberType.TIME]

    def put(message: Any, value: Raw) -> None:
        try:
            text = decode(value)
        except msgspec.ValidationError:
            if _absent(value):
                return
            raise _wrong_type(member) from None
        if text:
            _set_time(message, member, text)

    return put


def _set_time(message: Any, member: Member, text: str) -> None:
    try:
        seconds, nanos = timestamps.parse(text)
    except (ValueError, OverflowError):
        raise Refused(proto.REASON_INVALID_TIMESTAMP, member.name, f"{member.name} is no time") from None
    time = getattr(message, member.field)
    time.seconds = seconds
    time.nanos = nanos
    time.SetInParent()


def _put_object(member: Member) -> Put:
    field = member.field

    def put(message: Any, value: Raw) -> None:
        text = bytes(value)
        if text.startswith(b"{"):
            setattr(message, field, text)
        elif member.options.accepts_empty_array and text.startswith(b"[") and not jsontext.elements(value):
            setattr(message, field, "{}")
        elif text not in (b"null", b'""'):
            raise _wrong_type(member)

    return put


def _wrong_type(member: Member) -> Refused:
    return Refused(proto.REASON_WRONG_TYPE, member.name, f"{member.name} must be {_NOUNS[member.type]}")


class _Table:
    """Where the members of one kind of event go."""

    def __init__(self, kind: schema.Kind) -> None:
        self.field = kind.field
        self.envelope = {member.name: _put(member) for member in schema.ENVELOPE}
        self.own = {member.name: _put(member) for member in kind.members}
        self.aliases = [(member.options.alias, member.name) for member in kind.members if member.options.alias]


_TABLES = {name: _Table(kind) for name, kind in schema.KINDS.items()}
_OPTIONS = {member.name: member.options for member in schema.ENVELOPE}
# A batch says for all its events what they say themselves, in the same ways.
_DELIVERY = {
    member.name: _put(member._replace(options=_OPTIONS.get(member.name, member.options)))
    for member in schema.members_of(proto.Delivery.DESCRIPTOR)
}

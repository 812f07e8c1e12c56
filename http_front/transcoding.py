"""An event's JSON text becomes an Event. Which member goes where is derived from the protos.

What is free-form stays the text that was sent; members that nobody named are kept as `extra_json`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

import msgspec
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event

from event_model import jsontext, schema
from event_model.jsontext import Members, Raw
from event_model.schema import Member, MemberType
from http_front import times
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
_IMPLICIT = frozenset(["receivedAt"])
"""Members that the service alone says; a sender's own are not believed."""


def read_event(event: Event, text: str | Raw, kind: schema.Kind | None) -> None:
    """Fill an Event from the text of one JSON object. Raises Refused, and jsontext.Malformed where it is not JSON.

    `kind` is what the route says; without one, the event's `type` is required.
    """
    if _read_plain(event, text, kind):
        return
    try:
        members = jsontext.members(text)
    except jsontext.NotAnObject:
        raise Refused(proto.REASON_NOT_AN_OBJECT, "", "An event must be a JSON object") from None
    except jsontext.TooDeep:
        raise Refused(proto.REASON_NESTED_TOO_DEEP) from None
    table = _TABLES[_kind(members.pop("type", None), kind)]
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
        elif name not in _IMPLICIT:
            extra[name] = value
    if extra:
        event.extra_json = jsontext.with_members("{}", extra)


def _read_plain(event: Event, text: str | Raw, kind: schema.Kind | None) -> bool:
    """Fill an Event at once, if it has documented members alone, of the documented types; else leave it as it is.

    Most events are so, and decoding them into a structure takes half the time of going through their members.
    """
    try:
        name = _type_of(text).type
        table = _TABLES.get(name or (kind.name if kind else ""))
        if table is None or (kind and table.field != kind.field):
            return False
        plain = table.plain
        members = plain.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    texts = [(field, bytes(value)) for field, value in zip(plain.objects, plain.get_objects(members), strict=True)]
    if any(value and value[0] != _BRACE for _, value in texts):
        return False
    body = getattr(event, table.field)
    body.SetInParent()
    for (of_kind, field), value in zip(plain.strings, plain.get_strings(members), strict=True):
        if value:
            setattr(body if of_kind else event, field, value)
    for (of_kind, field), value in texts:
        if value:
            setattr(body if of_kind else event, field, value)
    for (of_kind, member), value in zip(plain.times, plain.get_times(members), strict=True):
        if value:
            _set_time(body if of_kind else event, member, value)
    return True


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
        seconds, nanos = times.parse(text)
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
        self.plain = _Plain(kind)


class _Plain:
    """The documented members of one kind, with the types that they have, as one structure that msgspec decodes."""

    def __init__(self, kind: schema.Kind) -> None:
        members = [*((False, member) for member in schema.ENVELOPE), *((True, member) for member in kind.members)]
        strings = [(own, member) for own, member in members if member.type is MemberType.STRING]
        objects = [(own, member) for own, member in members if member.type is MemberType.OBJECT]
        times = [(own, member) for own, member in members if member.type is MemberType.TIME]
        self.strings = [(own, member.field) for own, member in strings]
        self.objects = [(own, member.field) for own, member in objects]
        self.times = times
        self.get_strings = _values(member.name for _, member in strings)
        self.get_objects = _values(member.name for _, member in objects)
        self.get_times = _values(member.name for _, member in times)
        empty = Raw(b"")
        fields: list[tuple[str, Any, Any]] = [("type", str, ""), *((name, Raw, empty) for name in _IMPLICIT)]
        fields += [(member.name, str, "") for _, member in (*strings, *times)]
        fields += [(member.name, Raw, empty) for _, member in objects]
        structure = msgspec.defstruct(f"Plain{kind.field.title()}", fields, forbid_unknown_fields=True)
        self.decode: Callable[[str | Raw], Any] = msgspec.json.Decoder(structure).decode


def _values(names: Iterable[str]) -> Callable[[Any], tuple[Any, ...]]:
    names = tuple(names)
    if len(names) > 1:
        return attrgetter(*names)
    return lambda structure: tuple([getattr(structure, name) for name in names])


class _Typed(msgspec.Struct):
    """Finds an event's type, and skips the rest."""

    type: str = ""


_BRACE = ord("{")
_type_of = msgspec.json.Decoder(_Typed).decode
_TABLES = {name: _Table(kind) for name, kind in schema.KINDS.items()}
_OPTIONS = {member.name: member.options for member in schema.ENVELOPE}
# A batch says for all its events what they say themselves, in the same ways.
_DELIVERY = {
    member.name: _put(member._replace(options=_OPTIONS.get(member.name, member.options)))
    for member in schema.members_of(proto.Delivery.DESCRIPTOR)
}

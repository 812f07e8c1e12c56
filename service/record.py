"""The record: the flat JSON object that the queue holds for an event. Its members are derived from the protos.

What the service stamps is written last, so that no reader that takes the last of two members can be deceived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec
from google.protobuf.message import Message
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event

from event_model import jsontext, schema
from event_model.schema import Member, MemberType
from service.freeform import checked, text_of, to_text
from service.refusals import Refused
from service.stamping import iso8601, nanoseconds

_encode = msgspec.json.encode

Write = Callable[[Message], bytes]
"""Makes the member `,"name":value` of a message's field, or nothing where it is absent."""

_STAMPED = ("messageId", "type", "timestamp", "writeKey", "receivedAt")
_MERGED = tuple(member for member in schema.ENVELOPE if member.type is MemberType.OBJECT)


class Stamps(NamedTuple):
    """What the service adds to an event. Times are in nanoseconds since 1970."""

    timestamp: int
    write_key: str
    received_at: int


class Kind:
    """One kind of event: how its record is written, and which members its record has."""

    def __init__(self, kind: schema.Kind) -> None:
        self.field = kind.field
        self.name = kind.name
        self._write = _writers(kind.members)
        self._free_forms = [member for member in kind.members if member.type is MemberType.OBJECT]
        self._stand_ins = [
            (member.field, _FIELDS[member.options.stand_in]) for member in kind.members if member.options.stand_in
        ]
        self._reserved = frozenset([member.name for member in (*schema.ENVELOPE, *kind.members)]).union(_STAMPED)

    def to_text(self, event: Event) -> None:
        """Put every free-form field of an event into its text form."""
        body = getattr(event, self.field)
        for member in self._free_forms:
            to_text(body, member)

    def fill_in(self, event: Event) -> None:
        """Let fields of the envelope stand in for the kind's own, where the proto says so."""
        body = getattr(event, self.field)
        for field, stand_in in self._stand_ins:
            if not getattr(body, field) and event.user_id:
                setattr(body, field, getattr(event, stand_in))

    def encode(self, event: Event, context: str, integrations: str, stamps: Stamps) -> bytes:
        """The record, one line of UTF-8. Raises Refused where a text is not what it must be."""
        body = getattr(event, self.field)
        parts = [write(event) for write in _WRITE_ENVELOPE]
        parts += [write(body) for write in self._write]
        if context:
            parts.append(b',"context":' + context.encode())
        if integrations:
            parts.append(b',"integrations":' + integrations.encode())
        if event.extra_json:
            parts.append(self._extra(event.extra_json))
        parts.append(
            b',"messageId":%b,"type":"%b","timestamp":"%b","writeKey":%b,"receivedAt":"%b"}'
            % (
                _encode(event.message_id),
                self.name.encode(),
                iso8601(stamps.timestamp).encode(),
                _encode(stamps.write_key),
                iso8601(stamps.received_at).encode(),
            )
        )
        return b"{" + b"".join(parts)[1:]

    def _extra(self, text: str) -> bytes:
        text = checked(text, "extra_json")
        members = jsontext.members(text)
        for name in members:
            if name in self._reserved:
                raise Refused(proto.REASON_RESERVED_MEMBER, name, f"{name} may not stand in extra_json")
        return b"," + text.strip()[1:-1].strip().encode() if members else b""


def envelope_to_text(event: Event) -> None:
    """Put the free-form fields that every kind has into their text form."""
    for member in _MERGED:
        to_text(event, member)


def shown(event: Event) -> bytes:
    """An event as JSON for people to look at, whatever is wrong with it: nothing is checked or stamped."""
    kind = event.WhichOneof("kind")
    members: dict[str, Any] = {"type": KINDS[kind].name} if kind else {}
    for message in (event, getattr(event, kind)) if kind else (event,):
        for field, value in message.ListFields():
            if field.name == kind:
                continue
            members[field.json_name] = msgspec.Raw(text_of(value)) if isinstance(value, Message) else value
    return _encode(members)


def _writers(members: Iterable[Member]) -> list[Write]:
    makers = {MemberType.OBJECT: _object, MemberType.TIME: _time}
    return [makers.get(member.type, _scalar)(member) for member in members]


def _object(member: Member) -> Write:
    name, field, head = member.name, member.field, _head(member)

    def write(message: Message) -> bytes:
        text = getattr(message, field)
        return head + checked(text, name).encode() if text else b""

    return write


def _time(member: Member) -> Write:
    name, field, head = member.name, member.field, _head(member)

    def write(message: Message) -> bytes:
        if not message.HasField(field):
            return b""
        return b'%b"%b"' % (head, iso8601(nanoseconds(getattr(message, field), name)).encode())

    return write


def _scalar(member: Member) -> Write:
    field, head = member.field, _head(member)

    def write(message: Message) -> bytes:
        value: Any = getattr(message, field)
        return head + _encode(value) if value else b""

    def write_present(message: Message) -> bytes:
        return head + _encode(getattr(message, field)) if message.HasField(field) else b""

    return write_present if member.presence else write


def _head(member: Member) -> bytes:
    return f',"{member.name}":'.encode()


_FIELDS = {member.name: member.field for member in schema.ENVELOPE}
_WRITE_ENVELOPE = _writers(
    member for member in schema.ENVELOPE if member.name not in _STAMPED and member not in _MERGED
)

KINDS = {kind.field: Kind(kind) for kind in schema.KINDS.values()}
"""Every kind of event, by its field in Event."""

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
from event_model.jsontext import Raw
from event_model.schema import Member, MemberType
from service.fields import Fields, Reader
from service.freeform import checked, checked_members, text_of
from service.refusals import Refused
from service.stamping import iso8601, nanoseconds

_STAMPED = ("messageId", "type", "timestamp", "writeKey", "receivedAt")
_MERGED = ("context", "integrations")
EXTRA = "extra_json"
_NOT_COPIED = frozenset([*_STAMPED, *_MERGED, EXTRA])

Convert = Callable[[Any], Any]
"""Makes what the record has of a field's value. Raises Refused."""


class Stamps(NamedTuple):
    """What the service adds to an event. Times are in nanoseconds since 1970."""

    message_id: str
    timestamp: int
    write_key: str
    received_at: int


class Kind:
    """One kind of event: how it is read, how its record is written, and which members its record has."""

    def __init__(self, kind: schema.Kind) -> None:
        self.field = kind.field
        self.name = kind.name
        self.reader = Reader(kind.members)
        self._converters = _converters(kind.members)
        self._stand_ins = [(member.name, member.options.stand_in) for member in kind.members if member.options.stand_in]
        self._reserved = frozenset([member.name for member in (*schema.ENVELOPE, *kind.members)]).union(_STAMPED)

    def encode(self, fields: Fields, body: Fields, context: str, integrations: str, stamps: Stamps) -> bytes:
        """The record, one line of UTF-8. Raises Refused where a text is not what it must be."""
        for name, stand_in in self._stand_ins:
            if name not in body and "userId" in fields:
                body[name] = fields[stand_in]
        record: dict[str, Any] = {}
        for name, value in fields.items():
            if name not in _NOT_COPIED:
                convert = _ENVELOPE_CONVERTERS.get(name)
                record[name] = convert(value) if convert else value
        for name, value in body.items():
            convert = self._converters.get(name)
            record[name] = convert(value) if convert else value
        if context:
            record["context"] = Raw(context)
        if integrations:
            record["integrations"] = Raw(integrations)
        if EXTRA in fields:
            record |= self._extra(fields[EXTRA])
        record["messageId"] = stamps.message_id
        record["type"] = self.name
        record["timestamp"] = iso8601(stamps.timestamp)
        record["writeKey"] = stamps.write_key
        record["receivedAt"] = iso8601(stamps.received_at)
        return _encode(record)

    def _extra(self, text: str) -> jsontext.Members:
        members = checked_members(text, EXTRA)
        for name in members:
            if name in self._reserved:
                raise Refused(proto.REASON_RESERVED_MEMBER, name, f"{name} may not stand in {EXTRA}")
        return members


def shown(event: Event) -> bytes:
    """An event as JSON for people to look at, whatever is wrong with it: nothing is checked or stamped."""
    kind = event.WhichOneof("kind")
    members: dict[str, Any] = {"type": KINDS[kind].name} if kind else {}
    for message in (event, getattr(event, kind)) if kind else (event,):
        for field, value in message.ListFields():
            if field.name != kind:
                members[field.json_name] = Raw(text_of(value)) if isinstance(value, Message) else value
    return _encode(members)


def _converters(members: Iterable[Member]) -> dict[str, Convert]:
    makers = {MemberType.OBJECT: _object, MemberType.TIME: _time}
    return {member.name: makers[member.type](member.name) for member in members if member.type in makers}


def _object(name: str) -> Convert:
    return lambda text: Raw(checked(text, name))


def _time(name: str) -> Convert:
    return lambda time: iso8601(time if isinstance(time, int) else nanoseconds(time, name))


_encode = msgspec.json.Encoder().encode
_ENVELOPE_CONVERTERS = _converters(schema.ENVELOPE)

ENVELOPE = Reader(schema.ENVELOPE, EXTRA)

KINDS = {kind.field: Kind(kind) for kind in schema.KINDS.values()}
"""Every kind of event, by its field in Event."""

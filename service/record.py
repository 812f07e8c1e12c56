"""The record: the flat JSON object that the queue holds for an event. Its members are derived from the protos.

What the service stamps is written last, so that no reader that takes the last of two members can be deceived.
"""

from __future__ import annotations

from typing import Any

import msgspec
from google.protobuf.message import Message
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event

from event_model import jsontext, schema
from event_model.jsontext import Raw
from service.fields import Reader
from service.freeform import checked_members, text_of
from service.refusals import Refused


class Stamps(msgspec.Struct, rename="camel", gc=False):
    """What the service says of an event, which ends its record. Times are ISO 8601."""

    message_id: str
    type: str
    timestamp: str
    write_key: str
    received_at: str


class Kind:
    """One kind of event: how it is read, how its record is written, and which members its record has."""

    def __init__(self, kind: schema.Kind) -> None:
        self.field = kind.field
        self.name = kind.name
        self.reader = Reader(kind.members)
        self._stand_ins = [(member.name, member.options.stand_in) for member in kind.members if member.options.stand_in]
        self._reserved = frozenset([member.name for member in (*schema.ENVELOPE, *kind.members)]) | _STAMPED

    def encode(self, envelope: Any, own: Any, extra: str, stamps: Stamps) -> bytes:
        """The record, one line of UTF-8. Raises Refused where a text is not what it must be."""
        for name, stand_in in self._stand_ins:
            if not getattr(own, name) and envelope.userId:
                setattr(own, name, getattr(envelope, stand_in))
        ENVELOPE.finish(envelope)
        self.reader.finish(own)
        objects = [_encode(envelope), _encode(own)]
        if extra:
            objects.append(_encode(self._extra(extra)))
        objects.append(_encode(stamps))
        return b"{%b}" % b",".join([text[1:-1] for text in objects if text != b"{}"])

    def _extra(self, text: str) -> jsontext.Members:
        members = checked_members(text, _EXTRA)
        for name in members:
            if name in self._reserved:
                raise Refused(proto.REASON_RESERVED_MEMBER, name, f"{name} may not stand in {_EXTRA}")
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


_encode = msgspec.json.Encoder().encode
_EXTRA = "extra_json"
_STAMPED = frozenset(field.encode_name for field in msgspec.structs.fields(Stamps))

ENVELOPE = Reader(member for member in schema.ENVELOPE if member.name not in _STAMPED)
"""Reads the members that every kind has, but for those that the service says."""

KINDS = {kind.field: Kind(kind) for kind in schema.KINDS.values()}
"""Every kind of event, by its field in Event."""

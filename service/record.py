"""The record: the flat JSON object that the queue holds for an event. Its members are derived from the protos.

What the service stamps is written last, so that no reader that takes the last of two members can be deceived.
"""

from __future__ import annotations

from collections.abc import Sequence
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


class Kind:
    """One kind of event: how it is read, how its record is written, and which members its record has."""

    def __init__(self, name: str, field: str = "", members: Sequence[schema.Member] = ()) -> None:
        self.name = name
        self.reader = Reader({"": _ENVELOPE, field: members} if field else {"": _ENVELOPE}, STAMPED)
        self._stand_ins = [(member.name, member.options.stand_in) for member in members if member.options.stand_in]
        self._reserved = frozenset([member.name for member in (*schema.ENVELOPE, *members)]).union(STAMPED)

    def encode(self, draft: Any, extra: str) -> bytes:
        """The record, one line of UTF-8, of what the reader read and the stamps.

        Raises Refused where a text is not what it must be.
        """
        for name, stand_in in self._stand_ins:
            if not getattr(draft, name) and draft.userId:
                setattr(draft, name, getattr(draft, stand_in))
        self.reader.finish(draft)
        record = _encode(draft)
        if not extra or not (members := self._extra(extra)):
            return record
        return b"%b,%b" % (_encode(members)[:-1], record[1:])

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

STAMPED = ("messageId", "type", "timestamp", "writeKey", "receivedAt")
"""The members that the service says. Times are ISO 8601."""

_ENVELOPE = [member for member in schema.ENVELOPE if member.name not in STAMPED]

KINDS = {kind.field: Kind(kind.name, kind.field, kind.members) for kind in schema.KINDS.values()}
"""Every kind of event, by its field in Event."""

NO_KIND = Kind("")
"""Reads an event whose kind is not known."""

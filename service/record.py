"""The record: the flat JSON object that the queue holds for an event. Its members are derived from the protos.

What the service stamps is written last, so that no reader that takes the last of two members can be deceived.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from google.protobuf.message import Message
from msgspec import UNSET
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event

from event_model import jsontext, schema
from event_model.jsontext import Raw
from service.fields import Columns, Reader, Writer, is_text
from service.freeform import checked_members, raws, text_of
from service.refusals import Refused
from service.stamping import iso8601


class Kind:
    """One kind of event: how its events are read, and how their records are written."""

    def __init__(self, name: str, field: str = "", members: Sequence[schema.Member] = ()) -> None:
        self.name = name
        self.reader = Reader({"": schema.ENVELOPE, field: members} if field else {"": schema.ENVELOPE})
        every = sorted((*schema.ENVELOPE, *members), key=is_text, reverse=True)
        unset = {member.name: "" if is_text(member) else UNSET for member in every}
        self._writer = Writer({name: unset[name] for name in unset if name not in STAMPED} | dict.fromkeys(STAMPED, ""))
        self._times = [member.name for member in every if member.type is schema.MemberType.TIME] + [SENT_TIMESTAMP]
        self._objects = [member.name for member in members if member.type is schema.MemberType.OBJECT]
        self._stand_ins = [(member.name, member.options.stand_in) for member in members if member.options.stand_in]
        self._reserved = frozenset(unset).union(STAMPED)

    def encode(self, columns: Columns, extras: Sequence[str]) -> list[bytes]:
        """The records, each one line of UTF-8: of what was read and stamped, and the texts of further members.

        Raises Refused where a text is not what it must be.
        """
        for name, stand_in in self._stand_ins:
            rows = zip(columns[name], columns["userId"], columns[stand_in], strict=True)
            columns[name] = [own or (other if user else "") for own, user, other in rows]
        for name in self._times:
            columns[name] = [time if time is UNSET else iso8601(time) for time in columns[name]]
        for name in self._objects:
            columns[name] = raws(columns[name], name)
        records = self._writer.write(columns)
        if any(extras):
            return [self._with_extra(record, extra) for record, extra in zip(records, extras, strict=True)]
        return records

    def _with_extra(self, record: bytes, extra: str) -> bytes:
        if not extra or not (members := self._extra(extra)):
            return record
        return b"%b,%b" % (_encode(members)[:-1], record[1:])

    def _extra(self, text: str) -> jsontext.Members:
        members = checked_members(text, _EXTRA)
        for name in members:
            if name in self._reserved:
                raise Refused(
                    proto.REASON_RESERVED_MEMBER, name, f"{name} is a reserved name, no further member may have it"
                )
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

SENT_TIMESTAMP = "sentTimestamp"
STAMPED = ("messageId", "type", SENT_TIMESTAMP, "timestamp", "writeKey", "receivedAt")
"""The members that the service says. Times are ISO 8601."""

KINDS = {kind.field: Kind(kind.name, kind.field, kind.members) for kind in schema.KINDS.values()}
"""Every kind of event, by its field in Event."""

NO_KIND = Kind("")
"""Reads an event whose kind is not known."""

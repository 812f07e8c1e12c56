"""The record: the flat JSON object that the queue holds for an event. Its members are derived from the protos.

What the service stamps is written last, so that no reader that takes the last of two members can be deceived.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import msgspec
from google.protobuf.message import Message
from msgspec import UNSET
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event

from event_model import schema
from event_model.jsontext import Raw
from service.fields import Columns, Reader, Writer, is_text
from service.freeform import Doubtful, extra_members, raws, text_of
from service.refusals import Refusals, Refused
from service.stamping import iso8601s


class Kind:
    """One kind of event: how its events are read, and how their records are written."""

    def __init__(self, name: str, field: str, members: Sequence[schema.Member]) -> None:
        self.name = name
        self._message_of = attrgetter(field)
        self._reader = Reader(members)
        every = sorted((*schema.ENVELOPE, *members), key=is_text, reverse=True)
        unset = {member.name: "" if is_text(member) else UNSET for member in every}
        stamped = dict.fromkeys(STAMPED, "") | {SENT_TIMESTAMP: UNSET}
        self._writer = Writer({name: unset[name] for name in unset if name not in STAMPED} | stamped)
        self._times = [member.name for member in members if member.type is schema.MemberType.TIME]
        self.objects = [member.name for member in members if member.type is schema.MemberType.OBJECT]
        """The free-form members that the kind adds."""
        self.columns = [*unset, SENT_TIMESTAMP, "receivedAt", EXTRA]
        """The columns that `encode` needs, but for its type."""
        self._stand_ins = [(member.name, member.options.stand_in) for member in members if member.options.stand_in]
        self._reserved = frozenset(unset).union(STAMPED)

    def read(self, events: Sequence[Event], indexes: Sequence[int], refused: Refusals) -> tuple[Columns, bool]:
        """The members that the kind adds, as `Reader.read` gives them."""
        return self._reader.read([*map(self._message_of, events)], indexes, refused)

    def encode(self, columns: Columns) -> list[bytes]:
        """The records, each one line of UTF-8, of the columns of all members; those of the envelope are complete.

        Raises Doubtful, as `freeform.raws` does.
        """
        for name, stand_in in self._stand_ins:
            rows = zip(columns[name], columns["userId"], columns[stand_in], strict=True)
            columns[name] = [own or (other if user else "") for own, user, other in rows]
        for name in self._times:
            columns[name] = iso8601s(columns[name])
        for name in self.objects:
            columns[name] = raws(columns[name])
        columns["type"] = [self.name] * len(columns["writeKey"])
        records = self._writer.write(columns)
        if any(extras := columns[EXTRA]):
            return [
                self._with_extra(record, extra) if extra else record
                for record, extra in zip(records, extras, strict=True)
            ]
        return records

    def check_extra(self, text: str) -> str:
        """The text of further members, if none has the name of a record's member. Raises Refused."""
        for name in extra_members(text):
            if name in self._reserved:
                raise Refused(
                    proto.REASON_RESERVED_MEMBER, name, f"{name} is a reserved name, no further member may have it"
                )
        return text

    def _with_extra(self, record: bytes, extra: str) -> bytes:
        members = extra_members(extra)
        if not self._reserved.isdisjoint(members):
            raise Doubtful
        return b"%b,%b" % (_encode(members)[:-1], record[1:]) if members else record


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
EXTRA = "extra_json"
"""The column of the further members' texts."""

SENT_TIMESTAMP = "sentTimestamp"
STAMPED = ("messageId", "type", SENT_TIMESTAMP, "timestamp", "writeKey", "receivedAt")
"""The members that the service says. Times are ISO 8601."""

KINDS = {kind.field: Kind(kind.name, kind.field, kind.members) for kind in schema.KINDS.values()}
"""Every kind of event, by its field in Event."""

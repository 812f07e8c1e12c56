"""What a request brings, ready to be sent to the service: its events one by one, and what it says for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from trackside.v1 import collector_service_pb2 as proto

from event_model import jsontext, schema
from event_model.jsontext import Raw
from http_front import plain
from http_front.answers import Form
from http_front.event_decoder import read_event, text_member
from http_front.refusals import Refused

_PAYLOAD_BYTES = 16_384
_TOGETHER = 64
"""How many events are read at once: 3.2 µs each, where one by one takes 6.2. Then others may have their turn."""


@dataclass(slots=True)
class ParsedRequest:
    """The events of one request."""

    form: Form
    """Of the answer."""
    delivery: proto.Delivery | None = None
    """What the body says for all of its events, where it is a batch."""
    entries: list[bytes] = field(default_factory=list[bytes])
    """Each a proto.Entry, encoded."""
    refused_whole: bool = False

    def add(self, text: str | Raw, limit: int, kind: schema.Kind | None = None) -> None:
        """Add an event from its JSON text, or its refusal. Raises jsontext.Malformed.

        `limit` is in bytes, of the text as it was sent; `kind` is what the route says.
        """
        try:
            _bound(text, limit)
            entry = read_event(text, kind)
        except Refused as refusal:
            entry = _refused(refusal, text, kind.name if kind else "")
        self.entries.append(entry)

    def add_all(self, texts: Sequence[Raw], limit: int) -> Iterator[None]:
        """As `add`, of many events, 64 at each step. One that is not plain makes those beside it go one by one, too."""
        for first in range(0, len(texts), _TOGETHER):
            some = texts[first : first + _TOGETHER]
            entries = plain.read_events(some) if max(map(len, map(memoryview, some))) <= limit else None
            if entries is None:
                for text in some:
                    self.add(text, limit)
            else:
                self.entries += entries
            yield

    def refuse(self, refusal: Refused, body: str | Raw = "") -> None:
        """Put the refusal of the request as a whole in place of its events."""
        self.entries = [_refused(refusal, body)]
        self.refused_whole = True

    def message_ids(self) -> list[str | None]:
        """The messageId of each event, as far as it could be read; None where the request was refused as a whole."""
        if self.refused_whole:
            return [None]
        entries = map(proto.Entry.FromString, self.entries)
        return [(entry.event.message_id or entry.refused.message_id) for entry in entries]


def _bound(text: str | Raw, limit: int) -> None:
    size = len(text.encode()) if isinstance(text, str) else len(memoryview(text))
    if size > limit:
        raise Refused(proto.REASON_EVENT_TOO_LARGE, "", f"The event has {size} bytes, {limit} are allowed")


def _refused(refusal: Refused, text: str | Raw, kind: str = "") -> bytes:
    """The entry, encoded, that tells of a refusal, with what can be read of the event; `kind` is the route's."""
    payload = text.encode() if isinstance(text, str) else bytes(text)
    try:
        members = jsontext.members(text) if len(payload) <= _PAYLOAD_BYTES * 4 else {}
    except (jsontext.Malformed, jsontext.NotAnObject, jsontext.TooDeep):
        members = {}
    entry = proto.Entry(
        refused=proto.RefusedEvent(
            reason=refusal.reason,
            field=refusal.field,
            description=refusal.description,
            payload=payload[:_PAYLOAD_BYTES],
            message_id=text_member(members, "messageId"),
            type=own if (own := text_member(members, "type")) in schema.KINDS else kind,
            write_key=text_member(members, "writeKey"),
        )
    )
    return entry.SerializeToString()

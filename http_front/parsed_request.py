"""The events of one HTTP request, ready to be sent to the service, and what it says for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from trackside.v1 import collector_service_pb2 as proto

from event_model import schema
from event_model.jsontext import Malformed, Members, Raw
from http1.request_head import RequestHead
from http_front.errors import Rejected
from http_front.event_decoder import decode_members, encode_event, text_member
from http_front.responses import Form

Decode = Callable[[bytes | Raw], Members]
"""Gives the members of an event. Raises Rejected, and jsontext.Malformed."""

_PAYLOAD_BYTES = 16_384
_STEP_EVENTS = 64
"""How many events are decoded before other requests have their turn."""


@dataclass(slots=True)
class ParsedRequest:
    """The events of one request."""

    form: Form
    """Of the answer."""
    head: RequestHead = field(default_factory=RequestHead, compare=False)
    defaults: bytes = b""
    """Fields of a proto.Delivery: the defaults that a batch has for its events."""
    entries: list[bytes] = field(default_factory=list[bytes])
    """Each an encoded proto.Entry."""
    refused_whole: bool = False
    _message_ids: list[str] = field(default_factory=list[str])

    def add(
        self, text: bytes | Raw, limit: int, kind: schema.Kind | None = None, decode: Decode = decode_members
    ) -> None:
        """Add an event from its JSON text, or its refusal. Raises jsontext.Malformed.

        `limit` is in bytes of the text; `kind` is the route's.
        """
        members: Members = {}
        try:
            if (size := len(memoryview(text))) > limit:
                raise Rejected(proto.REASON_EVENT_TOO_LARGE, "", f"The event has {size} bytes, {limit} are allowed")
            members = decode(text)
            entry = encode_event(members, kind)
        except Rejected as refusal:
            members = members or _members(text)
            entry = _refused(refusal, text, members, kind)
        self.entries.append(entry)
        self._message_ids.append(text_member(members, "messageId"))

    def add_all(self, texts: Sequence[Raw], limit: int) -> Iterator[None]:
        """Add events, 64 at each step, as `add` does."""
        for first in range(0, len(texts), _STEP_EVENTS):
            for text in texts[first : first + _STEP_EVENTS]:
                self.add(text, limit)
            yield

    def refuse(self, refusal: Rejected, body: bytes | Raw = b"") -> None:
        """Replace all events by a refusal of the whole request."""
        self.clear()
        self.entries.append(_refused(refusal, body, _members(body), None))
        self.refused_whole = True

    def clear(self) -> None:
        """Remove all events."""
        self.entries.clear()
        self._message_ids.clear()

    def message_ids(self) -> Sequence[str | None]:
        """The messageId of each event, empty where it has none; None where the request was refused as a whole."""
        return [None] if self.refused_whole else self._message_ids


def _members(text: bytes | Raw) -> Members:
    """The members of a refused text. None where it is not an object or much larger than an event may be."""
    try:
        return decode_members(text) if len(memoryview(text)) <= _PAYLOAD_BYTES * 4 else {}
    except (Malformed, Rejected):
        return {}


def _refused(refusal: Rejected, text: bytes | Raw, members: Members, kind: schema.Kind | None) -> bytes:
    """The encoded entry of a refusal, with what could be read of the event; `kind` is the route's."""
    own = text_member(members, "type")
    entry = proto.Entry(
        refused=proto.RefusedEvent(
            reason=refusal.reason,
            field=refusal.field,
            description=refusal.description,
            payload=bytes(memoryview(text)[:_PAYLOAD_BYTES]),
            message_id=text_member(members, "messageId"),
            type=own if own in schema.KINDS else kind.name if kind else "",
            write_key=text_member(members, "writeKey"),
        )
    )
    return entry.SerializeToString()

"""One event on its way into a record: bounded, given its source, validated, completed and encoded."""

from __future__ import annotations

import uuid
from typing import Any

from msgspec import UNSET
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event

from service.config import ServiceConfig
from service.delivery import Delivery
from service.queues import Record
from service.record import KINDS, NO_KIND
from service.refusals import Refused
from service.sources import Directory, Mode
from service.stamping import SECOND, corrected, iso8601, nanoseconds
from service.validation import validate

UNKNOWN = "unknown"
"""What metrics call a source whose key no source has, and a kind that could not be read."""


class Intake:
    """Makes records of events."""

    def __init__(self, config: ServiceConfig, sources: Directory) -> None:
        self._limit = config.max_event_bytes
        self._make_ids = config.generate_message_id
        self._max_skew = config.max_clock_skew * SECOND
        self._sources = sources

    def record(self, event: Event, delivery: Delivery, received_at: int) -> tuple[Record, str]:
        """An event's record and the name of its source. `received_at` is in nanoseconds since 1970. Raises Refused."""
        kind = KINDS.get(event.WhichOneof("kind") or "", NO_KIND)
        draft, present = kind.reader.read(event)
        size = event.ByteSize()
        if size > self._limit:
            raise Refused(proto.REASON_EVENT_TOO_LARGE, "", f"The event has {size} bytes, {self._limit} are allowed")
        if kind is NO_KIND:  # said before what else is wrong, as the front does
            raise Refused(proto.REASON_REQUIRED, "type", "type is required")
        draft.writeKey = write_key = key_of(event.write_key, delivery)
        source, make_id = self._source(write_key)
        message_id = event.message_id
        if make_id and not message_id:
            event.message_id = message_id = str(uuid.uuid4())
        validate(event, (kind.name, message_id != "", present))
        draft.messageId = message_id
        draft.type = kind.name
        draft.timestamp = iso8601(self._timestamp(event, draft, delivery, received_at))
        draft.receivedAt = iso8601(received_at)
        draft.context = delivery.context(draft.context)
        draft.integrations = delivery.integrations(draft.integrations)
        value = kind.encode(draft, event.extra_json)
        return Record(value, write_key, message_id, kind.name, draft.userId or draft.anonymousId), source

    def _source(self, write_key: str) -> tuple[str, bool]:
        """The name of the key's source, and whether events without a messageId get one. Raises Refused."""
        source = self._sources.find(write_key) if write_key else None
        if source:
            made = source.generate_message_id
            return source.name, self._make_ids if made is None else made
        if not write_key or self._sources.mode is Mode.ENFORCE:
            raise Refused(proto.REASON_INVALID_WRITE_KEY, "writeKey", "Invalid or missing writekey")
        if self._sources.mode is Mode.DRY_RUN:
            self._sources.report_unknown(write_key)
        return UNKNOWN, self._make_ids

    def _timestamp(self, event: Event, draft: Any, delivery: Delivery, received_at: int) -> int:
        """The event's timestamp as the record has it; what its other times lack is filled in."""
        if draft.sentAt is UNSET:
            draft.sentAt = delivery.sent_at
        if event.HasField("timestamp"):
            timestamp = nanoseconds(event.timestamp, "timestamp")
        else:
            timestamp = draft.originalTimestamp
            if timestamp is UNSET:
                timestamp = delivery.timestamp
        if timestamp is UNSET:
            return received_at
        if draft.sentAt is UNSET:
            return timestamp
        time = corrected(timestamp, draft.sentAt, received_at, self._max_skew)
        if time is None:
            return timestamp
        if draft.originalTimestamp is UNSET:
            draft.originalTimestamp = timestamp
        return time


def key_of(own: str, delivery: Delivery) -> str:
    """The write key that an event comes under, whose own this is (DESIGN: first found)."""
    return delivery.overriding_write_key or own or delivery.write_key

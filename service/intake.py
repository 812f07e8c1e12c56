"""One event on its way into a record: bounded, given its source, validated, completed and encoded."""

from __future__ import annotations

import logging
import uuid

from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event

from service.config import ServiceConfig
from service.delivery import Delivery
from service.fields import Fields
from service.queues import Record
from service.record import ENVELOPE, KINDS, Stamps
from service.refusals import Refused
from service.sources import Directory, Mode, masked
from service.stamping import SECOND, corrected, nanoseconds
from service.validation import validate

log = logging.getLogger(__name__)

UNKNOWN = "unknown"
"""What a source is called whose key no source has."""


class Intake:
    """Makes records of events."""

    def __init__(self, config: ServiceConfig, sources: Directory) -> None:
        self._limit = config.max_event_bytes
        self._make_ids = config.generate_message_id
        self._max_skew = config.max_clock_skew * SECOND
        self._sources = sources

    def record(self, event: Event, delivery: Delivery, received_at: int) -> tuple[Record, str]:
        """An event's record and the name of its source. `received_at` is in nanoseconds since 1970. Raises Refused."""
        kind = KINDS.get(event.WhichOneof("kind") or "")
        fields = ENVELOPE.read(event)
        body = kind.reader.read(getattr(event, kind.field)) if kind else {}
        size = event.ByteSize()
        if size > self._limit:
            raise Refused(proto.REASON_EVENT_TOO_LARGE, "", f"The event has {size} bytes, {self._limit} are allowed")
        if kind is None:  # said before what else is wrong, as the front does
            raise Refused(proto.REASON_REQUIRED, "type", "type is required")
        write_key = delivery.overriding_write_key or fields.get("writeKey") or delivery.write_key
        source, make_id = self._source(write_key)
        if make_id and "messageId" not in fields:
            fields["messageId"] = event.message_id = str(uuid.uuid4())
        validate(event, (kind.name, tuple(fields), tuple(body)))
        message_id: str = fields["messageId"]
        timestamp = self._timestamp(fields, delivery, received_at)
        value = kind.encode(
            fields,
            body,
            delivery.context(fields.get("context", "")),
            delivery.integrations(fields.get("integrations", "")),
            Stamps(message_id, timestamp, write_key, received_at),
        )
        return Record(value, write_key, message_id, kind.name, fields.get("userId") or fields["anonymousId"]), source

    def _source(self, write_key: str) -> tuple[str, bool]:
        """The name of the key's source, and whether events without a messageId get one. Raises Refused."""
        source = self._sources.find(write_key) if write_key else None
        if source:
            made = source.generate_message_id
            return source.name, self._make_ids if made is None else made
        if not write_key or self._sources.mode is Mode.ENFORCE:
            raise Refused(proto.REASON_INVALID_WRITE_KEY, "writeKey", "Invalid or missing writekey")
        if self._sources.mode is Mode.DRY_RUN:
            log.warning("dry run: no source has the write key %s", masked(write_key))
        return UNKNOWN, self._make_ids

    def _timestamp(self, fields: Fields, delivery: Delivery, received_at: int) -> int:
        """The event's timestamp as the record has it; what its other times lack is filled in."""
        if delivery.sent_at and "sentAt" not in fields:
            fields["sentAt"] = delivery.sent_at
        name = "originalTimestamp" if "originalTimestamp" in fields and "timestamp" not in fields else "timestamp"
        given = fields.get(name) or delivery.timestamp
        if given is None:
            return received_at
        timestamp = nanoseconds(given, name)
        if "sentAt" not in fields:
            return timestamp
        sent_at = fields["sentAt"] = nanoseconds(fields["sentAt"], "sentAt")
        time = corrected(timestamp, sent_at, received_at, self._max_skew)
        if time is None:
            return timestamp
        fields.setdefault("originalTimestamp", timestamp)
        return time


def key_of(event: Event, delivery: Delivery) -> str:
    """The write key that an event comes under (DESIGN: first found)."""
    return delivery.overriding_write_key or event.write_key or delivery.write_key

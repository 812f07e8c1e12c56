"""Events on their way into records: bounded, given their source, validated, completed and encoded."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from itertools import repeat
from operator import attrgetter, methodcaller

from msgspec import UNSET, UnsetType
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event

from service.config import ServiceConfig
from service.delivery import Delivery
from service.queues import Record
from service.record import KINDS, NO_KIND
from service.refusals import Refused
from service.sources import Directory, Mode
from service.stamping import SECOND, corrected, iso8601
from service.validation import validate

UNKNOWN = "unknown"
"""What metrics call a source whose key no source has, and a kind that could not be read."""

Accepted = tuple[Record, str]
"""A record, and the name of its source."""

_TIMES = ("timestamp", "originalTimestamp", "sentAt")

_size_of = methodcaller("ByteSize")
_extra_of = attrgetter("extra_json")


class Intake:
    """Makes records of events."""

    def __init__(self, config: ServiceConfig, sources: Directory) -> None:
        self._limit = config.max_event_bytes
        self._make_ids = config.generate_message_id
        self._max_skew = config.max_clock_skew * SECOND
        self._sources = sources

    def records(
        self, kind_field: str, events: Sequence[Event], deliveries: Sequence[Delivery], received_at: int
    ) -> list[Accepted]:
        """The records of events of one kind, each with its delivery.

        `kind_field` is the kind's field in Event, or empty; `received_at` is in nanoseconds since 1970. Raises Refused
        with what is wrong with the event; of several, one of them may be wrong.
        """
        kind = KINDS.get(kind_field, NO_KIND)
        columns = kind.reader.read(events)
        size = max(map(_size_of, events))
        if size > self._limit:
            raise Refused(proto.REASON_EVENT_TOO_LARGE, "", f"The event has {size} bytes, {self._limit} are allowed")
        if kind is NO_KIND:  # said before what else is wrong, as the front does
            raise Refused(proto.REASON_REQUIRED, "type", "type is required")
        keys = [*map(key_of, columns["writeKey"], deliveries)]
        sources = {key: self._source(key) for key in set(keys)}
        if not all(columns["messageId"]):
            _make_up_ids(events, [sources[key][1] for key in keys])
            columns = kind.reader.read(events)
        validate(events, kind.name, columns)
        columns["context"] = [*map(Delivery.context, deliveries, columns["context"])]
        columns["integrations"] = [*map(Delivery.integrations, deliveries, columns["integrations"])]
        rows = map(self._times, *[columns[name] for name in _TIMES], deliveries, repeat(received_at))
        columns.update(zip(_TIMES, zip(*rows, strict=True), strict=True))
        columns["writeKey"] = keys
        columns["type"] = [kind.name] * len(keys)
        columns["receivedAt"] = [iso8601(received_at)] * len(keys)
        values = kind.encode(columns, [*map(_extra_of, events)])
        users = [user or other for user, other in zip(columns["userId"], columns["anonymousId"], strict=True)]
        records = map(Record, values, keys, columns["messageId"], repeat(kind.name), users)
        return [(record, sources[key][0]) for record, key in zip(records, keys, strict=True)]

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

    def _times(
        self,
        timestamp: int | UnsetType,
        original: int | UnsetType,
        sent_at: int | UnsetType,
        delivery: Delivery,
        received_at: int,
    ) -> tuple[int, int | UnsetType, int | UnsetType]:
        """An event's times as its record has them: completed, and its timestamp corrected for the sender's clock."""
        if sent_at is UNSET:
            sent_at = delivery.sent_at
        if timestamp is UNSET:
            timestamp = delivery.timestamp if original is UNSET else original
        if timestamp is UNSET:
            timestamp = received_at
        elif sent_at is not UNSET:
            time = corrected(timestamp, sent_at, received_at, self._max_skew)
            if time is not None:
                timestamp, original = time, timestamp if original is UNSET else original
        return timestamp, original, sent_at


def _make_up_ids(events: Sequence[Event], wanted: Sequence[bool]) -> None:
    """Give messageIds to events that have none, where that is wanted."""
    for event, make in zip(events, wanted, strict=True):
        if make and not event.message_id:
            event.message_id = str(uuid.uuid4())


def key_of(own: str, delivery: Delivery) -> str:
    """The write key that an event comes under, whose own this is (DESIGN: first found)."""
    return delivery.overriding_write_key or own or delivery.write_key

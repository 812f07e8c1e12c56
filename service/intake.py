"""Events on their way into records: bounded, given their source, validated, completed and encoded."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from itertools import compress, repeat
from operator import attrgetter
from typing import NamedTuple

from msgspec import UNSET, UnsetType
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event

from service.config import ServiceConfig
from service.delivery import Delivery
from service.fields import Columns
from service.queues import Record
from service.record import KINDS, NO_KIND, SENT_TIMESTAMP, Kind
from service.refusals import Refused
from service.sources import Directory, Mode
from service.stamping import SECOND, corrected, iso8601
from service.validation import refusals

UNKNOWN = "unknown"
"""What metrics call a source whose key no source has, and a kind that could not be read."""

Accepted = tuple[Record, str]
"""A record, and the name of its source."""


class _Source(NamedTuple):
    """What an event's source says of it."""

    name: str
    makes_ids: bool
    """Whether events without a messageId get one."""


_TIMES = ("timestamp", "originalTimestamp", "sentAt")

_extra_of, _name_of = attrgetter("extra_json"), attrgetter("name")


class Intake:
    """Makes records of events.

    Those of a kind go through together, as columns: in calls of 100, 6.3 µs an event in place of 9.6 (one by one). That
    is why one that is refused has to be found among the others.
    """

    def __init__(self, config: ServiceConfig, sources: Directory) -> None:
        self._limit = config.max_event_bytes
        self._make_ids = config.generate_message_id
        self._max_skew = config.max_clock_skew * SECOND
        self._sources = sources

    def judge(
        self,
        kind_field: str,
        events: Sequence[Event],
        sizes: Sequence[int],
        deliveries: Sequence[Delivery],
        received_at: int,
    ) -> list[Accepted | Refused]:
        """Of events of one kind their records, or why they are refused.

        `kind_field` is the kind's field in Event, or empty. Each event has its size in bytes, as it came, and its
        delivery; `received_at` is in nanoseconds since 1970.
        """
        try:
            return self._judge(KINDS.get(kind_field, NO_KIND), events, sizes, deliveries, received_at)
        except Refused as refused:
            if len(events) == 1:
                return [refused]
        half = len(events) // 2  # one of many is not what it must be: to halve them finds it in a few steps
        judged: list[Accepted | Refused] = []
        for part in (slice(half), slice(half, None)):
            judged += self.judge(kind_field, events[part], sizes[part], deliveries[part], received_at)
        return judged

    def _judge(
        self,
        kind: Kind,
        events: Sequence[Event],
        sizes: Sequence[int],
        deliveries: Sequence[Delivery],
        received_at: int,
    ) -> list[Accepted | Refused]:
        """As `judge`. Raises Refused where a time or a text of one of the events is not what it must be."""
        columns, changed = kind.reader.read(events)
        if changed:
            sizes = [*map(Event.ByteSize, events)]
        keys = [*map(key_of, columns["writeKey"], deliveries)]
        of_key = {key: self._source(key) for key in set(keys)}
        sources = [of_key[key] for key in keys]
        if not all(columns["messageId"]):
            columns["messageId"] = [*map(_message_id, columns["messageId"], sources)]
        if refused := self._refused(kind, events, sizes, columns, sources):
            # The others go on without them.
            good = [index not in refused for index in range(len(events))]
            events, sizes = [*compress(events, good)], [*compress(sizes, good)]
            deliveries = [*compress(deliveries, good)]
            judged = iter(self._judge(kind, events, sizes, deliveries, received_at) if events else ())
            return [refused.get(index) or next(judged) for index in range(len(good))]
        columns["context"] = [*map(Delivery.context, deliveries, columns["context"])]
        columns["integrations"] = [*map(Delivery.integrations, deliveries, columns["integrations"])]
        times = map(self._times, *[columns[name] for name in _TIMES], deliveries, repeat(received_at))
        columns.update(zip((*_TIMES, SENT_TIMESTAMP), zip(*times, strict=True), strict=True))
        columns["writeKey"] = keys
        columns["type"] = [kind.name] * len(keys)
        columns["receivedAt"] = [iso8601(received_at)] * len(keys)
        values = kind.encode(columns, [*map(_extra_of, events)])
        users = [user or other for user, other in zip(columns["userId"], columns["anonymousId"], strict=True)]
        records = map(Record, values, keys, columns["messageId"], repeat(kind.name), users)
        return [*zip(records, map(_name_of, sources), strict=True)]

    def _refused(
        self,
        kind: Kind,
        events: Sequence[Event],
        sizes: Sequence[int],
        columns: Columns,
        sources: Sequence[_Source | Refused],
    ) -> dict[int, Refused]:
        """The events that are refused whatever their texts hold, by their indexes, each for its first reason."""
        refused: dict[int, Refused] = {}
        if max(sizes) > self._limit:
            for index, size in enumerate(sizes):
                if size > self._limit:
                    sentence = f"The event has {size} bytes, {self._limit} are allowed"
                    refused[index] = Refused(proto.REASON_EVENT_TOO_LARGE, "", sentence)
        if kind is NO_KIND:  # said before what else is wrong, as the front does
            required = Refused(proto.REASON_REQUIRED, "type", "type is required")
            return dict.fromkeys(range(len(events)), required) | refused
        for reasons in (sources, refusals(kind.name, events, columns)):
            for index, reason in enumerate(reasons):
                if isinstance(reason, Refused):
                    refused.setdefault(index, reason)
        return refused

    def _source(self, write_key: str) -> _Source | Refused:
        """The key's source."""
        source = self._sources.find(write_key) if write_key else None
        if source:
            made = source.generate_message_id
            return _Source(source.name, self._make_ids if made is None else made)
        if not write_key or self._sources.mode is Mode.ENFORCE:
            return Refused(proto.REASON_INVALID_WRITE_KEY, "writeKey", "Invalid or missing writekey")
        if self._sources.mode is Mode.DRY_RUN:
            self._sources.report_unknown(write_key)
        return _Source(UNKNOWN, self._make_ids)

    def _times(
        self,
        timestamp: int | UnsetType,
        original: int | UnsetType,
        sent_at: int | UnsetType,
        delivery: Delivery,
        received_at: int,
    ) -> tuple[int, int | UnsetType, int | UnsetType, int | UnsetType]:
        """An event's times as its record has them: completed, and its timestamp corrected for the sender's clock.

        The last is the timestamp as it was sent, where it was corrected and the sender gave an originalTimestamp.
        """
        own, sent = timestamp, UNSET
        if sent_at is UNSET:
            sent_at = delivery.sent_at
        if timestamp is UNSET:
            timestamp = delivery.timestamp if original is UNSET else original
        if timestamp is UNSET:
            timestamp = received_at
        elif sent_at is not UNSET:
            time = corrected(timestamp, sent_at, received_at, self._max_skew)
            if time is not None:
                if original is UNSET:
                    original = timestamp
                elif time != timestamp and own is not UNSET:
                    sent = own
                timestamp = time
        return timestamp, original, sent_at, sent


def _message_id(own: str, source: _Source | Refused) -> str:
    return own or (str(uuid.uuid4()) if isinstance(source, _Source) and source.makes_ids else "")


def key_of(own: str, delivery: Delivery) -> str:
    """The write key that an event comes under, whose own this is (DESIGN: first found)."""
    return delivery.overriding_write_key or own or delivery.write_key

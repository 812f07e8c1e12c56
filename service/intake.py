"""Events on their way into records: bounded, given their source, validated, completed and encoded."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from msgspec import UNSET, UnsetType
from trackside.v1 import collector_service_pb2 as proto

from service.config import ServiceConfig
from service.delivery import Delivery, merged
from service.fields import Columns
from service.freeform import Doubtful
from service.queues import Record
from service.record import SENT_TIMESTAMP
from service.refusals import Refusals, Refused
from service.sources import Directory, Mode
from service.stamping import SECOND, corrected, iso8601, iso8601s
from service.table import Row, Table, read
from service.validation import NAMED, refusals

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


class Intake:
    """Makes records of events.

    Events go through together, as columns, which takes half the time (measured, docs/experiments.md).
    """

    def __init__(self, config: ServiceConfig, sources: Directory) -> None:
        self._limit = config.max_event_bytes
        self._make_ids = config.generate_message_id
        self._max_skew = config.max_clock_skew * SECOND
        self._sources = sources

    def judge(self, rows: Sequence[Row], received_at: int) -> list[Accepted | Refused]:
        """The events' records, or why they are refused. `received_at` is in nanoseconds since 1970."""
        if not rows:
            return []
        refused: Refusals = {}
        table = read(rows, refused)
        sources = self._complete(table)
        self._refuse(table, sources, refused)
        if refused:
            table = table.without(refused)
        try:
            values = self._records(table, received_at)
        except Doubtful:
            table = table.checked(refused).without(refused)
            values = self._records(table, received_at)
        columns = table.columns
        kinds = [part.kind.name for part in table.parts for _ in range(part.rows.start, part.rows.stop)]
        users = [user or other for user, other in zip(columns["userId"], columns["anonymousId"], strict=True)]
        records = map(Record, values, columns["writeKey"], columns["messageId"], kinds, users)
        judged: list[Accepted | Refused | None] = [refused.get(index) for index in range(len(rows))]
        for index, record in zip(table.indexes, records, strict=True):
            judged[index] = record, cast("_Source", sources[record.write_key]).name
        return cast("list[Accepted | Refused]", judged)

    def _complete(self, table: Table) -> dict[str, _Source | Refused]:
        """Give each row its write key, and its messageId where the source makes it. The source of each key."""
        columns = table.columns
        columns["writeKey"] = [
            delivery.overriding_write_key or key or delivery.write_key
            for delivery, key in zip(table.deliveries, columns["writeKey"], strict=True)
        ]
        sources = {key: self._source(key) for key in set(columns["writeKey"])}
        if not all(columns["messageId"]):
            of_rows = map(sources.__getitem__, columns["writeKey"])
            columns["messageId"] = [*map(_message_id, columns["messageId"], of_rows)]
        return sources

    def _refuse(self, table: Table, sources: Mapping[str, _Source | Refused], refused: Refusals) -> None:
        """Add the rows that are refused whatever their texts hold, each for its first reason."""
        if max(table.sizes) > self._limit:
            for index, size in zip(table.indexes, table.sizes, strict=True):
                if size > self._limit:
                    sentence = f"The event has {size} bytes, {self._limit} are allowed"
                    refused.setdefault(index, Refused(proto.REASON_EVENT_TOO_LARGE, "", sentence))
        # The missing kind is said before what else is wrong, as the front does.
        for index in table.indexes[: table.parts[0].rows.start if table.parts else None]:
            refused.setdefault(index, Refused(proto.REASON_REQUIRED, "type", "type is required"))
        if unknown := {key: source for key, source in sources.items() if isinstance(source, Refused)}:
            for index, key in zip(table.indexes, table.columns["writeKey"], strict=True):
                if key in unknown:
                    refused.setdefault(index, unknown[key])
        for part in table.parts:
            named = part.of(table.columns, NAMED[part.kind.name])
            for row, why in refusals(part.kind.name, table.events[part.rows], named).items():
                refused.setdefault(table.indexes[part.rows][row], why)

    def _records(self, table: Table, received_at: int) -> list[bytes]:
        """The records of events that no rule refuses. Raises Doubtful where a text has to be checked by itself."""
        columns = table.columns | self._times(table.columns, table.deliveries, received_at)
        columns |= {
            "context": merged(Delivery.context, table.deliveries, columns["context"]),
            "integrations": merged(Delivery.integrations, table.deliveries, columns["integrations"]),
            "receivedAt": [iso8601(received_at)] * len(table.indexes),
        }
        values = [value for part in table.parts for value in part.kind.encode(part.of(columns, part.kind.columns))]
        lines = b"".join(values)
        if b"\n" in lines or b"\r" in lines:  # a record is one line
            raise Doubtful
        return values

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

    def _times(self, columns: Columns, deliveries: Sequence[Delivery], received_at: int) -> Columns:
        """The events' times as their records have them: completed, and corrected for the sender's clock."""
        times: list[int] = []
        originals: list[int | UnsetType] = []
        sent: list[int | UnsetType] = []
        sent_timestamps: list[int | UnsetType] = []
        rows = zip(*[columns[name] for name in _TIMES], deliveries, strict=True)
        for own, original, sent_at, delivery in rows:
            timestamp, sent_timestamp = own, UNSET
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
                    elif time != timestamp:
                        sent_timestamp = own
                    timestamp = time
            times.append(timestamp)
            originals.append(original)
            sent.append(sent_at)
            sent_timestamps.append(sent_timestamp)
        return {
            "timestamp": iso8601s(times),
            "originalTimestamp": iso8601s(originals),
            "sentAt": iso8601s(sent),
            SENT_TIMESTAMP: iso8601s(sent_timestamps),
        }


def _message_id(own: str, source: _Source | Refused) -> str:
    return own or (str(uuid.uuid4()) if isinstance(source, _Source) and source.makes_ids else "")


def key_of(own: str, delivery: Delivery) -> str:
    """The write key that an event comes under, whose own this is (DESIGN: first found)."""
    return delivery.overriding_write_key or own or delivery.write_key

"""What happens to events between a call and the queue, in the order in which it happens."""

from __future__ import annotations

import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event

from service import metrics
from service.config import ServiceConfig
from service.delivery import Delivery, Extent
from service.queues import Queue, QueueUnavailable, Record
from service.record import KINDS, Kind, Stamps, envelope_to_text, shown
from service.refusals import Refused
from service.refused import RefusedEvent, RefusedStore
from service.sources import Directory, Mode, masked
from service.stamping import SECOND, corrected, iso8601, nanoseconds
from service.validation import validate

log = logging.getLogger(__name__)

_PAYLOAD_BYTES = 16_384


class UnknownDelivery(ValueError):
    """An entry names a delivery that the call does not have."""


@dataclass(slots=True)
class Verdicts:
    """What became of the entries of one call."""

    outcomes: list[proto.Outcome]
    refusals: list[proto.Refusal] = field(default_factory=list[proto.Refusal])
    retry: proto.RetryReason = proto.RETRY_REASON_UNSPECIFIED


class Collector:
    """Merges, validates, stamps and enqueues events. `clock` gives the time in nanoseconds since 1970."""

    def __init__(
        self,
        config: ServiceConfig,
        sources: Directory,
        queue: Queue,
        refused: RefusedStore,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._config = config
        self._sources = sources
        self._queue = queue
        self._refused = refused
        self._clock = clock
        self._max_skew = config.max_clock_skew * SECOND
        self._pending = 0

    async def collect(
        self, entries: Sequence[proto.Entry], deliveries: Sequence[proto.Delivery], call_key: str
    ) -> Verdicts:
        """An outcome for each entry, when what was accepted is durable. Raises UnknownDelivery."""
        self._sources.refresh()
        received_at = self._clock() // 1_000_000 * 1_000_000
        tally: Counter[metrics.Outcome] = Counter()
        verdicts = Verdicts([proto.OUTCOME_ACCEPTED] * len(entries))
        records: list[Record] = []
        places: list[tuple[int, str]] = []  # of each record: its entry's index, its source's name
        refused: list[RefusedEvent] = []
        checked = self._deliveries(entries, deliveries, call_key)
        for index, entry in enumerate(entries):
            delivery = checked[entry.delivery]
            source, kind = "", ""
            try:
                if entry.HasField("refused"):
                    kind = entry.refused.type
                    raise Refused(entry.refused.reason, entry.refused.field, entry.refused.description)
                event = entry.event
                kind = event.WhichOneof("kind") or ""
                if isinstance(delivery, Refused):
                    raise delivery
                record, source = self._record(event, delivery, received_at)
            except Refused as refusal:
                reason = proto.Reason.Name(refusal.reason).removeprefix("REASON_").lower()
                verdicts.outcomes[index] = proto.OUTCOME_REFUSED
                verdicts.refusals.append(
                    proto.Refusal(
                        index=index, reason=refusal.reason, field=refusal.field, description=refusal.description
                    )
                )
                tally[kind, source, "refused", reason] += 1
                refused.append(self._kept(entry, delivery, refusal, kind, reason, received_at))
            else:
                records.append(record)
                places.append((index, source))
        if refused:
            self._refused.add(refused)
        try:
            if records:
                await self._put(records, places, verdicts, tally)
        finally:
            metrics.count(tally)
        return verdicts

    async def _put(
        self,
        records: list[Record],
        places: list[tuple[int, str]],
        verdicts: Verdicts,
        tally: Counter[metrics.Outcome],
    ) -> None:
        size = sum([len(record.value) for record in records])
        duplicates: frozenset[int] | set[int] = frozenset()
        outcome, name = proto.OUTCOME_ACCEPTED, "accepted"
        if self._pending and self._pending + size > self._config.max_pending_bytes:
            verdicts.retry = proto.RETRY_REASON_OVERLOADED
        else:
            self._pending += size
            metrics.pending_bytes.set(self._pending)
            try:
                with metrics.put_seconds.time():
                    duplicates = set(await self._queue.put(records))
            except QueueUnavailable as error:
                log.error("the queue cannot be written: %s", error)
                verdicts.retry = proto.RETRY_REASON_QUEUE_UNAVAILABLE
            finally:
                self._pending -= size
                metrics.pending_bytes.set(self._pending)
        if verdicts.retry:
            outcome, name = proto.OUTCOME_RETRY, "retry"
        reason = proto.RetryReason.Name(verdicts.retry).removeprefix("RETRY_REASON_").lower() if verdicts.retry else ""
        for number, (record, (index, source)) in enumerate(zip(records, places, strict=True)):
            if number in duplicates:
                verdicts.outcomes[index] = proto.OUTCOME_DUPLICATE
                tally[record.kind, source, "duplicate", ""] += 1
            else:
                verdicts.outcomes[index] = outcome
                tally[record.kind, source, name, reason] += 1

    def _deliveries(
        self, entries: Sequence[proto.Entry], deliveries: Sequence[proto.Delivery], call_key: str
    ) -> list[Delivery | Refused]:
        """Each delivery checked, or why all of its events are refused."""
        given = deliveries or [proto.Delivery()]
        extents = [[0, 0] for _ in given]
        for entry in entries:
            if entry.delivery >= len(given):
                raise UnknownDelivery(f"There is no delivery {entry.delivery}: the call has {len(given)}.")
            if entry.HasField("event"):
                extent = extents[entry.delivery]
                extent[0] += 1
                extent[1] += entry.event.ByteSize()
        checked: list[Delivery | Refused] = []
        for delivery, extent in zip(given, extents, strict=True):
            try:
                checked.append(Delivery(delivery, Extent(*extent), self._config.client_address, call_key))
            except Refused as refusal:
                checked.append(refusal)
        return checked

    def _record(self, event: Event, delivery: Delivery, received_at: int) -> tuple[Record, str]:
        """The record of an event and the name of its source. Raises Refused."""
        kind = KINDS.get(event.WhichOneof("kind") or "")
        self._bound(event, kind)
        write_key = delivery.overriding_write_key or event.write_key or delivery.write_key
        source, make_id = self._source(write_key)
        if make_id and not event.message_id:
            event.message_id = str(uuid.uuid4())
        if kind:
            kind.fill_in(event)
        validate(event)
        assert kind is not None
        timestamp = self._timestamps(event, delivery, received_at)
        value = kind.encode(
            event,
            delivery.context(event.context_json),
            delivery.integrations(event.integrations_json),
            Stamps(timestamp, write_key, received_at),
        )
        return Record(value, write_key, event.message_id, kind.name, event.user_id or event.anonymous_id), source

    def _bound(self, event: Event, kind: Kind | None) -> None:
        """Put every free-form field into its text form, and refuse an event that is too large in it."""
        envelope_to_text(event)
        if kind:
            kind.to_text(event)
        size, limit = event.ByteSize(), self._config.max_event_bytes
        if size > limit:
            raise Refused(proto.REASON_EVENT_TOO_LARGE, "", f"The event has {size} bytes, {limit} are allowed")

    def _source(self, write_key: str) -> tuple[str, bool]:
        """The name of the key's source, and whether events without a messageId get one. Raises Refused."""
        source = self._sources.find(write_key) if write_key else None
        if source:
            made = source.generate_message_id
            return source.name, self._config.generate_message_id if made is None else made
        if not write_key or self._sources.mode is Mode.ENFORCE:
            raise Refused(proto.REASON_INVALID_WRITE_KEY, "writeKey", "Invalid or missing writekey")
        if self._sources.mode is Mode.DRY_RUN:
            log.warning("dry run: no source has the write key %s", masked(write_key))
        return "unknown", self._config.generate_message_id

    def _timestamps(self, event: Event, delivery: Delivery, received_at: int) -> int:
        """The event's timestamp as the record has it; its other times are completed in place."""
        if delivery.sent_at and not event.HasField("sent_at"):
            event.sent_at.CopyFrom(delivery.sent_at)
        if event.HasField("timestamp"):
            given = event.timestamp
        elif event.HasField("original_timestamp"):
            given = event.original_timestamp
        elif delivery.timestamp:
            given = delivery.timestamp
        else:
            return received_at
        timestamp = nanoseconds(given, "timestamp")
        if not event.HasField("sent_at"):
            return timestamp
        time = corrected(timestamp, nanoseconds(event.sent_at, "sentAt"), received_at, self._max_skew)
        if not event.HasField("original_timestamp"):
            event.original_timestamp.CopyFrom(given)
        return time

    def _kept(
        self, entry: proto.Entry, delivery: Delivery | Refused, refusal: Refused, kind: str, reason: str, now: int
    ) -> RefusedEvent:
        """What the store of refused events keeps of an entry."""
        event = entry.event
        key = event.write_key or (delivery.write_key if isinstance(delivery, Delivery) else "")
        if isinstance(delivery, Delivery) and delivery.overriding_write_key:
            key = delivery.overriding_write_key
        source = self._sources.find(key)
        payload = entry.refused.payload if entry.HasField("refused") else shown(event)
        return RefusedEvent(
            time=iso8601(now),
            reason=reason,
            field=refusal.field,
            description=refusal.description,
            type=kind,
            message_id=entry.refused.message_id or event.message_id,
            source=source.name if source else masked(key) if key else "",
            payload=payload[:_PAYLOAD_BYTES].decode(errors="replace"),
        )

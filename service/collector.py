"""What becomes of the events of a call: each gets one outcome, and it is counted."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from operator import attrgetter, methodcaller

from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event

from event_model import schema
from service import metrics
from service.config import ServiceConfig
from service.delivery import Delivery
from service.intake import UNKNOWN, Accepted, Intake, key_of
from service.queues import Queue, QueueUnavailable
from service.record import shown
from service.refusals import Refused
from service.refused import RefusedEvent, RefusedStore
from service.resends import Resends
from service.sources import Directory, masked
from service.stamping import iso8601

log = logging.getLogger(__name__)

_PAYLOAD_BYTES = 16_384
_TURN = 64
"""After how many events of a call others have their turn: 1,000 take 8 ms, and a single event would wait."""
_LARGE = 256
"""With more events than these a call waits for other large ones. A front's calls with single events have fewer."""

_delivery_of, _event_of, _kind_of = attrgetter("delivery"), attrgetter("event"), methodcaller("WhichOneof", "kind")


class UnknownDelivery(ValueError):
    """An entry names a delivery that the call does not have."""


@dataclass(slots=True)
class Verdicts:
    """What became of the entries of one call."""

    outcomes: list[proto.Outcome]
    refusals: list[proto.Refusal] = field(default_factory=list[proto.Refusal])
    retry: proto.RetryReason = proto.RETRY_REASON_UNSPECIFIED


@dataclass(slots=True)
class _Call:
    """A call, and what is known of it so far."""

    entries: Sequence[proto.Entry]
    delivery_of: Sequence[int]
    """The index of each entry's delivery."""
    deliveries: Sequence[Delivery | Refused]
    received_at: int
    judged: list[Accepted | Refused | None]
    """What became of each entry."""


_Row = tuple[int, Event, Delivery]
"""An event with the index of its entry, and its delivery."""


class Collector:
    """Takes the events of calls to the queue. `clock` gives the time in nanoseconds since 1970."""

    def __init__(
        self,
        config: ServiceConfig,
        sources: Directory,
        queue: Queue,
        refused: RefusedStore,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._client_address = config.client_address
        self._max_pending = config.max_pending_bytes
        self._sources = sources
        self._intake = Intake(config, sources)
        self._queue = queue
        self._refused = refused
        self._resends = Resends()
        self._clock = clock
        self.pending = 0
        """Bytes of events that wait to be judged, and of records that wait for the queue."""
        self._failing = False
        self._large = asyncio.Lock()

    async def collect(
        self, entries: Sequence[proto.Entry], deliveries: Sequence[proto.Delivery], call_key: str
    ) -> Verdicts:
        """An outcome for each entry, when what was accepted is durable. Raises UnknownDelivery."""
        self._sources.refresh()
        received_at = self._clock() // 1_000_000 * 1_000_000
        call = self._call(list(entries), deliveries, call_key, received_at)
        if len(entries) > _LARGE:  # one after the other: side by side, all would be done when the last is
            async with self._large:
                await self._judge_all(call)
        else:
            await self._judge_all(call)
        verdicts = Verdicts([proto.OUTCOME_ACCEPTED] * len(entries))
        accepted: list[tuple[int, Accepted]] = []
        refused: list[tuple[int, Refused]] = []
        for index, judged in enumerate(call.judged):
            if isinstance(judged, Refused):
                refused.append((index, judged))
            elif judged:
                accepted.append((index, judged))
        if refused:
            self._refuse(call, refused, verdicts)
        if accepted:
            await self._put(accepted, verdicts)
        return verdicts

    def _call(
        self, entries: Sequence[proto.Entry], deliveries: Sequence[proto.Delivery], call_key: str, received_at: int
    ) -> _Call:
        delivery_of = [*map(_delivery_of, entries)]
        given = deliveries or [proto.Delivery()]
        events = Counter(delivery_of)
        for index in events:
            if index >= len(given):
                raise UnknownDelivery(f"There is no delivery {index}: the call has {len(deliveries)}.")
        checked: list[Delivery | Refused] = []
        for index, delivery in enumerate(given):
            size = partial(_size, entries, index)
            try:
                checked.append(Delivery(delivery, events[index], size, self._client_address, call_key))
            except Refused as refusal:
                checked.append(refusal)
        return _Call(entries, delivery_of, checked, received_at, [None] * len(entries))

    def is_full(self, size: int) -> bool:
        """Whether so many bytes more would be too many to wait."""
        return self.pending > 0 and self.pending + size > self._max_pending

    async def _judge_all(self, call: _Call) -> None:
        for first in range(0, len(call.entries), _TURN):
            if first:
                await asyncio.sleep(0)
            self._judge_turn(call, first)

    def _judge_turn(self, call: _Call, first: int) -> None:
        """Judge the next entries: the events of one kind together."""
        groups: dict[str, list[_Row]] = {}
        entries = call.entries[first : first + _TURN]
        events = [*map(_event_of, entries)]
        for index, entry, event, kind in zip(count(first), entries, events, map(_kind_of, events), strict=False):
            delivery = call.deliveries[call.delivery_of[index]]
            if kind is None and entry.HasField("refused"):
                said = entry.refused
                call.judged[index] = Refused(said.reason, said.field, said.description)
            elif isinstance(delivery, Refused):
                call.judged[index] = delivery
            else:
                groups.setdefault(kind or "", []).append((index, event, delivery))
        for kind, rows in groups.items():
            self._judge(call, kind, rows)

    def _judge(self, call: _Call, kind: str, rows: Sequence[_Row]) -> None:
        indexes, events, deliveries = zip(*rows, strict=True)
        judged: Sequence[Accepted | Refused]
        try:
            judged = self._intake.records(kind, events, deliveries, call.received_at)
        except Refused as refusal:
            if len(rows) > 1:
                for row in rows:
                    self._judge(call, kind, [row])
                return
            judged = [refusal]
        for index, each in zip(indexes, judged, strict=True):
            call.judged[index] = each

    async def _put(self, accepted: Sequence[tuple[int, Accepted]], verdicts: Verdicts) -> None:
        """Queue the records, and say what became of them."""
        records = [record for _, (record, _) in accepted]
        duplicates: Collection[int] = ()
        size = sum([len(record.value) for record in records])
        if self.is_full(size):
            verdicts.retry = proto.RETRY_REASON_OVERLOADED
        else:
            self.pending += size
            started = time.perf_counter()
            try:
                duplicates = await self._queue.put(records)
            except QueueUnavailable as error:
                verdicts.retry = proto.RETRY_REASON_QUEUE_UNAVAILABLE
                if not self._failing:
                    log.error("the queue cannot be written: %s", error)
            finally:
                self.pending -= size
            self._failing = bool(verdicts.retry)
            metrics.put_seconds.observe(time.perf_counter() - started)
        tally: Counter[metrics.Outcome] = Counter()
        of = Counter([(record.kind, source) for _, (record, source) in accepted])
        if verdicts.retry:
            reason = _name(proto.RetryReason.Name(verdicts.retry), "RETRY_REASON_")
            tally.update({(*labels, "retry", reason): number for labels, number in of.items()})
            for index, _ in accepted:
                verdicts.outcomes[index] = proto.OUTCOME_RETRY
        else:
            again: Counter[tuple[str, str]] = Counter()
            for number in duplicates:
                index, (record, source) = accepted[number]
                verdicts.outcomes[index] = proto.OUTCOME_DUPLICATE
                again[record.kind, source] += 1
            tally.update({(*labels, "duplicate", ""): number for labels, number in again.items()})
            tally.update({(*labels, "accepted", ""): number for labels, number in (of - again).items()})
        metrics.count(tally)

    def _refuse(self, call: _Call, refused: Sequence[tuple[int, Refused]], verdicts: Verdicts) -> None:
        """Say what was refused; count it, and keep it to be looked at, once, however often it is sent."""
        tally: Counter[metrics.Outcome] = Counter()
        kept: list[RefusedEvent] = []
        for index, refusal in refused:
            verdicts.outcomes[index] = proto.OUTCOME_REFUSED
            verdicts.refusals.append(
                proto.Refusal(index=index, reason=refusal.reason, field=refusal.field, description=refusal.description)
            )
            entry, delivery = call.entries[index], call.deliveries[call.delivery_of[index]]
            event, said = entry.event, entry.refused
            own = said.write_key or event.write_key
            key = key_of(own, delivery) if isinstance(delivery, Delivery) else own
            source = self._sources.find(key)
            # A caller may say any type and any reason; what is counted by them must stay bounded.
            kind = event.WhichOneof("kind") or (said.type if said.type in schema.KINDS else "")
            known = refusal.reason in proto.Reason.values()
            reason = _name(proto.Reason.Name(refusal.reason), "REASON_") if known else "unspecified"
            message_id = said.message_id or event.message_id
            if self._resends.has(key, message_id, reason, call.received_at):
                continue
            tally[kind or UNKNOWN, source.name if source else UNKNOWN, "refused", reason] += 1
            payload = said.payload if entry.HasField("refused") else shown(event)
            kept.append(
                RefusedEvent(
                    time=iso8601(call.received_at),
                    reason=reason,
                    field=refusal.field,
                    description=refusal.description,
                    type=kind,
                    message_id=message_id,
                    source=source.name if source else masked(key) if key else "",
                    payload=payload[:_PAYLOAD_BYTES].decode(errors="replace"),
                )
            )
        self._refused.add(kept)
        metrics.count(tally)


def _size(entries: Sequence[proto.Entry], delivery: int) -> int:
    return sum([entry.event.ByteSize() for entry in entries if entry.delivery == delivery])


def _name(value: str, prefix: str) -> str:
    """An enum value's name as metrics and refused events have it."""
    return value.removeprefix(prefix).lower()

"""What becomes of the events of a call: each gets one outcome, and it is counted."""

from __future__ import annotations

import asyncio
import logging
import time
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
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
from service.table import Row

log = logging.getLogger(__name__)

_PAYLOAD_BYTES = 16_384
_TURN, _TURN_BYTES = 64, 131_072
"""After how many events of a call, or bytes of them, others have their turn: 1,000 events take 5 to 8 ms."""
_LARGE = 256
"""With more events than these a call waits for other large ones, as side by side all would be done when the last is. A
front's calls with single events have fewer."""

_delivery_of, _event_of = attrgetter("delivery"), attrgetter("event")
_kind_of, _size_of = methodcaller("WhichOneof", "kind"), methodcaller("ByteSize")

_ACCEPTED, _DUPLICATE = ("accepted", ""), ("duplicate", "")
"""As metrics have them: an outcome and its reason."""


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
    events: Sequence[Event]
    """Of each entry, as the rest: its event, empty where it has none."""
    sizes: Sequence[int]
    """How many bytes the event has."""
    delivery_of: Sequence[int]
    """The index of its delivery."""
    deliveries: Sequence[Delivery | Refused]
    received_at: int
    judged: list[Accepted | Refused | None]
    """What became of each entry."""


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
        """Bytes of what waits: events of unary calls to be judged, and records for the queue."""
        self._failing = False
        self._large = asyncio.Lock()

    async def collect(
        self, entries: Sequence[proto.Entry], deliveries: Sequence[proto.Delivery], call_key: str
    ) -> Verdicts:
        """An outcome for each entry, when what was accepted is durable. Raises UnknownDelivery."""
        self._sources.refresh()
        received_at = self._clock() // 1_000_000 * 1_000_000
        call = self._call(list(entries), deliveries, call_key, received_at)
        if len(entries) > _LARGE:
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
        delivery_of, events = [*map(_delivery_of, entries)], [*map(_event_of, entries)]
        sizes = [*map(_size_of, events)]
        given = deliveries or [proto.Delivery()]
        unknown = max(delivery_of, default=0)
        if unknown >= len(given):
            raise UnknownDelivery(f"There is no delivery {unknown}: the call has {len(deliveries)}.")
        brings, bytes_of = [0] * len(given), [0] * len(given)
        for index, size in zip(delivery_of, sizes, strict=True):
            brings[index] += 1
            bytes_of[index] += size
        checked: list[Delivery | Refused] = []
        for delivery, events_of, size in zip(given, brings, bytes_of, strict=True):
            try:
                checked.append(Delivery(delivery, events_of, size, self._client_address, call_key))
            except Refused as refusal:
                checked.append(refusal)
        return _Call(entries, events, sizes, delivery_of, checked, received_at, [None] * len(entries))

    def is_full(self, size: int) -> bool:
        """Whether so many bytes more would be too many to wait."""
        return self.pending > 0 and self.pending + size > self._max_pending

    async def _judge_all(self, call: _Call) -> None:
        first = 0
        while first < len(call.entries):
            if first:
                await asyncio.sleep(0)
            following = first + max(1, bisect([*accumulate(call.sizes[first : first + _TURN])], _TURN_BYTES))
            self._judge(call, range(first, following))
            first = following

    def _judge(self, call: _Call, indexes: range) -> None:
        """Judge some entries together."""
        part = slice(indexes.start, indexes.stop)
        kinds, events, sizes = map(_kind_of, call.events[part]), call.events[part], call.sizes[part]
        rows: list[Row] = []
        of_rows: list[int] = []
        for index, kind, event, size, of in zip(indexes, kinds, events, sizes, call.delivery_of[part], strict=True):
            delivery = call.deliveries[of]
            if kind is None and call.entries[index].HasField("refused"):
                said = call.entries[index].refused
                call.judged[index] = Refused(said.reason, said.field, said.description)
            elif isinstance(delivery, Refused):
                call.judged[index] = delivery
            else:
                rows.append((kind or "", event, size, delivery))
                of_rows.append(index)
        for index, each in zip(of_rows, self._intake.judge(rows, call.received_at), strict=True):
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
        outcomes = [_ACCEPTED] * len(accepted)
        if verdicts.retry:
            reason = _name(proto.RetryReason.Name(verdicts.retry), "RETRY_REASON_")
            outcomes = [("retry", reason)] * len(accepted)
            for index, _ in accepted:
                verdicts.outcomes[index] = proto.OUTCOME_RETRY
        for number in duplicates:
            outcomes[number] = _DUPLICATE
            verdicts.outcomes[accepted[number][0]] = proto.OUTCOME_DUPLICATE
        kinds = [record.kind for record in records]
        sources = [source for _, (_, source) in accepted]
        metrics.count(Counter(zip(kinds, sources, outcomes, strict=True)))

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
            tally[kind or UNKNOWN, source.name if source else UNKNOWN, ("refused", reason)] += 1
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


def _name(value: str, prefix: str) -> str:
    """An enum value's name as metrics and refused events have it."""
    return value.removeprefix(prefix).lower()

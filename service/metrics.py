"""What the service counts. Sources go by the operator's names for them, so that senders cannot make new series.

A source that has no name, and a kind that could not be read, are `unknown`.
"""

from __future__ import annotations

from collections import Counter as Tally
from functools import lru_cache

from prometheus_client import Counter, Gauge, Histogram

from event_model.series import keep_process_id

keep_process_id()

_LATENCY = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

_events = Counter(
    "trackside_events",
    "Events by kind, source, outcome (accepted, duplicate, refused, retry) and, where it has one, reason.",
    ["kind", "source", "outcome", "reason"],
)
put_seconds = Histogram(
    "trackside_queue_put_seconds", "Seconds from handing records to the queue until they are durable.", buckets=_LATENCY
)
queue_records = Gauge("trackside_queue_records", "Records in the queue.", multiprocess_mode="livesum")
pending_bytes = Gauge(
    "trackside_queue_pending_bytes",
    "Bytes of records that wait for the queue, and of single events that wait to be made records.",
    multiprocess_mode="livesum",
)

Outcome = tuple[str, str, tuple[str, str]]
"""kind, source, and the outcome with its reason"""


def count(outcomes: Tally[Outcome]) -> None:
    for labels, number in outcomes.items():
        _series(*labels).inc(number)


@lru_cache(1024)
def _series(kind: str, source: str, outcome: tuple[str, str]) -> Counter:
    return _events.labels(kind, source, *outcome)

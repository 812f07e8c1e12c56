"""What the front measures. Routes are the documented ones, so that senders cannot make new series."""

from __future__ import annotations

from functools import lru_cache

from prometheus_client import Counter, Histogram

from event_model.series import keep_process_id

keep_process_id()

_requests = Histogram(
    "trackside_http_request_seconds",
    "Seconds from a request's head to its answer, by route and status.",
    ["route", "status"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


_retries = Counter(
    "trackside_front_retries",
    "Events that were to be sent again because the service could not be asked, by reason. The service counts its own.",
    ["reason"],
)


def count_retries(events: int, reason: str) -> None:
    _retries.labels(reason).inc(events)


def observe(route: str, status: int, seconds: float) -> None:
    _of(route, status).observe(seconds)


@lru_cache  # to find a series by its labels takes 1.2 µs
def _of(route: str, status: int) -> Histogram:
    return _requests.labels(route, str(status))

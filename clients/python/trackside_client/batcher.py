"""Holds the events that are not settled, sends them in batches, and sends again what may yet be taken."""

import random
import threading
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any, cast

import grpc
from google.rpc.error_details_pb2 import RetryInfo
from grpc import StatusCode
from grpc_status import rpc_status
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.collector_service_pb2_grpc import CollectorServiceStub
from trackside.v1.event_pb2 import Event

from trackside_client.options import Closed, Lost, Options, QueueFull, log

_CHANNEL = [
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
]
_PASSING = {StatusCode.UNAVAILABLE, StatusCode.RESOURCE_EXHAUSTED, StatusCode.DEADLINE_EXCEEDED, StatusCode.CANCELLED}
_RETRY = Lost(StatusCode.UNAVAILABLE, "the server said RETRY")


class Batch(list[Event]):
    """Events for one call. It may grow until it is taken."""

    size = 0  # bytes
    due = 0.0


class Batcher(Options):
    def __post_init__(self) -> None:
        super().__post_init__()
        self._batches: deque[Batch] = deque()
        self._unsettled = self._flushing = 0  # events in batches and in calls; flushes that wait
        self._closed, self._stopped = False, threading.Event()
        self._changed, self._turn = threading.Condition(), threading.Lock()
        tls, plain = self.tls, grpc.insecure_channel
        self._channel = grpc.secure_channel(self.target, tls, _CHANNEL) if tls else plain(self.target, _CHANNEL)
        self._collect: Callable[..., proto.CollectBatchResponse] = CollectorServiceStub(self._channel).CollectBatch
        self._metadata = [("authorization", f"Bearer {self.write_key}")] if self.write_key else []
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(self.calls)]
        for thread in self._threads:
            thread.start()

    def put(self, event: Event, size: int) -> None:
        """Wait for room. Raises QueueFull or Closed."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._unsettled < self.queue_events or self._closed, self.full_wait):
                raise QueueFull
            if self._closed:
                raise Closed
            batch = self._batches[-1] if self._batches else None
            if batch is None or len(batch) >= self.batch_events or batch.size + size > self.batch_bytes:
                self._batches.append(batch := Batch())
                batch.due = monotonic() + self.flush_interval
            batch.append(event)
            batch.size += size
            self._unsettled += 1
            if len(batch) in (1, self.batch_events):
                self._changed.notify_all()

    def flush(self, timeout: float = 30.0) -> int:
        """Send what waits. Returns how many events are not settled after `timeout` seconds: 0, all are."""
        with self._changed:
            self._flushing += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._unsettled or self._stopped.is_set(), timeout)
            self._flushing -= 1
            return self._unsettled

    def close(self, timeout: float = 10.0) -> int:
        """Take no more events and flush. Returns how many were given up after `timeout` seconds."""
        with self._changed:
            if self._closed:
                return 0
            self._closed = True
        self.flush(timeout)
        self._stopped.set()
        self.flush(0)  # only wakes the threads
        self._channel.close()
        for thread in self._threads:
            thread.join()
        return self._unsettled

    def _run(self) -> None:
        """Deliver batches until all is over. One thread waits for events, the others for their turn."""
        while True:
            with self._turn, self._changed:
                self._changed.wait_for(lambda: self._batches or self._stopped.is_set())
                if not self._batches:
                    return
                self._changed.wait_for(self._is_ready, self._batches[0].due - monotonic())
                batch = self._batches.popleft()
            self._deliver(batch)

    def _is_ready(self) -> bool:
        """Whether the first batch should grow no more."""
        first, more = self._batches[0], len(self._batches) > 1
        return more or len(first) >= self.batch_events or self._flushing > 0 or self._closed

    def _deliver(self, events: list[Event]) -> None:
        """Send events until each is settled."""
        until, pause, wait = monotonic() + self.retry_for, 0.05, 0.0
        while events and not self._stopped.wait(wait):
            request = proto.CollectBatchRequest(entries=[{"event": event} for event in events])
            try:
                response = self._collect(request, timeout=self.call_timeout, metadata=self._metadata)
                events, why, delay = self._settle(events, response), _RETRY, response.retry.delay.ToMicroseconds()
            except grpc.RpcError as error:
                why, delay = _failure(cast("grpc.Call", error))
            except ValueError:  # the channel was closed before the call
                continue
            wait = delay / 1e6 * random.uniform(1, 1.2) or pause * random.uniform(1, 2)
            pause = min(2 * pause, 2.5)
            if why.code not in _PASSING or monotonic() + wait > until:
                break
        else:
            why = Lost(None, "closed")
        for event in events:
            tell(self.on_lost, event, why)
        if why.code:  # else they stay unsettled, and `close` counts them
            self._settled(len(events))

    def _settle(self, events: list[Event], response: proto.CollectBatchResponse) -> list[Event]:
        """Tell what became of each event: those to send again."""
        again, refusals = events[len(response.outcomes) :], iter(response.refusals)
        for event, outcome in zip(events, response.outcomes, strict=False):
            if outcome == proto.OUTCOME_RETRY:
                again.append(event)
            elif outcome == proto.OUTCOME_REFUSED:
                tell(self.on_refused, event, next(refusals, proto.Refusal()))
            else:
                tell(self.on_accepted, event, outcome == proto.OUTCOME_DUPLICATE)
        self._settled(len(events) - len(again))
        return again

    def _settled(self, count: int) -> None:
        with self._changed:
            self._unsettled -= count
            self._changed.notify_all()


def tell(callback: Callable[..., object], *arguments: Any) -> None:
    """Call the program back. What it raises is its own, and must not end a thread of ours."""
    try:
        callback(*arguments)
    except Exception:
        log.exception("a callback failed")


def _failure(call: grpc.Call) -> tuple[Lost, int]:
    """Why a call failed, and how many microseconds the server asks to wait."""
    info, status = RetryInfo(), cast("Any", rpc_status.from_call(call))
    for detail in status.details if status else ():
        detail.Unpack(info)
    return Lost(call.code(), call.details() or ""), info.retry_delay.ToMicroseconds()

"""Holds the events that are not settled, sends them in batches, and sends again what may yet be taken."""

import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, cast

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode
from grpc_status import rpc_status
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.collector_service_pb2_grpc import CollectorServiceStub
from trackside.v1.event_pb2 import Event

from trackside_client.options import Closed, Lost, Options, QueueFull, Refused, log

_CHANNEL = [
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
]
_PASSING = {StatusCode.UNAVAILABLE, StatusCode.RESOURCE_EXHAUSTED, StatusCode.DEADLINE_EXCEEDED, StatusCode.CANCELLED}


class Batcher:
    def __init__(self, target: str, options: Options) -> None:
        self._options = options
        self._waiting: deque[tuple[Event, int, float]] = deque()  # with its bytes, and when it came
        self._bytes = self._unsettled = self._flushing = 0  # events in flight are unsettled, too
        self._closed, self._stopped = False, threading.Event()
        self._changed, self._turn = threading.Condition(), threading.Lock()
        tls, plain = options.tls, grpc.insecure_channel
        self._channel = grpc.secure_channel(target, tls, _CHANNEL) if tls else plain(target, _CHANNEL)
        self._collect: Callable[..., proto.CollectBatchResponse] = CollectorServiceStub(self._channel).CollectBatch
        self._metadata = [("authorization", f"Bearer {options.write_key}")] if options.write_key else []
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(options.calls)]
        for thread in self._threads:
            thread.start()

    def put(self, event: Event, size: int) -> None:
        """Wait for room. Raises QueueFull or Closed."""
        with self._changed:
            most, wait = self._options.queue_events, self._options.full_wait
            if not self._changed.wait_for(lambda: self._unsettled < most or self._closed, wait):
                raise QueueFull
            if self._closed:
                raise Closed
            self._waiting.append((event, size, monotonic()))
            self._bytes += size
            self._unsettled += 1
            if len(self._waiting) == 1 or self._is_full():
                self._changed.notify_all()

    def flush(self, timeout: float) -> int:
        with self._changed:
            self._flushing += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._unsettled or self._stopped.is_set(), timeout)
            self._flushing -= 1
            return self._unsettled

    def close(self, timeout: float) -> int:
        with self._changed:
            if self._closed:
                return 0
            self._closed = True
        self.flush(timeout)
        with self._changed:
            self._stopped.set()
            self._changed.notify_all()
        self._channel.close()
        for thread in self._threads:
            thread.join()
        return self._unsettled

    def _run(self) -> None:
        while batch := self._take():
            self._deliver(batch)

    def _take(self) -> list[Event]:
        """Wait for a batch; when all is over it is empty. One thread waits for events, the others for their turn."""
        batch: list[Event] = []
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopped.is_set())
            if self._waiting:
                due = self._waiting[0][2] + self._options.flush_interval
                self._changed.wait_for(lambda: self._is_full() or self._flushing or self._closed, due - monotonic())
            room = self._options.batch_bytes
            while self._waiting and len(batch) < self._options.batch_events:
                room -= self._waiting[0][1]
                if batch and room < 0:
                    break
                event, size, _ = self._waiting.popleft()
                self._bytes -= size
                batch.append(event)
        return batch

    def _is_full(self) -> bool:
        return len(self._waiting) >= self._options.batch_events or self._bytes >= self._options.batch_bytes

    def _deliver(self, events: Sequence[Event]) -> None:
        """Send events until each is settled."""
        until, resends = monotonic() + self._options.retry_for, 0
        while events and not self._stopped.is_set():
            request = proto.CollectBatchRequest(entries=[proto.Entry(event=event) for event in events])
            try:
                response = self._collect(request, timeout=self._options.call_timeout, metadata=self._metadata)
            except grpc.RpcError as error:
                code, description, delay = _status(cast("grpc.Call", error))
            except ValueError:  # the channel was closed before the call
                break
            else:
                events, delay = self._settle(events, response), _seconds(response.retry.delay)
                code, description = StatusCode.UNAVAILABLE, "the server said RETRY"
            wait = random.uniform(delay, 1.2 * delay) if delay else random.uniform(0.5, 1) * min(0.1 * 2**resends, 5)
            if code not in _PASSING or monotonic() + wait > until:
                self._give_up(events, code, description)
                return self._settled(len(events))
            if events:
                self._stopped.wait(wait)
            resends += 1
        return self._give_up(events, None, "closed")  # they stay unsettled, and `close` counts them

    def _settle(self, events: Sequence[Event], response: proto.CollectBatchResponse) -> list[Event]:
        """Tell what became of each event: those to send again."""
        again: list[Event] = []
        refusals = iter(response.refusals)
        for event, outcome in zip(events, response.outcomes, strict=True):
            if outcome == proto.OUTCOME_RETRY:
                again.append(event)
            elif outcome == proto.OUTCOME_REFUSED:
                why = next(refusals)
                tell(self._options.on_refused, Refused(event, why.reason, why.field, why.description))
            elif self._options.on_accepted:
                tell(self._options.on_accepted, event, outcome == proto.OUTCOME_DUPLICATE)
        self._settled(len(events) - len(again))
        return again

    def _give_up(self, events: Sequence[Event], code: StatusCode | None, description: str) -> None:
        for event in events:
            tell(self._options.on_lost, Lost(event, code, description))

    def _settled(self, count: int) -> None:
        with self._changed:
            self._unsettled -= count
            self._changed.notify_all()


def tell(callback: Callable[..., None], *arguments: Any) -> None:
    """Call the program back. What it raises is its own, and must not end a thread of ours."""
    try:
        callback(*arguments)
    except Exception:
        log.exception("a callback failed")


def _status(call: grpc.Call) -> tuple[StatusCode, str, float]:
    """The code of a call that failed, what it says, and the server's delay in seconds, or 0."""
    info = RetryInfo()
    status = cast("Status | None", rpc_status.from_call(call))
    delays = [_seconds(info.retry_delay) for detail in (status.details if status else ()) if detail.Unpack(info)]
    return call.code(), call.details() or "", sum(delays)


def _seconds(delay: Duration) -> float:
    return delay.ToTimedelta().total_seconds()

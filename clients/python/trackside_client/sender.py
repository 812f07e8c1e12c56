"""Makes the calls: sends each batch until all its events are settled."""

import itertools
import threading
from collections.abc import Callable
from time import monotonic
from typing import cast

import grpc
from grpc import StatusCode
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.collector_service_pb2_grpc import CollectorServiceStub
from trackside.v1.event_pb2 import Event

from trackside_client import retry
from trackside_client.batcher import Batcher
from trackside_client.options import Lost, Options, call_back

_CHANNEL = [
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
]
_ASKED_TO_RETRY = Lost(StatusCode.UNAVAILABLE, "the server could not queue the event and asked to send it again")


class Sender:
    """Has a thread for each call that may be in flight."""

    def __init__(self, options: Options, batcher: Batcher) -> None:
        self._options, self._batcher = options, batcher
        if options.tls:
            self._channel = grpc.secure_channel(options.target, options.tls, _CHANNEL)
        else:
            self._channel = grpc.insecure_channel(options.target, _CHANNEL)
        self._collect: Callable[..., proto.CollectBatchResponse] = CollectorServiceStub(self._channel).CollectBatch
        self._metadata = [("authorization", f"Bearer {options.write_key}")] if options.write_key else []
        self._stopped = threading.Event()
        self._last_failure: Lost | None = None  # of the last call; None if it was answered
        self._abandoned: list[int] = []  # how many events of each batch were left when the sender stopped
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(options.calls)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> int:
        """End the calls and the waits, and give up what is left of a closed batcher. Returns how many events."""
        self._stopped.set()
        self._channel.close()
        for thread in self._threads:
            thread.join()
        return sum(self._abandoned)

    def _run(self) -> None:
        while (batch := self._batcher.take()) is not None:
            self._send(batch)

    def _send(self, events: list[Event]) -> None:
        give_up_at = monotonic() + self._options.retry_for
        for attempt in itertools.count():
            try:
                response = self._call(events)
                events = self._settle(events, response)
                if not events:
                    self._last_failure = None
                    return
                why, delay = _ASKED_TO_RETRY, response.retry.delay.ToMicroseconds() / 1e6
            except (grpc.RpcError, ValueError) as error:
                if self._stopped.is_set():  # the call was cancelled, or the channel closed before it
                    break
                why, delay = retry.failure(cast("grpc.Call", error))
            self._last_failure = why
            wait = retry.wait(attempt, delay)
            if not retry.is_retryable(why) or monotonic() + wait > give_up_at:
                self._lose(events, why)
                return
            if self._stopped.wait(wait):
                break
        self._abandoned.append(len(events))
        self._lose(events, self._why_abandoned())

    def _call(self, events: list[Event]) -> proto.CollectBatchResponse:
        request = proto.CollectBatchRequest(entries=[{"event": event} for event in events])
        return self._collect(request, timeout=self._options.call_timeout, metadata=self._metadata)

    def _settle(self, events: list[Event], response: proto.CollectBatchResponse) -> list[Event]:
        """Report each event's outcome. Returns the events to send again: also those without an outcome."""
        refusals = {refusal.index: refusal for refusal in response.refusals}
        again = events[len(response.outcomes) :]
        for index, (event, outcome) in enumerate(zip(events, response.outcomes, strict=False)):
            if outcome in (proto.OUTCOME_ACCEPTED, proto.OUTCOME_DUPLICATE):
                call_back(self._options.on_accepted, event, outcome == proto.OUTCOME_DUPLICATE)
            elif outcome == proto.OUTCOME_REFUSED:
                call_back(self._options.on_refused, event, refusals.get(index, proto.Refusal()))
            else:
                again.append(event)
        self._batcher.settle(len(events) - len(again))
        return again

    def _lose(self, events: list[Event], why: Lost) -> None:
        for event in events:
            call_back(self._options.on_lost, event, why)
        self._batcher.settle(len(events))

    def _why_abandoned(self) -> Lost:
        target, last = self._options.target, self._last_failure
        if last is None:
            return Lost(StatusCode.CANCELLED, f"the client was closed before {target} answered")
        said = f"{last.code.name}: {last.description}"
        return Lost(last.code, f"the client was closed; the last status of {target} was {said}")

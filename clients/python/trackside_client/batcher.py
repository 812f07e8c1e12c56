"""The queue of events that are not settled, grouped into batches of one call each."""

import threading
from collections import deque
from time import monotonic

from trackside.v1.event_pb2 import Event

from trackside_client.options import Closed, Options, QueueFull


class _Batch:
    def __init__(self, due: float) -> None:
        self.events: list[Event] = []
        self.bytes = 0
        self.due = due


class Batcher:
    """Programs put events, the sender's threads take batches. Safe to use from any thread."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._batches: deque[_Batch] = deque()  # only the last one grows
        self._unsettled = 0
        self._flushes = 0  # calls of `flush` that wait
        self._closed = False
        lock = threading.Lock()
        self._lock = lock
        self._room = threading.Condition(lock)
        self._work = threading.Condition(lock)
        self._all_settled = threading.Condition(lock)

    def check_open(self) -> None:
        if self._closed:
            raise Closed("the client is closed")

    def put(self, event: Event, size: int) -> None:
        """Wait for room, then add the event. Raises QueueFull or Closed."""
        options = self._options
        with self._lock:
            if not self._room.wait_for(
                lambda: self._closed or self._unsettled < options.queue_events, options.full_wait
            ):
                raise QueueFull(f"the queue held {options.queue_events} events for {options.full_wait} seconds")
            self.check_open()
            if not self._fits(size):
                self._batches.append(_Batch(monotonic() + options.flush_interval))
            batch = self._batches[-1]
            batch.events.append(event)
            batch.bytes += size
            self._unsettled += 1
            if len(batch.events) in (1, options.batch_events):
                self._work.notify()

    def _fits(self, size: int) -> bool:
        if not self._batches:
            return False
        last = self._batches[-1]
        return len(last.events) < self._options.batch_events and last.bytes + size <= self._options.batch_bytes

    def take(self) -> list[Event] | None:
        """Wait for a batch that is due. Returns None when the batcher is closed and empty."""
        with self._lock:
            while not self._is_due():
                if self._closed and not self._batches:
                    return None
                self._work.wait(self._batches[0].due - monotonic() if self._batches else None)
            batch = self._batches.popleft()
            if self._batches:
                self._work.notify()  # another thread must watch the next batch
            return batch.events

    def _is_due(self) -> bool:
        if not self._batches:
            return False
        first = self._batches[0]
        is_full = len(self._batches) > 1 or len(first.events) >= self._options.batch_events
        return is_full or self._flushes > 0 or self._closed or first.due <= monotonic()

    def settle(self, count: int) -> None:
        with self._lock:
            self._unsettled -= count
            self._room.notify(count)
            if self._unsettled == 0:
                self._all_settled.notify_all()

    def flush(self, timeout: float) -> int:
        """Send without delay until all events are settled. Returns how many are not after `timeout` seconds."""
        with self._lock:
            self._flushes += 1
            self._work.notify_all()
            self._all_settled.wait_for(lambda: self._unsettled == 0, timeout)
            self._flushes -= 1
            return self._unsettled

    def close(self) -> bool:
        """Take no more events. Returns whether it was open."""
        with self._lock:
            was_open, self._closed = not self._closed, True
            self._room.notify_all()
            self._work.notify_all()
            return was_open

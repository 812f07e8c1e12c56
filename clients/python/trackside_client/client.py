"""The public client: a method for each kind of event."""

from collections.abc import Callable
from typing import Self, Unpack

import grpc
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event

from trackside_client.batcher import Batcher
from trackside_client.events import Common, Json, complete, make, refusal
from trackside_client.options import Lost, Options, call_back, warn_of_loss, warn_of_refusal
from trackside_client.sender import Sender


def _ignore(_event: Event, _duplicate: bool) -> None:
    pass


class Client:
    """Sends events from threads of its own. Safe to use from any thread. Make it after a fork, not before.

    A call returns the event's messageId. It raises QueueFull or Closed if the event was not taken, and TypeError
    for a value that JSON does not have. A callback reports what happened to every other event.
    """

    def __init__(
        self,
        target: str,
        *,
        write_key: str = "",
        tls: grpc.ChannelCredentials | None = None,
        batch_events: int = 200,
        batch_bytes: int = 1_000_000,
        queue_events: int = 10_000,
        full_wait: float = 5.0,
        flush_interval: float = 0.1,
        calls: int = 4,
        call_timeout: float = 10.0,
        retry_for: float = 300.0,
        on_accepted: Callable[[Event, bool], object] = _ignore,
        on_refused: Callable[[Event, proto.Refusal], object] = warn_of_refusal,
        on_lost: Callable[[Event, Lost], object] = warn_of_loss,
    ) -> None:
        self._options = Options(
            target=target,
            write_key=write_key,
            tls=tls,
            batch_events=batch_events,
            batch_bytes=batch_bytes,
            queue_events=queue_events,
            full_wait=full_wait,
            flush_interval=flush_interval,
            calls=calls,
            call_timeout=call_timeout,
            retry_for=retry_for,
            on_accepted=on_accepted,
            on_refused=on_refused,
            on_lost=on_lost,
        )
        self._batcher = Batcher(self._options)
        self._sender = Sender(self._options, self._batcher)

    def identify(self, user_id: str, traits: Json | None = None, **common: Unpack[Common]) -> str:
        return self.collect(make("identify", user_id, common, traits=traits))

    def track(self, user_id: str, event: str, properties: Json | None = None, **common: Unpack[Common]) -> str:
        return self.collect(make("track", user_id, common, event=event, properties=properties))

    def page(self, user_id: str, name: str = "", properties: Json | None = None, **common: Unpack[Common]) -> str:
        return self.collect(make("page", user_id, common, name=name, properties=properties))

    def screen(self, user_id: str, name: str = "", properties: Json | None = None, **common: Unpack[Common]) -> str:
        return self.collect(make("screen", user_id, common, name=name, properties=properties))

    def group(self, user_id: str, group_id: str, traits: Json | None = None, **common: Unpack[Common]) -> str:
        return self.collect(make("group", user_id, common, group_id=group_id, traits=traits))

    def alias(self, user_id: str, previous_id: str, **common: Unpack[Common]) -> str:
        return self.collect(make("alias", user_id, common, previous_id=previous_id))

    def collect(self, event: Event) -> str:
        """Send an event that the caller built. Its messageId and timestamp are filled in if they are unset."""
        self._batcher.check_open()
        size = complete(event)
        if why := refusal(event, size):
            call_back(self._options.on_refused, event, why)
        else:
            self._batcher.put(event, size)
        return event.message_id

    def flush(self, timeout: float = 30.0) -> int:
        """Send what is queued. Returns how many events are not settled after `timeout` seconds: 0 if all are."""
        return self._batcher.flush(timeout)

    def close(self, timeout: float = 10.0) -> int:
        """Take no more events, flush, and give up the rest after `timeout` seconds. Returns how many were given up."""
        if not self._batcher.close():
            return 0
        self._batcher.flush(timeout)
        return self._sender.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

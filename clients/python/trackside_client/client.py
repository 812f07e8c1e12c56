"""What a program calls: a method for each kind of event, and the ends of them all."""

from dataclasses import dataclass
from typing import Self, Unpack

from trackside.v1.event_pb2 import Event

from trackside_client.batcher import Batcher, tell
from trackside_client.events import Common, Json, complete, make, refusal
from trackside_client.options import Options


@dataclass(eq=False, repr=False)
class Client(Options):
    """Sends events from threads of its own. Safe to use from any thread; make it after a fork, not before.

    A call returns the event's messageId. It raises QueueFull or Closed where the event was not taken, and TypeError
    for a value that JSON does not have. Whatever else becomes of the event, a callback of the options is told.
    """

    target: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self._batcher = Batcher(self.target, self)

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
        """Take an event that the caller built, and changes no more."""
        complete(event)
        size = event.ByteSize() + 10  # what the entry around it has at most
        if refused := refusal(event, size):
            tell(self.on_refused, refused)
        else:
            self._batcher.put(event, size)
        return event.message_id

    def flush(self, timeout: float = 30.0) -> int:
        """Send what waits. Returns how many events are not settled after `timeout` seconds: 0, all are."""
        return self._batcher.flush(timeout)

    def close(self, timeout: float = 10.0) -> int:
        """Take no more events and flush. Returns how many were given up after `timeout` seconds."""
        return self._batcher.close(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

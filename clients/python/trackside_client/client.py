"""What a program calls: a method for each kind of event, and the ends of them all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, Unpack

from trackside.v1 import event_pb2 as kinds

from trackside_client.batcher import Batcher, tell
from trackside_client.events import Common, complete, make, refusal, text
from trackside_client.options import Options

Json = Mapping[str, Any]


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
        return self.collect(make(user_id, common, identify=kinds.Identify(traits_json=text(traits))))

    def track(self, user_id: str, event: str, properties: Json | None = None, **common: Unpack[Common]) -> str:
        track = kinds.Track(event=event, properties_json=text(properties))
        return self.collect(make(user_id, common, track=track))

    def page(self, user_id: str, name: str = "", properties: Json | None = None, **common: Unpack[Common]) -> str:
        return self.collect(make(user_id, common, page=kinds.Page(name=name, properties_json=text(properties))))

    def screen(self, user_id: str, name: str = "", properties: Json | None = None, **common: Unpack[Common]) -> str:
        return self.collect(make(user_id, common, screen=kinds.Screen(name=name, properties_json=text(properties))))

    def group(self, user_id: str, group_id: str, traits: Json | None = None, **common: Unpack[Common]) -> str:
        return self.collect(make(user_id, common, group=kinds.Group(group_id=group_id, traits_json=text(traits))))

    def alias(self, user_id: str, previous_id: str, **common: Unpack[Common]) -> str:
        return self.collect(make(user_id, common, alias=kinds.Alias(previous_id=previous_id)))

    def collect(self, event: kinds.Event) -> str:
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

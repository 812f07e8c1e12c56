"""What a program calls: a method for each kind of event."""

import time
import uuid
from contextlib import AbstractContextManager
from typing import Unpack

from trackside.v1.event_pb2 import Event

from trackside_client.batcher import Batcher, tell
from trackside_client.events import Common, Json, make, refusal


class Client(Batcher, AbstractContextManager["Client"]):
    """Sends events from threads of its own. Safe to use from any thread; make it after a fork, not before.

    A call returns the event's messageId. It raises QueueFull or Closed where the event was not taken, and TypeError
    for a value that JSON does not have. Whatever else becomes of the event, a callback of the options is told.
    """

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
        """Take an event that the caller built, and give it the messageId and the timestamp that it lacks."""
        event.message_id = event.message_id or str(uuid.uuid4())
        if not event.HasField("timestamp"):
            event.timestamp.FromMilliseconds(time.time_ns() // 1_000_000)
        size = event.ByteSize() + 10  # what the entry around it has at most
        if why := refusal(event, size):
            tell(self.on_refused, event, why)
        else:
            self.put(event, size)
        return event.message_id

    def __exit__(self, *_: object) -> None:
        self.close()

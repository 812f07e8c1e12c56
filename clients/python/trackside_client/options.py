"""What a client can be told, and what it tells."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import grpc
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1 import options_pb2
from trackside.v1.event_pb2 import Event

log = logging.getLogger("trackside_client")

_SERVICE: Any = proto.DESCRIPTOR.services_by_name["CollectorService"]
_LIMITS: options_pb2.Limits = _SERVICE.GetOptions().Extensions[options_pb2.limits]
LARGEST: int = _LIMITS.message_bytes - 1024  # bytes of an event: with the request around it, it just fits a message


class Lost(NamedTuple):
    """Why an event was given up: the status of the call that failed. The code is None where the client was closed."""

    code: grpc.StatusCode | None
    description: str


class QueueFull(Exception):
    """There was no room for the event, and it was not taken."""


class Closed(Exception):
    """The client is closed, and the event was not taken."""


def _warn(event: Event, why: proto.Refusal | Lost) -> None:
    log.warning("event %s is not queued: %s", event.message_id, why.description)


@dataclass(kw_only=True, eq=False, repr=False)
class Options:
    """BEHAVIOUR.md says what each does. Times are in seconds. Raises ValueError for one that is out of bounds."""

    target: str = field(kw_only=False)
    write_key: str = ""
    tls: grpc.ChannelCredentials | None = None
    batch_events: int = 200
    batch_bytes: int = 1_000_000
    queue_events: int = 10_000
    full_wait: float = 5.0
    flush_interval: float = 0.1
    calls: int = 4
    call_timeout: float = 10.0
    retry_for: float = 300.0
    on_accepted: Callable[[Event, bool], object] = lambda _event, _duplicate: None
    on_refused: Callable[[Event, proto.Refusal], object] = _warn
    on_lost: Callable[[Event, Lost], object] = _warn

    def __post_init__(self) -> None:
        most = {"batch_events": _LIMITS.delivery_events, "batch_bytes": LARGEST, "calls": 100, "queue_events": 1e9}
        for name, value in vars(self).items():
            if isinstance(value, int | float) and not (name in most) <= value <= most.get(name, 1e9):
                raise ValueError(f"{name} cannot be {value}")
        if not (self.write_key.isascii() and self.write_key.isprintable()):
            raise ValueError("write_key cannot be sent as metadata: it is not printable ASCII")

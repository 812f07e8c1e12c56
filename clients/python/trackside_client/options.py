"""A client's options and their bounds, and the errors and reasons that it reports."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import grpc
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1 import options_pb2
from trackside.v1.event_pb2 import Event

log = logging.getLogger("trackside_client")

_SERVICE: Any = proto.DESCRIPTOR.services_by_name["CollectorService"]
_LIMITS: options_pb2.Limits = _SERVICE.GetOptions().Extensions[options_pb2.limits]
LARGEST_EVENT: int = _LIMITS.message_bytes - 1024  # bytes; the rest of a message is for the request around the event

_SECONDS = (0, 2_147_483)  # 24 days: the longest timer that all clients have
_BOUNDS: dict[str, tuple[int, int]] = {
    "batch_events": (1, _LIMITS.delivery_events),
    "batch_bytes": (1, LARGEST_EVENT),
    "queue_events": (1, 1_000_000_000),
    "calls": (1, 100),
    "full_wait": _SECONDS,
    "flush_interval": _SECONDS,
    "call_timeout": _SECONDS,
    "retry_for": _SECONDS,
}


class Lost(NamedTuple):
    """Why an event was given up. The code is the last call's status; CANCELLED if no call was answered."""

    code: grpc.StatusCode
    description: str


class QueueFull(Exception):
    """The queue stayed full for `full_wait` seconds. The event was not taken."""


class Closed(Exception):
    """The client is closed. The event was not taken."""


def warn_of_refusal(event: Event, why: proto.Refusal) -> None:
    log.warning("event %s was refused: %s", event.message_id, why.description)


def warn_of_loss(event: Event, why: Lost) -> None:
    log.warning("event %s was lost: %s: %s", event.message_id, why.code.name, why.description)


@dataclass(frozen=True, kw_only=True)
class Options:
    """BEHAVIOUR.md describes each option. Times are in seconds. Raises ValueError for a value out of bounds."""

    target: str
    write_key: str
    tls: grpc.ChannelCredentials | None
    batch_events: int
    batch_bytes: int
    queue_events: int
    full_wait: float
    flush_interval: float
    calls: int
    call_timeout: float
    retry_for: float
    on_accepted: Callable[[Event, bool], object]
    on_refused: Callable[[Event, proto.Refusal], object]
    on_lost: Callable[[Event, Lost], object]

    def __post_init__(self) -> None:
        for name, (least, most) in _BOUNDS.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise ValueError(f"{name} must be from {least} to {most}, not {value}")
        if not (self.write_key.isascii() and (self.write_key.isprintable())):
            raise ValueError("write_key must be printable ASCII, because it is sent as gRPC metadata")


def call_back(callback: Callable[..., object], *arguments: Any) -> None:
    """Call one of the program's callbacks. Its exception is logged, and must not end a thread of the client."""
    try:
        callback(*arguments)
    except Exception:
        log.exception("a callback failed")

"""What one sender says at once for all events of a request: checked once, then merged beneath each event."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import attrgetter

import msgspec
from msgspec import UNSET, UnsetType
from trackside.v1 import collector_service_pb2 as proto

from event_model import jsontext
from event_model.addresses import parse_address
from event_model.jsontext import Raw
from event_model.schema import LIMITS
from service.freeform import checked, decoded, over, raw, text_of
from service.refusals import Refused
from service.stamping import nanoseconds

Merge = Callable[["Delivery", str], Raw | UnsetType]

_ADDRESS = 64  # characters of an address that is remembered
_texts_of = attrgetter("write_key", "overriding_write_key", "ip", "user_agent", "context_json", "integrations_json")


class _Filled(msgspec.Struct, rename="camel"):
    """The members of a context that the request fills in."""

    ip: Raw | UnsetType = UNSET
    user_agent: Raw | UnsetType = UNSET


_filled = msgspec.json.Decoder(_Filled).decode


class Delivery:
    """A checked delivery. Raises Refused where it is invalid, or goes over a bound on a request."""

    __slots__ = (
        "_context",
        "_context_members",
        "_integrations",
        "_integrations_members",
        "_ip",
        "_user_agent",
        "overriding_write_key",
        "sent_at",
        "timestamp",
        "write_key",
    )

    def __init__(self, delivery: proto.Delivery, events: int, size: int, client_address: str, call_key: str) -> None:
        """It brings so many events, which have `size` bytes together."""
        key, self.overriding_write_key, ip, user_agent, context, integrations = _texts_of(delivery)
        self.write_key = key or call_key
        has = delivery.HasField
        self.sent_at = nanoseconds(delivery.sent_at, "sentAt") if has("sent_at") else UNSET
        self.timestamp = nanoseconds(delivery.timestamp, "timestamp") if has("timestamp") else UNSET
        if not context and has("context"):
            context = text_of(delivery.context)
        if not integrations and has("integrations"):
            integrations = text_of(delivery.integrations)
        if events > 1 or context or integrations:
            injected = len(context.encode()) + len(integrations.encode())
            said = (self.write_key, self.overriding_write_key, ip, user_agent)
            _bound(events, LIMITS.delivery_events, "events in one request")
            _bound(injected, LIMITS.injected_bytes, "bytes of context and integrations for all events")
            size += events * (injected + sum(map(len, map(str.encode, said))))
            _bound(size, LIMITS.delivery_bytes, "bytes after injection")
        self._context = context and checked(context, "context")
        self._context_members = jsontext.members(self._context) if context else None
        self._integrations = integrations and checked(integrations, "integrations")
        self._integrations_members = jsontext.members(self._integrations) if integrations else None
        address = _address if len(ip) <= _ADDRESS else _address.__wrapped__
        self._ip = _member("ip", ip if client_address == "full" and ":" not in ip else address(ip, client_address))
        self._user_agent = _member("userAgent", user_agent)

    def context(self, text: str) -> Raw | UnsetType:
        """An event's context with the delivery's beneath it, and the request's address and agent beneath both."""
        if not text:
            text = self._context or "{}"
            if not self._context and not self._ip and not self._user_agent:
                return UNSET
        elif self._context_members:
            text = over(text, self._context_members)
        filled = decoded(_filled, text)
        absent = [self._ip] if self._ip and filled.ip is UNSET else []
        if self._user_agent and filled.user_agent is UNSET:
            absent.append(self._user_agent)
        return Raw(jsontext.with_tail(text, ",".join(absent)) if absent else text)

    def integrations(self, text: str) -> Raw | UnsetType:
        """An event's integrations with the delivery's beneath them."""
        if not text:
            return Raw(self._integrations) if self._integrations else UNSET
        if self._integrations_members:
            text = over(text, self._integrations_members)
        return raw(text)


def merged(merge: Merge, deliveries: Sequence[Delivery], texts: Sequence[str]) -> list[Raw | UnsetType]:
    """What `merge` makes of the text of each event and its delivery. Raises Doubtful."""
    before = newest = made = None
    column: list[Raw | UnsetType] = []
    for delivery, text in zip(deliveries, texts, strict=True):
        if text != newest or delivery is not before or made is None:  # one sender's events often share theirs
            before, newest, made = delivery, text, merge(delivery, text)
        column.append(made)
    return column


def _member(name: str, value: str) -> str:
    """A member of an object, as JSON text; empty where there is none."""
    return f'"{name}":{jsontext.quote(value)}' if value else ""


def _bound(amount: int, limit: int, what: str) -> None:
    if amount > limit:
        raise Refused(proto.REASON_REQUEST_TOO_LARGE, "", f"Too much at once: {amount} {what}, {limit} are allowed")


@lru_cache(1024)
def _address(ip: str, client_address: str) -> str:
    """The address as the setting has it; truncated, its last 8 bits (IPv6: 80) are zero."""
    if client_address == "off" or not ip:
        return ""
    try:
        address = parse_address(ip)
    except ValueError:
        return ip if client_address == "full" else ""
    if client_address == "full":
        return str(address) if address.version == 4 else ip
    network = ipaddress.ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False)
    return str(network.network_address)

"""What one sender says at once for all events of a request: checked once, then merged beneath each event."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from trackside.v1 import collector_service_pb2 as proto

from event_model import jsontext
from event_model.schema import LIMITS, members_of
from service.freeform import checked, to_text
from service.refusals import Refused
from service.stamping import nanoseconds

_FREE_FORMS = [member for member in members_of(proto.Delivery.DESCRIPTOR) if member.oneof]


class Extent(NamedTuple):
    """How much a delivery brings."""

    events: int
    size: int
    """Bytes of its events as they were sent."""


class Delivery:
    """A checked delivery. Raises Refused where it is not what it must be, or goes over a bound on a request."""

    def __init__(self, delivery: proto.Delivery, extent: Extent, client_address: str, call_key: str) -> None:
        self.write_key = delivery.write_key or call_key
        self.overriding_write_key = delivery.overriding_write_key
        self.sent_at = delivery.sent_at if delivery.HasField("sent_at") else None
        self.timestamp = delivery.timestamp if delivery.HasField("timestamp") else None
        for time, field in ((self.sent_at, "sentAt"), (self.timestamp, "timestamp")):
            if time is not None:
                nanoseconds(time, field)
        for member in _FREE_FORMS:
            to_text(delivery, member)
        injected = len(delivery.context_json.encode()) + len(delivery.integrations_json.encode())
        each = injected + sum(len(text.encode()) for text in (self.write_key, self.overriding_write_key))
        each += len(delivery.ip.encode()) + len(delivery.user_agent.encode())
        _bound(extent.events, LIMITS.delivery_events, "events in one request")
        _bound(injected, LIMITS.injected_bytes, "bytes of context and integrations for all events")
        _bound(extent.size + extent.events * each, LIMITS.delivery_bytes, "bytes after injection")
        self._context = delivery.context_json and checked(delivery.context_json, "context")
        self._integrations = delivery.integrations_json and checked(delivery.integrations_json, "integrations")
        self._context_members = jsontext.members(self._context) if self._context else {}
        self._integrations_members = jsontext.members(self._integrations) if self._integrations else {}
        self._request = _of_request(_address(delivery.ip, client_address), delivery.user_agent)
        self._context_alone = jsontext.with_members(
            self._context or "{}", _absent(self._request, self._context_members)
        )

    def context(self, text: str) -> str:
        """An event's context with the delivery's beneath it, and the request's address and agent beneath both."""
        if not text:
            return "" if self._context_alone == "{}" and not self._context else self._context_alone
        text = checked(text, "context")
        if self._context_members:
            text = jsontext.merged(text, self._context_members)
        return jsontext.with_members(text, _absent(self._request, jsontext.members(text)))

    def integrations(self, text: str) -> str:
        """An event's integrations with the delivery's beneath them."""
        if not text:
            return self._integrations
        text = checked(text, "integrations")
        return jsontext.merged(text, self._integrations_members) if self._integrations_members else text


def _bound(amount: int, limit: int, what: str) -> None:
    if amount > limit:
        raise Refused(
            proto.REASON_REQUEST_TOO_LARGE, "", f"HTTP request too large: {amount} {what}, {limit} are allowed"
        )


def _of_request(ip: str, user_agent: str) -> dict[str, str]:
    """The members of a context that the request fills in, as JSON text."""
    return {name: jsontext.quote(value) for name, value in (("ip", ip), ("userAgent", user_agent)) if value}


def _absent(members: dict[str, str], among: jsontext.Members) -> dict[str, str]:
    return {name: value for name, value in members.items() if name not in among}


def _address(ip: str, client_address: str) -> str:
    """The address as the setting has it; truncated, its last 8 bits (IPv6: 80) are zero."""
    if client_address == "off" or not ip:
        return ""
    if client_address == "full":
        return ip
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ""
    network = ipaddress.ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False)
    return str(network.network_address)

"""What one sender says at once for all events of a request: checked once, then merged beneath each event."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache

import msgspec
from msgspec import UNSET, UnsetType
from trackside.v1 import collector_service_pb2 as proto

from event_model import jsontext
from event_model.jsontext import Raw
from event_model.schema import LIMITS
from service.freeform import checked, decoded, text_of
from service.refusals import Refused
from service.stamping import nanoseconds


class Delivery:
    """A checked delivery. Raises Refused where it is not what it must be, or goes over a bound on a request."""

    def __init__(
        self, delivery: proto.Delivery, events: int, size: Callable[[], int], client_address: str, call_key: str
    ) -> None:
        """`events` is how many it brings; `size` tells how many bytes they have."""
        self.write_key = delivery.write_key or call_key
        self.overriding_write_key = delivery.overriding_write_key
        self.sent_at = nanoseconds(delivery.sent_at, "sentAt") if delivery.HasField("sent_at") else UNSET
        self.timestamp = nanoseconds(delivery.timestamp, "timestamp") if delivery.HasField("timestamp") else UNSET
        context, integrations = delivery.context_json, delivery.integrations_json
        if delivery.HasField("context"):
            context = text_of(delivery.context)
        if delivery.HasField("integrations"):
            integrations = text_of(delivery.integrations)
        injected = bool(context or integrations)
        if events > 1 or injected:
            _bound_all(delivery, events, size, len(context.encode()) + len(integrations.encode()), call_key)
        self._request = _of_request(delivery.ip, delivery.user_agent, client_address)
        alone = self._request.fill(context) if context else self._request.context
        self._context_alone = Raw(alone) if alone else UNSET
        self._context_members = jsontext.members(checked(context, "context")) if context else {}
        integrations = integrations and checked(integrations, "integrations")
        self._integrations_alone = Raw(integrations) if integrations else UNSET
        self._integrations_members = jsontext.members(integrations) if integrations else {}
        # The newest event's texts, and what became of them.
        self._context_text, self._context_made = "", self._context_alone
        self._integrations_text, self._integrations_made = "", self._integrations_alone

    def context(self, text: str) -> Raw | UnsetType:
        """An event's context with the delivery's beneath it, and the request's address and agent beneath both."""
        if text != self._context_text:  # one sender's events often share theirs
            self._context_made, self._context_text = self._with_context(text), text
        return self._context_made

    def integrations(self, text: str) -> Raw | UnsetType:
        """An event's integrations with the delivery's beneath them."""
        if text != self._integrations_text:
            self._integrations_made, self._integrations_text = self._with_integrations(text), text
        return self._integrations_made

    def _with_context(self, text: str) -> Raw | UnsetType:
        if not text:
            return self._context_alone
        if self._context_members:
            text = jsontext.merged(checked(text, "context"), self._context_members)
        return Raw(self._request.fill(text))

    def _with_integrations(self, text: str) -> Raw | UnsetType:
        if not text:
            return self._integrations_alone
        text = checked(text, "integrations")
        return Raw(jsontext.merged(text, self._integrations_members) if self._integrations_members else text)


class _Filled(msgspec.Struct, rename="camel"):
    """The members of a context that the request fills in."""

    ip: Raw | UnsetType = UNSET
    user_agent: Raw | UnsetType = UNSET


_filled = msgspec.json.Decoder(_Filled).decode


class _OfRequest:
    """The sender's address and agent, for contexts that have none."""

    def __init__(self, ip: str, user_agent: str) -> None:
        self._ip = f'"ip":{jsontext.quote(ip)}' if ip else ""
        self._user_agent = f'"userAgent":{jsontext.quote(user_agent)}' if user_agent else ""
        self._both = ",".join(filter(None, (self._ip, self._user_agent)))
        self.context = f"{{{self._both}}}" if self._both else ""

    def fill(self, text: str) -> str:
        """A context, checked, with what it lacks. Raises Refused."""
        text, filled = decoded(text, "context", _filled)
        if filled.ip is UNSET:
            tail = self._both if filled.user_agent is UNSET else self._ip
        else:
            tail = self._user_agent if filled.user_agent is UNSET else ""
        return jsontext.with_tail(text, tail) if tail else text


@lru_cache(1024)
def _of_request(ip: str, user_agent: str, client_address: str) -> _OfRequest:
    return _OfRequest(_address(ip, client_address), user_agent)


def _bound_all(delivery: proto.Delivery, events: int, size: Callable[[], int], injected: int, call_key: str) -> None:
    """Raise Refused where what a delivery brings, or would become in the queue, is over a bound."""
    texts = (delivery.write_key or call_key, delivery.overriding_write_key, delivery.ip, delivery.user_agent)
    each = injected + sum([len(text.encode()) for text in texts])
    _bound(events, LIMITS.delivery_events, "events in one request")
    _bound(injected, LIMITS.injected_bytes, "bytes of context and integrations for all events")
    if LIMITS.message_bytes + events * each > LIMITS.delivery_bytes:
        _bound(size() + events * each, LIMITS.delivery_bytes, "bytes after injection")


def _bound(amount: int, limit: int, what: str) -> None:
    if amount > limit:
        raise Refused(proto.REASON_REQUEST_TOO_LARGE, "", f"Too much at once: {amount} {what}, {limit} are allowed")


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

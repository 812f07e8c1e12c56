"""What a request's head says of its sender: the write key, the address and the user agent."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import NamedTuple

from trackside.v1 import collector_service_pb2 as proto

from event_model.authorization import key_of
from http1.request_head import RequestHead
from http_front import protowire
from http_front.query import parameter

_USER_AGENT = 1_024  # characters
_AUTHORIZATION = 1_024  # bytes of a header that is remembered with its key
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]*)\](?::\d+)?|(?P<v4>[^:]*):\d+")
"""How some proxies write an address: in brackets, or with a port."""

_WRITE_KEY = protowire.prefix(proto.Delivery.WRITE_KEY_FIELD_NUMBER)
_OVERRIDING_WRITE_KEY = protowire.prefix(proto.Delivery.OVERRIDING_WRITE_KEY_FIELD_NUMBER)
_IP = protowire.prefix(proto.Delivery.IP_FIELD_NUMBER)
_USER_AGENT_FIELD = protowire.prefix(proto.Delivery.USER_AGENT_FIELD_NUMBER)


class ClientInfo(NamedTuple):
    """The sender of one request."""

    write_key: str
    """The Basic user name. It counts where neither the event nor its batch has a key."""
    overriding_write_key: str
    """The key in the query. It counts before every other."""
    address: str
    user_agent: str
    """At most 1,024 characters."""

    def encoded(self) -> bytes:
        """A proto.Delivery as it goes over the wire. Fields that a batch's own delivery sets too may follow it."""
        parts: list[bytes] = []
        for prefix, text in zip(_FIELDS, self, strict=True):
            if text:
                protowire.put(parts, prefix, text.encode())
        return b"".join(parts)


_FIELDS = (_WRITE_KEY, _OVERRIDING_WRITE_KEY, _IP, _USER_AGENT_FIELD)


def read_client_info(head: RequestHead, peer: str, trusted_proxies: int, *, key_in_query: bool) -> ClientInfo:
    """`peer` is the address of the connection; `trusted_proxies` of the addresses in X-Forwarded-For are proxies."""
    return ClientInfo(
        basic_key(head),
        query_key(head) if key_in_query else "",
        _forwarded(head, peer, trusted_proxies) if trusted_proxies else peer,
        head.header(b"user-agent")[:_USER_AGENT],
    )


def basic_key(head: RequestHead) -> str:
    """The write key in the Authorization header (specification: Authentication)."""
    authorization = head.headers.get(b"authorization", b"")
    if len(authorization) > _AUTHORIZATION:
        return key_of(head.header(b"authorization"))
    return _basic_key(authorization)


@lru_cache(1024)
def _basic_key(authorization: bytes) -> str:
    return key_of(authorization.strip().decode(errors="replace"))


def query_key(head: RequestHead) -> str:
    """The write key in the query (specification: Webhook Endpoint)."""
    return parameter(head.query, "writeKey") or ""


def _forwarded(head: RequestHead, peer: str, trusted_proxies: int) -> str:
    """The address that the outermost trusted proxy saw; empty where it gives something else."""
    addresses = [address.strip() for address in head.header(b"x-forwarded-for").split(",") if address.strip()]
    text = addresses[-trusted_proxies] if len(addresses) >= trusted_proxies else peer
    if match := _WITH_PORT.fullmatch(text):
        text = match["v6"] or match["v4"] or ""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""

"""Who sends a request, as its head says it: the write keys, and what its events' context lacks."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import NamedTuple

from sanic import Request
from trackside.v1 import collector_service_pb2 as proto

from http_front.compatibility import knows_multi_status
from http_front.credentials import basic_key, query_key
from http_front.head import header

_USER_AGENT = 1_024
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]*)\](?::\d+)?|(?P<v4>[^:]*):\d+")
"""How some proxies write an address: in brackets, or with a port."""


class Sender(NamedTuple):
    """What a request's head says of its sender."""

    write_key: str
    """For events that have none, nor their batch: the Basic user name."""
    overriding_write_key: str
    """For all events: a webhook's, in the query."""
    address: str | None
    """The IP address that a trusted proxy gives; None where there is no proxy, and the connection tells."""
    user_agent: str
    """What the sender says it is, cut off at 1,024 characters."""
    knows_multi_status: bool


def read_sender(request: Request, *, proxied: bool, key_in_query: bool) -> Sender:
    """The sender of a request. `proxied`: proxies in front are trusted."""
    return Sender(
        basic_key(request),
        query_key(request) if key_in_query else "",
        _forwarded(request) if proxied else None,
        (header(request, "user-agent") or "")[:_USER_AGENT],
        knows_multi_status(request),
    )


@lru_cache(1024)
def delivery(sender: Sender, connected: str) -> proto.Delivery:
    """What the sender says for all its events; `connected` is the address of its connection. Not to be changed."""
    return proto.Delivery(
        write_key=sender.write_key,
        overriding_write_key=sender.overriding_write_key,
        ip=connected if sender.address is None else sender.address,
        user_agent=sender.user_agent,
    )


@lru_cache(1024)
def encoded_delivery(sender: Sender, connected: str) -> bytes:
    """`delivery` as it goes over the wire."""
    return delivery(sender, connected).SerializeToString()


def _forwarded(request: Request) -> str:
    """The address that the outermost trusted proxy saw; empty where it gives something else."""
    text = request.client_ip
    if match := _WITH_PORT.fullmatch(text):
        text = match["v6"] or match["v4"] or ""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""

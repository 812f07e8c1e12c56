"""Who sends a request: the address and the agent that stand in its events' context where they have none."""

from __future__ import annotations

import ipaddress
import re

from sanic import Request

from http_front.head import header

_USER_AGENT = 1_024
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]*)\](?::\d+)?|(?P<v4>[^:]*):\d+")
"""How some proxies write an address: in brackets, or with a port."""


def address(request: Request, *, proxied: bool) -> str:
    """The sender's IP address; empty where a proxy gives something else. `proxied`: proxies in front are trusted."""
    if not proxied:
        return request.ip
    text = request.client_ip
    if match := _WITH_PORT.fullmatch(text):
        text = match["v6"] or match["v4"] or ""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def user_agent(request: Request) -> str:
    """What the sender says it is, cut off at 1,024 characters."""
    return (header(request, "user-agent") or "")[:_USER_AGENT]

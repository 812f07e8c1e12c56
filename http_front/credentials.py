"""Where a request's write key stands, besides its body (specification: Authentication, Webhook Endpoint)."""

from __future__ import annotations

from sanic import Request

from event_model.authorization import key_of
from http_front.head import header


def basic_key(request: Request) -> str:
    """The Basic user name; it stands in where neither event nor batch has a key."""
    return key_of(header(request, "authorization") or "")


def query_key(request: Request) -> str:
    """A webhook's key; it goes before every other."""
    return request.args.get("writeKey") or ""

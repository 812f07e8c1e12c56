"""Where a request's write key stands (specification: Authentication)."""

from __future__ import annotations

from sanic import Request
from trackside.v1 import collector_service_pb2 as proto

from event_model.authorization import key_of
from http_front.head import header


def put_write_key(delivery: proto.Delivery, request: Request, *, from_query: bool) -> None:
    """Fill in the write keys of a request: a webhook's in the query, and the Basic user name.

    The query's goes before every other; the Basic user name stands in where neither event nor batch has one.
    """
    if from_query:
        delivery.overriding_write_key = request.args.get("writeKey") or ""
    if not delivery.write_key and (authorization := header(request, "authorization")):
        delivery.write_key = key_of(authorization)

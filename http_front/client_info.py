"""What a request's head says of its sender: the write key, the address and the user agent."""

from __future__ import annotations

from functools import lru_cache

from trackside.v1 import collector_service_pb2 as proto

from event_model.authorization import key_of
from http1.request_head import RequestHead
from http_front import protowire
from http_front.query import parameter

_USER_AGENT = 1_024  # characters
_AUTHORIZATION = 1_024  # bytes of a header that is remembered with its key

_WRITE_KEY = protowire.prefix(proto.Delivery.WRITE_KEY_FIELD_NUMBER)
_OVERRIDING_WRITE_KEY = protowire.prefix(proto.Delivery.OVERRIDING_WRITE_KEY_FIELD_NUMBER)
_IP = protowire.prefix(proto.Delivery.IP_FIELD_NUMBER)
_USER_AGENT_FIELD = protowire.prefix(proto.Delivery.USER_AGENT_FIELD_NUMBER)


def encoded_client_info(head: RequestHead, address: str, *, key_in_query: bool) -> bytes:
    """What a head says of its sender, as fields of a proto.Delivery. A batch's fields may follow: the last one counts.

    `address` is the client's; empty where it is not known.
    """
    key = basic_key(head)
    key_and_address = _key_and_address if len(key) <= _AUTHORIZATION else _key_and_address.__wrapped__
    parts = [key_and_address(key, address), _field(_USER_AGENT_FIELD, _user_agent(head))]
    if key_in_query:  # it counts before every other
        parts.append(_field(_OVERRIDING_WRITE_KEY, query_key(head).encode()))
    return b"".join(parts)


def _field(prefix: protowire.Prefix, content: bytes) -> bytes:
    return prefix(len(content)) + content if content else b""


@lru_cache(1024)
def _key_and_address(write_key: str, address: str) -> bytes:
    return _field(_WRITE_KEY, write_key.encode()) + _field(_IP, address.encode())


def _user_agent(head: RequestHead) -> bytes:
    agent = head.headers.get(b"user-agent", b"").strip()
    if agent.isascii():
        return agent[:_USER_AGENT]
    return agent.decode(errors="replace")[:_USER_AGENT].encode()


def basic_key(head: RequestHead) -> str:
    """The write key in the Authorization header (specification: Authentication)."""
    authorization = head.headers.get(b"authorization", b"")
    if len(authorization) <= _AUTHORIZATION:
        return _basic_key(authorization)
    return _basic_key.__wrapped__(authorization)


@lru_cache(1024)
def _basic_key(authorization: bytes) -> str:
    return key_of(authorization.strip().decode(errors="replace"))


def query_key(head: RequestHead) -> str:
    """The write key in the query (specification: Webhook Endpoint)."""
    return parameter(head.query, "writeKey") or ""

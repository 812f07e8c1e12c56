"""A form with one field, whose value is JSON: how some systems send their webhooks."""

from __future__ import annotations

from collections.abc import Generator
from urllib.parse import unquote_to_bytes

from trackside.v1 import collector_service_pb2 as proto

from http1.request_head import RequestHead
from http_front.errors import Rejected

_TYPE = "application/x-www-form-urlencoded"
_STEP_BYTES = 65_536
_JSON = (b"{", b"[")


def is_form(head: RequestHead, body: bytes) -> bool:
    """Whether a body is a form. Many senders of JSON have this Content-Type too, so the body must not begin as JSON."""
    media_type = head.header(b"content-type").partition(";")[0].strip().lower()
    return media_type == _TYPE and b"=" in body and body.lstrip()[:1] not in _JSON


def only_value(body: bytes) -> Generator[None, None, bytes]:
    """Decode, step by step, the value of the only field. Raises Rejected where there are several."""
    field, several, _ = body.strip().strip(b"&").partition(b"&")
    if several:
        raise Rejected(proto.REASON_MALFORMED_JSON, "", "A form must have one field, whose value is JSON")
    value = field.partition(b"=")[2].replace(b"+", b" ")
    parts: list[bytes] = []
    while value:
        end = _STEP_BYTES
        if (escape := value.find(b"%", end - 2, end)) >= 0:
            end = escape
        parts.append(unquote_to_bytes(value[:end]))
        value = value[end:]
        yield
    return b"".join(parts)

"""A custom event: any JSON object, with MetaRouter's metadata in it or beside it.

The metadata is `_metarouter` in the body's root, else the header X-Event-Metadata, else parameters of the query. The
first place that has it counts whole. The object without `_metarouter` becomes the event's properties.
"""

from __future__ import annotations

import uuid

import msgspec
from trackside.v1 import collector_service_pb2 as proto

from event_model import jsontext
from event_model.jsontext import Members, Raw
from http1.request_head import RequestHead
from http_front.errors import Rejected
from http_front.event_decoder import decode_members, is_absent
from http_front.query import parameters

_METADATA, _HEADER = "_metarouter", "X-Event-Metadata"
_MEMBERS = {
    "writeKey": "writeKey",
    "eventName": "event",
    "eventID": "messageId",
    "timestamp": "timestamp",
    "anonymousID": "anonymousId",
    "userID": "userId",
}
"""The event's member for each name of the metadata. Other names are passed over."""
NAMES = {member: name for name, member in _MEMBERS.items()}
"""MetaRouter's names, by the event's members."""


def decode_custom_event(text: bytes | Raw, head: RequestHead) -> Members:
    """The members of the event that a custom event becomes. Raises Rejected, and jsontext.Malformed."""
    body = decode_members(text)
    own = body.pop(_METADATA, None)
    properties = Raw(text) if own is None else Raw(msgspec.json.encode(body))
    metadata = _metadata(own, head)
    members = {_MEMBERS[name]: value for name, value in metadata.items() if name in _MEMBERS and not is_absent(value)}
    if "writeKey" not in members:
        raise Rejected(proto.REASON_INVALID_WRITE_KEY, "writeKey", "writeKey is required")
    members.setdefault("messageId", Raw(msgspec.json.encode(str(uuid.uuid4()))))
    members["properties"] = properties
    return members


def _metadata(own: Raw | None, head: RequestHead) -> Members:
    if own is not None and not is_absent(own):
        return _object(own, _METADATA)
    if header := _header(head):
        metadata = _object(header, _HEADER)
        return _object(metadata[_METADATA], _HEADER) if _METADATA in metadata else metadata
    metadata: Members = {}
    for name, value in parameters(head.query):
        if name in _MEMBERS:
            metadata.setdefault(name, Raw(msgspec.json.encode(value)))
    if not metadata:
        where = f"in the body, in the header {_HEADER}, or as parameters of the query"
        raise Rejected(proto.REASON_REQUIRED, _METADATA, f"{_METADATA} is required, {where}")
    return metadata


def _header(head: RequestHead) -> str:
    """The header's text: UTF-8, or ISO 8859-1, which is how a browser sends it. Mended as a body is."""
    value = head.headers.get(_HEADER.lower().encode(), b"").strip()
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return jsontext.mend(text)


def _object(text: Raw | str, name: str) -> Members:
    try:
        return jsontext.members(text)
    except (jsontext.Malformed, jsontext.NotAnObject, jsontext.TooDeep):
        raise Rejected(proto.REASON_WRONG_TYPE, name, f"{name} must be a JSON object") from None

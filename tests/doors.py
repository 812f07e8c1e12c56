"""Every door that an event can come in by: each takes a case and gives the verdict, as its answer says it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar, cast

import grpc
import httpx
import msgspec
import pytest
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.context_pb2 import Context
from trackside.v1.event_pb2 import Event

from tests.running import KEY, Running, basic
from tests.spec.expectations import TOO_LARGE, rejection_of

T = TypeVar("T")
Texts = dict[str, str]
"""An object's members as JSON texts, so that a case says how each is spelt."""

SINGLE, BATCH, PIXEL, WEBHOOK = "single", "batch", "pixel", "webhook"
COLLECT, COLLECT_BATCH = "Collect", "CollectBatch"
COLLECT_STRUCT, COLLECT_BATCH_STRUCT = "Collect with Struct", "CollectBatch with Struct"

MESSAGE_ID, USER = '"m-1"', '"u-1"'
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@dataclass(frozen=True)
class Case:
    """One event, what is said beside it, and what becomes of it on every door that can say it."""

    name: str
    members: dict[str, str | None] = field(default_factory=dict[str, str | None])
    """What the event has besides, or in place of, an event of its kind; None is left out."""
    kind: str = "track"
    record: dict[str, Any] = field(default_factory=dict[str, Any])
    """Members of the record that are not as they were sent; None: it has no such member."""
    refused: tuple[str, str] | None = None
    """The reason and the member at fault, if it is refused."""
    only: str | tuple[str, ...] = ()
    """Which rows of the table in docs/doors.md say what doors it fits, if it does not fit all."""
    delivery: Texts = field(default_factory=dict[str, str])
    """What the request says for all its events."""
    text: str = ""
    """In place of the members: what stands where the event should."""
    key: str | None = KEY
    """The request's write key."""

    def event(self) -> Texts:
        own = {"groupId": {"groupId": '"g-1"'}, "previousId": {"previousId": '"p-1"'}, "event": {"event": '"E"'}}
        needs = {"track": "event", "group": "groupId", "alias": "previousId"}.get(self.kind, "")
        common: dict[str, str | None] = {"type": f'"{self.kind}"', "messageId": MESSAGE_ID, "userId": USER}
        members = common | own.get(needs, {}) | self.members
        return {name: text for name, text in members.items() if text is not None}

    def rows(self) -> tuple[str, ...]:
        return (self.only,) if isinstance(self.only, str) else self.only

    def json(self) -> str:
        return self.text or text_of(self.event())


class Verdict(NamedTuple):
    """`field` is the JSON name of the member at fault; both are empty where the event was accepted."""

    reason: str = ""
    field: str = ""


ACCEPTED = Verdict()

# What Details say in place of the member: the specification's own words, and where a text stops being JSON.
_WORDS = {
    "INVALID_WRITE_KEY": ("", "writeKey"),
    "EVENT_TOO_LARGE": (TOO_LARGE["Details"], ""),
    "REQUEST_TOO_LARGE": (TOO_LARGE["Details"], ""),
}


def text_of(members: Texts) -> str:
    return "{" + ",".join(f"{json.dumps(name, ensure_ascii=False)}:{text}" for name, text in members.items()) + "}"


def _http(response: httpx.Response, *, batch: bool = False) -> Verdict:
    """What an HTTP answer says."""
    if response.status_code == 200:
        if response.headers["Content-Type"] == "image/gif":
            assert response.content.startswith(b"GIF89a")
        else:
            assert response.json() == {"Success": True}
        return ACCEPTED
    body = rejection_of(response)
    error = body["Errors"][0] if batch else body
    assert (error["Error"], body["message"]) == ("Bad Request", error["Message"])
    reason = body["code"].upper()
    assert response.status_code == (413 if reason.endswith("TOO_LARGE") else 400)
    if reason == "MALFORMED_JSON":
        assert "byte" in error["Details"] or "truncated" in error["Details"]
        return Verdict(reason)
    if reason in _WORDS:
        details, member = _WORDS[reason]
        assert error["Details"] == details
        return Verdict(reason, member)
    return Verdict(reason, error["Details"])


def posted(door: str, case: Case) -> tuple[str, str]:
    """The path and the body that a case is posted with."""
    match door:
        case "batch":
            return "/v1/batch", _batch_body(case)
        case "webhook":
            query = "" if case.key is None else f"?writeKey={case.key}"
            return f"/v1/webhook{query}", _batch_body(case) if case.delivery else case.json()
        case _:
            return f"/v1/{case.kind}", case.json()


def _batch_body(case: Case) -> str:
    return text_of({"batch": f"[{case.json()}]", **case.delivery})


def _single(trackside: Running, case: Case) -> Verdict:
    return _http(trackside.post(*posted(SINGLE, case), key=case.key))


def _batch(trackside: Running, case: Case) -> Verdict:
    return _http(trackside.post(*posted(BATCH, case), key=case.key), batch=True)


def _webhook(trackside: Running, case: Case) -> Verdict:
    return _http(trackside.post(*posted(WEBHOOK, case), key=None), batch=bool(case.delivery))


def _pixel(trackside: Running, case: Case) -> Verdict:
    return _http(trackside.pixel(case.kind, case.json().encode(), key=case.key))


def _collect(trackside: Running, case: Case, *, comfortable: bool) -> Verdict:
    request = proto.CollectRequest(
        event=to_event(case.event(), comfortable=comfortable),
        delivery=to_delivery(case.delivery, comfortable=comfortable),
    )
    try:
        assert collect(trackside, request, metadata=_metadata(case)) == proto.OUTCOME_ACCEPTED
    except grpc.RpcError as error:
        return refusal_of(error)
    return ACCEPTED


def _collect_batch(trackside: Running, case: Case, *, comfortable: bool) -> Verdict:
    response = collect_batch(
        trackside,
        proto.CollectBatchRequest(
            entries=[proto.Entry(event=to_event(case.event(), comfortable=comfortable))],
            deliveries=[to_delivery(case.delivery, comfortable=comfortable)],
        ),
        metadata=_metadata(case),
    )
    if not response.refusals:
        assert list(response.outcomes) == [proto.OUTCOME_ACCEPTED]
        return ACCEPTED
    assert list(response.outcomes) == [proto.OUTCOME_REFUSED]
    (refusal,) = response.refusals
    assert refusal.description
    return Verdict(proto.Reason.Name(refusal.reason).removeprefix("REASON_"), refusal.field)


def collect(trackside: Running, request: proto.CollectRequest, **call: Any) -> proto.Outcome:
    """Call Collect: the outcome. Raises grpc.RpcError."""
    response = cast("proto.CollectResponse", trackside.stub.Collect(request, **call))
    return response.outcome


def collect_batch(trackside: Running, request: proto.CollectBatchRequest, **call: Any) -> proto.CollectBatchResponse:
    """Call CollectBatch. Raises grpc.RpcError."""
    return cast("proto.CollectBatchResponse", trackside.stub.CollectBatch(request, **call))


def attempted(call: Callable[[], T]) -> T | grpc.StatusCode:
    """What a call gives, or the status that it fails with."""
    try:
        return call()
    except grpc.RpcError as error:
        return cast("Any", error).code()


def _metadata(case: Case) -> tuple[tuple[str, str], ...]:
    return tuple((name.lower(), value) for name, value in basic(case.key).items())


def refusal_of(error: grpc.RpcError) -> Verdict:
    """What a call that was refused says."""
    status, (bad_request, info) = details_of(error)
    assert isinstance(bad_request, error_details_pb2.BadRequest)
    assert isinstance(info, error_details_pb2.ErrorInfo)
    (violation,) = bad_request.field_violations
    assert status.message == violation.description
    return Verdict(info.reason.removeprefix("REASON_"), violation.field)


def failure_of(call: Callable[[], object]) -> tuple[status_pb2.Status, list[Message]]:
    """The status of a call that fails, and its google.rpc details."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return details_of(raised.value)


def details_of(error: grpc.RpcError) -> tuple[status_pb2.Status, list[Message]]:
    status = cast("status_pb2.Status | None", rpc_status.from_call(cast("Any", error)))
    assert status is not None, error
    kinds = {
        kind.DESCRIPTOR.full_name: kind
        for kind in (error_details_pb2.BadRequest, error_details_pb2.ErrorInfo, error_details_pb2.RetryInfo)
    }
    return status, [kinds[packed.TypeName()].FromString(packed.value) for packed in status.details]


def to_event(members: Texts, *, comfortable: bool = False) -> Event:
    """The event as a gRPC caller writes it; `comfortable`: its free-form fields as Struct and Context."""
    event = Event()
    members = dict(members)
    messages: list[Message] = [event]
    if kind := members.pop("type", ""):
        messages.append(getattr(event, json.loads(kind)))
        messages[1].SetInParent()
    extra: Texts = {}
    for name, text in members.items():
        if not any(_put(message, name, text, comfortable) for message in messages):
            extra[name] = text
    if extra:
        event.extra_json = text_of(extra)
    return event


def to_delivery(members: Texts, *, comfortable: bool = False) -> proto.Delivery:
    delivery = proto.Delivery()
    for name, text in members.items():
        assert _put(delivery, name, text, comfortable), name
    return delivery


def _put(message: Message, name: str, text: str, comfortable: bool) -> bool:
    """Put a member into the message's field of that JSON name, if it has one."""
    found = next((each for each in message.DESCRIPTOR.fields if each.json_name == name), None)
    if found is None:
        return False
    value: Any = getattr(message, found.name)
    if isinstance(value, Timestamp):
        time = json.loads(text)
        if isinstance(time, str):
            value.FromJsonString(time)
        else:
            value.MergeFrom(Timestamp(**time))
    elif isinstance(value, Struct | Context) and not comfortable:
        setattr(message, f"{found.name}_json", text)
    elif isinstance(value, Struct):
        value.SetInParent()
        value.update(json.loads(text))
    elif isinstance(value, Context):
        value.SetInParent()
        for inner, content in _members(text).items():
            assert _put(value, inner, bytes(content).decode(), comfortable), f"no {inner} in a Context"
    elif isinstance(value, Message):
        for inner, content in _members(text).items():
            assert _put(value, inner, bytes(content).decode(), comfortable), f"no {inner} in {found.name}"
    else:
        setattr(message, found.name, json.loads(text))
    return True


DOORS: dict[str, Callable[[Running, Case], Verdict]] = {
    SINGLE: _single,
    BATCH: _batch,
    PIXEL: _pixel,
    WEBHOOK: _webhook,
    COLLECT: lambda trackside, case: _collect(trackside, case, comfortable=False),
    COLLECT_BATCH: lambda trackside, case: _collect_batch(trackside, case, comfortable=False),
    COLLECT_STRUCT: lambda trackside, case: _collect(trackside, case, comfortable=True),
    COLLECT_BATCH_STRUCT: lambda trackside, case: _collect_batch(trackside, case, comfortable=True),
}

"""What the HTTP API answers, as components of its OpenAPI document. The texts and examples are those of the answers."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from sanic import HTTPResponse
from trackside.v1 import collector_service_pb2 as proto

from event_model.json_schema import COMMENTS, Schema
from event_model.schema import LIMITS
from http1.request_head import RequestHead
from http_front import responses
from http_front.cors import DUPLICATE, IMAGE_ERROR, cors_lines, preflight_headers
from http_front.errors import ANSWERS

Form = Literal["single", "batch"]
JSON = "application/json"

_WHY: dict[int, str] = {
    400: "The request is no HTTP that this server takes.",
    408: "The request did not arrive in time.",
    413: "The request's head is too large.",
    415: "The body's Content-Encoding is not known.",
    417: "The header Expect asks for something unknown.",
    500: "A mistake in the collector. Its log has more.",
    503: "The answer took too long. Send again later.",
}
"""What HTTP itself may refuse on every route."""
_OF_BODIES = (415, 417)
_HEADERS = {"429": ["Retry-After"], "503": ["Retry-After"], "415": ["Accept-Encoding"]}
_CORS = [line.partition(b":")[0].decode().title() for line in cors_lines(None).splitlines() if line]
_PREFLIGHT = tuple(preflight_headers(RequestHead()))
_EXAMPLE = proto.Refusal(reason=proto.REASON_REQUIRED, field="event", description="event is required")


def ref(kind: str, name: str) -> Schema:
    return {"$ref": f"#/components/{kind}/{name}"}


def json_content(schema: Schema, example: HTTPResponse | None = None) -> dict[str, Any]:
    shown = {} if example is None else {"example": msgspec.json.decode(example.body or b"null")}
    return {JSON: {"schema": schema, **shown}}


def answer(description: str, content: dict[str, Any] | None = None, *headers: str) -> dict[str, Any]:
    """An answer with these headers, and those that every answer has."""
    named = {name: ref("headers", name) for name in (*_CORS, *headers)}
    return {"description": description, "headers": named, **({"content": content} if content else {})}


def http_errors(*, body: bool) -> dict[str, Any]:
    """The answers that any route may give. `body` tells whether the route reads one."""
    return {str(status): ref("responses", f"Http{status}") for status in _WHY if body or status not in _OF_BODIES}


def outcomes(form: Form, *, body: bool = True) -> dict[str, Any]:
    """The answers to a request with events, of which some are rejected or are to be sent again."""
    statuses = sorted({answer.status for answer in ANSWERS.values()} | {status for status, *_ in _retries()})
    return http_errors(body=body) | {str(status): ref("responses", f"{form.title()}{status}") for status in statuses}


def image_outcomes() -> dict[str, Any]:
    """The answers to a pixel. HTTP itself may answer before the route is known, in JSON."""
    content: dict[str, Any] = {"image/gif": {}, **json_content(ref("schemas", "Failure"))}
    statuses = [status for status in outcomes("single", body=True) if status != "415"]
    failures = {
        status: answer("The event is not collected.", content, IMAGE_ERROR, *_HEADERS.get(status, ()))
        for status in statuses
    }
    return failures | {"200": PIXEL_ANSWER}


def components() -> dict[str, Any]:
    return {"schemas": _schemas(), "responses": _responses(), "headers": _headers()}


def _responses() -> dict[str, Any]:
    found = {
        f"Http{status}": answer(why, json_content(ref("schemas", "Failure")), *_HEADERS.get(str(status), ()))
        for status, why in _WHY.items()
    }
    found["Success"] = answer(
        "Every event is durable in the queue, or is a duplicate of one that is.",
        json_content(ref("schemas", "Success"), responses.success()),
        DUPLICATE,
    )
    found["BatchSuccess"] = answer(
        "Every event is durable in the queue, or is a duplicate of one that is. Clients that take 207 for a failure "
        "are told here which events were rejected.",
        json_content({"oneOf": [ref("schemas", "Success"), ref("schemas", "BatchFailure")]}, responses.success()),
        DUPLICATE,
    )
    found["Batch207"] = answer(
        "Some events are durable in the queue, and some were rejected. `Errors` tells which.",
        json_content(ref("schemas", "BatchFailure"), responses.rejected([_EXAMPLE], ["m-1", "m-2"], "batch")),
        DUPLICATE,
    )
    for form in ("single", "batch"):
        found |= {f"{form.title()}{status}": _rejected(status, form) for status in {a.status for a in ANSWERS.values()}}
        for status, reason in _retries():
            example = responses.retry(reason, 1, form)
            why = COMMENTS[f"trackside.v1.{proto.RetryReason.Name(reason)}"]
            content = json_content(_failure(form), example)
            found[f"{form.title()}{status}"] = answer(f"{why} Send the request again later.", content, "Retry-After")
    return found


def _rejected(status: int, form: Form) -> dict[str, Any]:
    reasons = [reason for reason, answer in ANSWERS.items() if answer.status == status]
    codes = ", ".join(f"`{responses.code(reason)}`" for reason in reasons)
    example = proto.Refusal(reason=reasons[0], description=_EXAMPLE.description)
    if _EXAMPLE.reason in reasons:
        example = _EXAMPLE
    return answer(
        f"Rejected; the same request will be rejected again. `code` is one of {codes}, or names what HTTP forbids.",
        json_content(_failure(form), responses.rejected([example], ["m-1"], form)),
    )


def _retries() -> list[tuple[int, proto.RetryReason]]:
    return [(status, reason) for reason, (status, *_) in responses.RETRIES.items()]


def _failure(form: Form) -> Schema:
    """HTTP itself answers every route in the single form."""
    failures = [ref("schemas", "Failure"), *([ref("schemas", "BatchFailure")] if form == "batch" else [])]
    return failures[0] if len(failures) == 1 else {"oneOf": failures}


def _schemas() -> dict[str, Schema]:
    error = {
        "Error": {"type": "string", "description": "A title."},
        "Message": {"type": "string", "minLength": 1, "description": "What is wrong, as a sentence."},
        "Details": {"type": "string", "description": "The member at fault, or more about the fault. It may be empty."},
    }
    lower = {
        "code": {"anyOf": [ref("schemas", "Reason"), {"type": "string", "pattern": "^[a-z_]+$"}]},
        "message": {"type": "string", "description": "The same as `Message`, of the first error."},
    }
    of_event = {
        "Index": {"type": ["integer", "null"], "minimum": 0, "description": "Of the event in the request."},
        "MessageId": {"type": "string", "description": "Of the event, where it could be read."},
    }
    batch = {
        "Success": {"const": False},
        "Errors": {"type": "array", "minItems": 1, "maxItems": responses.ERRORS, "items": _closed(error | of_event)},
        "ErrorCount": {"type": "integer", "description": "How many errors there are, where `Errors` has not all."},
    }
    return {
        "Success": _closed({"Success": {"const": True}}),
        "Failure": _closed(error | lower),
        "BatchFailure": _closed(batch | lower, optional="ErrorCount"),
        "Reason": {"description": COMMENTS["trackside.v1.Reason"], "oneOf": [*map(_reason, ANSWERS)]},
    }


def _reason(reason: proto.Reason) -> Schema:
    return {"const": responses.code(reason), "description": COMMENTS[f"trackside.v1.{proto.Reason.Name(reason)}"]}


def _closed(properties: Schema, optional: str = "") -> Schema:
    required = [name for name in properties if name != optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _headers() -> dict[str, Any]:
    text = {name: {"required": True, "schema": {"type": "string"}} for name in (*_CORS, *_PREFLIGHT)}
    return {
        **text,
        "Retry-After": {
            "required": True,
            "description": "Seconds to wait before the request is sent again.",
            "schema": {"type": "integer", "minimum": 1},
        },
        DUPLICATE: {
            "description": "How many events of the request were duplicates; absent where none was.",
            "schema": {"type": "integer", "minimum": 1},
        },
        IMAGE_ERROR: {
            "description": "Why the event is not collected: the code, the message and the details.",
            "schema": {"type": "string"},
        },
        "Accept-Encoding": {"required": True, "schema": {"type": "string"}},
        "Cache-Control": {"required": True, "schema": {"const": responses.pixel().headers["Cache-Control"]}},
    }


PREFLIGHT_ANSWER = answer("A page may send.", json_content(ref("schemas", "Success")), *_PREFLIGHT)
PIXEL_ANSWER = answer("The event is durable in the queue.", {"image/gif": {}}, "Cache-Control", DUPLICATE)
LIMITS_TEXT = (
    f"An event may have {LIMITS.event_bytes:,} bytes, a batch's body {LIMITS.batch_bytes:,} bytes and "
    f"{LIMITS.delivery_events:,} events; both may be set to other values."
)

"""What each route takes and answers, for the OpenAPI document. A route has its description where it is added."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from event_model import json_schema, schema
from event_model.json_schema import Schema
from http_front import api_answers
from http_front.api_answers import JSON, Form, answer, http_errors, json_content, outcomes, ref

H = TypeVar("H", bound=Callable[..., Any])

EVENTS, SDKS, COLLECTOR = "Events", "What SDKs ask", "The collector"


class Description(NamedTuple):
    """One route. `answers` are its OpenAPI responses by status."""

    summary: str
    answers: dict[str, Any]
    tag: str = COLLECTOR
    details: str = ""
    body: Schema | None = None
    """The schema of the request's JSON body."""
    query: dict[str, Schema] = {}  # noqa: RUF012 - nothing changes it
    """The parameters of the query, as OpenAPI has them, by their names."""
    path: dict[str, str] = {}  # noqa: RUF012
    """The description of each variable part of the path, by its name."""


def described(description: Description) -> Callable[[H], H]:
    """Give a handler its description."""

    def set_description(handler: H) -> H:
        handler.description = description  # pyright: ignore[reportFunctionMemberAccess]
        return handler

    return set_description


def description_of(handler: object) -> Description | None:
    return getattr(handler, "description", None)


def single(kind: schema.Kind) -> Description:
    """A route of one event of a kind."""
    return Description(
        f"Collect one {kind.name} event",
        _collected("single", "Success"),
        EVENTS,
        json_schema.COMMENTS[f"trackside.v1.Event.{kind.field}"],
        body=_component(kind),
    )


def pixel(kind: schema.Kind) -> Description:
    data = {
        "required": True,
        "description": "The event: base64 of its JSON, standard or URL-safe, padded or not.",
        "schema": {
            "type": "string",
            "contentEncoding": "base64",
            "contentMediaType": JSON,
            "contentSchema": _component(kind),
        },
    }
    answers = api_answers.image_outcomes()
    return Description(f"Collect one {kind.name} event by an image", answers, EVENTS, query={"data": data})


def flat_pixel(kind: schema.Kind) -> Description:
    """RudderStack's pixel of a kind: each member of the event is a parameter of the query."""
    names = ["writeKey", *[member.name for member in (*schema.ENVELOPE, *kind.members)]]
    query: dict[str, Schema] = {
        name: {"description": f"The event's {name}; `{name}.NAME` names what is in it.", "schema": {"type": "string"}}
        for name in dict.fromkeys(names)
    }
    summary = f"Collect one {kind.name} event by an image with parameters"
    return Description(summary, api_answers.image_outcomes(), EVENTS, query=query)


def custom(kind: schema.Kind) -> Description:
    """MetaRouter's custom events, which become events of this kind."""
    text = {"type": "string", "minLength": 1}
    metadata = {
        "type": "object",
        "properties": dict.fromkeys(("writeKey", "eventName", "eventID", "anonymousID", "userID"), text),
        "required": ["writeKey", "eventName"],
        "anyOf": [{"required": ["anonymousID"]}, {"required": ["userID"]}],
    }
    return Description(
        f"Collect any JSON object as a {kind.name} event",
        _collected("single", "Success"),
        EVENTS,
        "Where the body has no `_metarouter`, it stands in the header `X-Event-Metadata`, or its members in the query.",
        body={"type": "object", "properties": {"_metarouter": metadata}, "required": ["_metarouter"]},
    )


def _component(kind: schema.Kind) -> Schema:
    return ref("schemas", json_schema.title(kind))


def _collected(form: Form, success: str) -> dict[str, Any]:
    partly = {"207": ref("responses", "Batch207")} if form == "batch" else {}
    return outcomes(form) | partly | {"200": ref("responses", success)}


def _success(*, body: bool = False) -> dict[str, Any]:
    return http_errors(body=body) | {"200": ref("responses", "Success")}


BATCH = Description(
    "Collect many events",
    _collected("batch", "BatchSuccess"),
    EVENTS,
    api_answers.LIMITS_TEXT,
    body=ref("schemas", "Batch"),
)

_KEY_IN_QUERY = {
    "writeKey": {
        "description": "The write key of all events. It counts before every other.",
        "schema": {"type": "string"},
    }
}
BEACON = BATCH._replace(summary="Collect many events that a beacon sends", query=_KEY_IN_QUERY)

WEBHOOK = Description(
    "Collect another system's events",
    _collected("batch", "BatchSuccess"),
    EVENTS,
    "One event, an array of events, or a batch. " + api_answers.LIMITS_TEXT,
    body={
        "oneOf": [
            # Whatever has `batch` is read as a batch.
            {"allOf": [ref("schemas", "Event"), {"not": {"required": ["batch"]}}]},
            {"type": "array", "items": ref("schemas", "Event"), "maxItems": schema.LIMITS.delivery_events},
            ref("schemas", "Batch"),
        ]
    },
    query=_KEY_IN_QUERY,
)

PREFLIGHT = Description(
    "Whether a page of another origin may send",
    http_errors(body=False) | {"200": api_answers.PREFLIGHT_ANSWER},
    details="A browser's CORS preflight.",
)
CHECK = Description(
    "Whether this is a webhook's address",
    _success(),
    EVENTS,
    "Some senders verify the address before they send. Nothing is collected.",
)
DISCARD = Description(
    "Take what SDKs measure of themselves",
    _success(),
    SDKS,
    "The body is not read, and nothing is kept.",
)
HEALTH = Description(
    "Whether events can be taken",
    _success() | {"503": ref("responses", "Single503")},
    details="For load balancers. Processes and queues are told apart on the admin port.",
)


def document(summary: str, schema: Schema, *, tag: str = COLLECTOR, **more: Any) -> Description:
    """A route that answers one JSON document."""
    answers = http_errors(body=False) | {"200": answer("The document.", json_content(schema))}
    return Description(summary, answers, tag, **more)


_TEXT = {"type": "string"}
PIXEL_HEAD = Description(
    "The headers of a pixel",
    http_errors(body=False) | {"200": api_answers.PIXEL_ANSWER},
    EVENTS,
    "It collects nothing.",
)
PRODUCT = document(
    "The product and its version",
    {
        "type": "object",
        "properties": {"product": _TEXT, "version": _TEXT, "documentation": _TEXT},
        "required": ["product", "version", "documentation"],
    },
)
ROBOTS = Description(
    "What crawlers may index: nothing",
    http_errors(body=False) | {"200": answer("Plain text (RFC 9309).", {"text/plain": {"schema": _TEXT}})},
)
SEGMENT_SETTINGS = document(
    "Where Segment's SDKs are to send",
    {
        "type": "object",
        "properties": {"integrations": {"type": "object", "additionalProperties": {"type": "object"}}},
        "required": ["integrations"],
    },
    tag=SDKS,
    path={"key": "The write key."},
)
RUDDER_SOURCE = document(
    "The source, for RudderStack's SDKs",
    {"type": "object", "properties": {"source": {"type": "object"}}, "required": ["source"]},
    tag=SDKS,
    details="It has no destinations.",
    query={"writeKey": {"description": "The write key, where Basic authentication has none.", "schema": _TEXT}},
)

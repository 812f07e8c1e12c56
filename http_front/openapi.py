"""The OpenAPI 3.1 document of the HTTP API, made from the application's routes and the protos' descriptors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, NamedTuple

import msgspec
from sanic import HTTPResponse, Request, Sanic

from event_model import json_schema
from http_front import api_answers, api_description
from http_front.api_answers import JSON
from http_front.api_description import EVENTS, Description, described, description_of
from http_front.responses import json_answer

_PART = re.compile(r"<(\w+)(?::[^>]*)?>")
_INTRODUCTION = (
    "Trackside collects the events that analytics SDKs, pixels, webhooks and services send, and answers only when each "
    "is durable in a queue. A body is read as JSON whatever its Content-Type, and may be compressed. A trailing slash "
    "and doubled slashes change nothing. A resend is safe: a second event with the same write key and messageId is "
    "answered as accepted, and not queued again."
)
_BASIC = (
    "The user name is the write key; the password is not read. An event or a batch may have the key as `writeKey` "
    "instead, so the header is optional. A key that is unknown is 400."
)


class Operation(NamedTuple):
    """A route and one of its methods."""

    path: str
    method: str
    handler: object

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def operations(app: Sanic[Any, Any]) -> Iterator[Operation]:
    """All that the application answers, in the order in which its routes were added."""
    for route in app.router.routes:
        path = "/" + _PART.sub(r"{\1}", route.path)
        yield from (Operation(path, method, route.handler) for method in sorted(route.methods))


def document(app: Sanic[Any, Any]) -> dict[str, Any]:
    """The document. Routes without a description are left out."""
    paths: dict[str, Any] = {}
    for operation in operations(app):
        if description := description_of(operation.handler):
            methods = paths.setdefault(operation.path, {})
            methods[operation.method.lower()] = _operation(operation, description)
    components = api_answers.components()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Trackside",
            "version": version("trackside"),
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            **components,
            "schemas": json_schema.events(lambda name: api_answers.ref("schemas", name)) | components["schemas"],
            "securitySchemes": {"writeKey": {"type": "http", "scheme": "basic", "description": _BASIC}},
        },
    }


def _operation(operation: Operation, description: Description) -> dict[str, Any]:
    answers = description.answers
    if operation.method == "HEAD":
        answers = {status: _without_body(answer) for status, answer in answers.items()}
    found: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{operation.method.lower()}{operation.path}").strip("_"),
        "summary": description.summary,
        "tags": [description.tag],
        "responses": dict(sorted(answers.items())),
    }
    if description.details:
        found["description"] = description.details
    if parameters := _parameters(operation, description):
        found["parameters"] = parameters
    if description.body:
        found["requestBody"] = {"required": True, "content": {JSON: {"schema": description.body}}}
    if description.tag == EVENTS and operation.method != "HEAD":
        found["security"] = [{"writeKey": []}, {}]
    return found


def _without_body(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer to HEAD. It has the same headers, so a reference to one with a body stays right."""
    return {name: value for name, value in answer.items() if name != "content"}


def _parameters(operation: Operation, description: Description) -> list[dict[str, Any]]:
    parts = re.findall(r"{(\w+)}", operation.path)
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        | ({"description": description.path[name]} if name in description.path else {})
        for name in parts
    ]
    return in_path + [{"name": name, "in": "query", **said} for name, said in description.query.items()]


def encoded(app: Sanic[Any, Any]) -> bytes:
    """The document as JSON text."""
    return msgspec.json.encode(document(app))


@described(api_description.document("This document", {"type": "object", "required": ["openapi", "info", "paths"]}))
async def openapi_json(request: Request) -> HTTPResponse:
    return json_answer(200, request.app.ctx.openapi)

"""Compares an answer with what the OpenAPI document says of it."""

from __future__ import annotations

from typing import Any

import httpx
import jsonschema_rs


def assert_documented(document: dict[str, Any], path: str, answer: httpx.Response) -> None:
    """The answer's status, headers, content type and body are among those of this path and the request's method."""
    operation = document["paths"][path][answer.request.method.lower()]
    said = _resolved(document, operation["responses"][str(answer.status_code)])
    headers = {name for name, header in said["headers"].items() if _resolved(document, header).get("required")}
    assert {name.lower() for name in headers} <= set(answer.headers)
    content = said["content"][answer.headers["Content-Type"]]
    if content:
        jsonschema_rs.validator_for({**content["schema"], "components": document["components"]}).validate(answer.json())


def _resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    return document["components"][kind][name]

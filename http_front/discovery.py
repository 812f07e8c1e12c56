"""What SDKs ask before they send: where to send, and that there is nothing else to load.

Segment's browser and mobile SDKs send nothing, or send to Segment, until `/v1/projects/KEY/settings` answers; those of
RudderStack ask `/sourceConfig`.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from sanic import HTTPResponse, Request, Sanic

from event_model.authorization import key_of
from http_front.answers import json_answer
from http_front.head import header
from http_front.routes import preflight

_HOST = re.compile(r"[A-Za-z0-9.\-_\[\]:]{1,255}")


def add_routes(app: Sanic[Any, Any]) -> None:
    """Add the routes that SDKs fetch their settings from."""
    for name, path, handler in (
        ("settings", "/v1/projects/<key:str>/settings", segment_settings),
        ("source_config", "/sourceConfig", rudder_source_config),
    ):
        app.add_route(handler, path, methods=["GET", "HEAD"], name=name)
        app.add_route(preflight, path, methods=["OPTIONS"], name=f"{name}_preflight")


async def segment_settings(request: Request, key: str) -> HTTPResponse:
    """Send to the host that was asked, and nowhere else."""
    host = header(request, "host") or ""
    destination: dict[str, str] = {"apiKey": key}
    if _HOST.fullmatch(host):
        # analytics-next takes https where no protocol is named.
        destination |= {"apiHost": f"{host}/v1", "protocol": request.scheme}
    return json_answer(200, msgspec.json.encode({"integrations": {"Segment.io": destination}}))


async def rudder_source_config(request: Request) -> HTTPResponse:
    """A source that is enabled and has no destinations of its own."""
    key = request.args.get("writeKey") or key_of(header(request, "authorization") or "")
    source: dict[str, Any] = {
        "id": "trackside",
        "name": "trackside",
        "writeKey": key,
        "enabled": True,
        "workspaceId": "trackside",
        "config": {},
        "destinations": [],
    }
    return json_answer(200, msgspec.json.encode({"source": source}))

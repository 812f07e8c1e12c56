"""What SDKs ask before they send: where to send, and that there is nothing else to load.

Segment's browser and mobile SDKs send nothing, or send to Segment, until `/v1/projects/KEY/settings` answers; those of
RudderStack ask `/sourceConfig`. Customer.io's browser SDK is made from Segment's and asks with the same request, but
looks for another name. One answer with both names serves neither: two names make an SDK load a script of destinations
from its vendor, and without that script it sends nothing. So Customer.io's has a path of its own.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import msgspec
from sanic import HTTPResponse

from http1.app_request import AppRequest
from http_front import api_description
from http_front.api_description import described
from http_front.client_info import basic_key, query_key
from http_front.proxies import PublicAddress
from http_front.responses import json_answer


@described(api_description.SEGMENT_SETTINGS)
async def segment_settings(request: AppRequest, key: str) -> HTTPResponse:
    """Send to the host that was asked, and nowhere else."""
    return json_answer(200, msgspec.json.encode({"integrations": {"Segment.io": _destination(request, key)}}))


@described(api_description.SEGMENT_SETTINGS._replace(summary="Where Customer.io's browser SDK is to send"))
async def customerio_settings(request: AppRequest, key: str) -> HTTPResponse:
    """The same, under Customer.io's name. Its SDK is to measure nothing of itself, as it would tell its vendor."""
    integrations = {"Customer.io Data Pipelines": _destination(request, key)}
    return json_answer(200, msgspec.json.encode({"integrations": integrations, "metrics": {"sampleRate": 0}}))


def _destination(request: AppRequest, key: str) -> dict[str, str]:
    protocol, host = _public_address(request)
    # analytics-next takes https where no protocol is named.
    key = unquote(key)  # an SDK sends apiKey as the write key, and its browser encoded the path
    return {"apiKey": key} | ({"apiHost": f"{host}/v1", "protocol": protocol} if host else {})


def _public_address(request: AppRequest) -> PublicAddress:
    """The host is empty where it is not known."""
    ctx = request.app.ctx
    if url := ctx.config.public_url:
        protocol, _, host = url.partition("://")
        return PublicAddress(protocol, host)
    assert request.conn_info
    return ctx.proxies.public_address(request.request_head, request.conn_info.client_ip)


@described(api_description.RUDDER_SOURCE)
async def rudder_source_config(request: AppRequest) -> HTTPResponse:
    """A source that is enabled and has no destinations of its own."""
    head = request.request_head
    key = query_key(head) or basic_key(head)
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

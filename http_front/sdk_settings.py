"""What SDKs ask before they send: where to send, and that there is nothing else to load.

Segment's browser and mobile SDKs send nothing, or send to Segment, until `/v1/projects/KEY/settings` answers; those of
RudderStack ask `/sourceConfig`.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from sanic import HTTPResponse

from http1.app_request import AppRequest
from http_front import api_description
from http_front.api_description import described
from http_front.client_info import basic_key, query_key
from http_front.responses import json_answer

_HOST = re.compile(r"[A-Za-z0-9.\-_\[\]:]{1,255}")


@described(api_description.SEGMENT_SETTINGS)
async def segment_settings(request: AppRequest, key: str) -> HTTPResponse:
    """Send to the host that was asked, and nowhere else."""
    host = request.request_head.header(b"host")
    destination: dict[str, str] = {"apiKey": key}
    if _HOST.fullmatch(host):
        # analytics-next takes https where no protocol is named.
        destination |= {"apiHost": f"{host}/v1", "protocol": request.scheme}
    return json_answer(200, msgspec.json.encode({"integrations": {"Segment.io": destination}}))


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

"""Requests that Sanic's handlers answer: all that do not collect events. The protocol reads and writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sanic import HTTPResponse, Request, Sanic
from sanic.compat import Header
from sanic.http import Stage
from sanic.models.server_types import ConnInfo

from http1.request_head import RequestHead

Send = Callable[[HTTPResponse], None]


class AppRequest(Request):
    """Sanic's request, with the head that it was made of."""

    __slots__ = ("request_head",)

    request_head: RequestHead


class _Stream:
    """The part of Sanic's HTTP stream that its handlers use. A handler's answer is one HTTPResponse."""

    request_body = None

    def __init__(self, send: Send) -> None:
        self.stage = Stage.HANDLER
        self.response: Any = None
        self._send = send

    def respond(self, response: Any) -> Any:
        self.response, response.stream = response, self
        return response

    async def send(self, _: bytes, *, end_stream: bool) -> None:
        if end_stream and self.stage is Stage.HANDLER:
            self.stage = Stage.IDLE
            self._send(self.response)


def app_request(
    app: Sanic[Any, Any], head: RequestHead, transport: Any, connection: ConnInfo, send: Send
) -> AppRequest:
    """The request that `app.handle_request` takes. Its answer goes to `send`."""
    headers = [
        (name.decode("latin-1"), value.strip().decode(errors="surrogateescape")) for name, value in head.headers.items()
    ]
    request = AppRequest(head.target, Header(headers), head.version, head.method, transport, app)
    request.request_head = head
    request.conn_info = connection
    request.stream = _Stream(send)  # pyright: ignore[reportAttributeAccessIssue]
    return request

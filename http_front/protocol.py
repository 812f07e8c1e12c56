"""What Sanic's HTTP/1.1 lets pass and should not (odd chunk sizes, heads that never end), and how a connection ends."""

from __future__ import annotations

import re
from typing import Any, cast

from sanic.exceptions import BadRequest
from sanic.http import Http
from sanic.http.constants import Stage
from sanic.server import HttpProtocol

from http_front.head import fault

_METHOD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]")
_CHUNK = re.compile(rb"\r\n[0-9A-Fa-f]{1,8}[ \t]*(?:;[^\r\n]*)?\r\n")
_LINE_BYTES = 256  # of the line that has a chunk's size and its extensions
_LAST_CALL = 1.0  # seconds


class StrictHttp(Http):
    """A connection on which a chunk has one meaning: servers differ on `0x5`, full-width digits and a missing CRLF."""

    async def http1_request_header(self) -> None:
        received = cast("bytearray", self.recv_buffer)
        if not _METHOD.match(received):  # TLS's first line never ends
            raise BadRequest("A request must begin with its method: this port speaks HTTP without TLS")
        try:
            await super().http1_request_header()
        except BadRequest as error:
            if str(error) != "Bad Request":
                raise
            # Of these, Sanic does not tell what is wrong.
            raise BadRequest(fault(bytes(received).partition(b"\r\n\r\n")[0])) from None

    async def read(self) -> bytes | None:
        if cast("object", self.request_body) == "chunked" and not self.request_bytes_left:
            buffer = cast("bytearray", self.recv_buffer)
            while buffer.find(b"\r\n", 2) < 0 and len(buffer) <= _LINE_BYTES:
                await self._receive_more()
            if not _CHUNK.match(buffer, 0, _LINE_BYTES):
                self.keep_alive = False
                self.request_body = None
                raise BadRequest("Bad chunked encoding")
        return await super().read()

    async def http1_response_header(self, data: bytes, end_stream: bool) -> None:
        if self.protocol.signal.stopped:  # else one who goes on sending would never let go
            self.keep_alive = False
        await super().http1_response_header(data, end_stream)


class Protocol(HttpProtocol):
    """A connection. It counts the time of a head, or of a body that nobody wants, from its beginning."""

    HTTP_CLASS = StrictHttp

    __slots__ = ("_at_end",)  # Sanic's metaclass gives a class without slots none

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._at_end = False

    def data_received(self, data: bytes) -> None:
        http = cast("Http | None", self.http)
        waiting = http is not None and (http.stage is Stage.REQUEST or http.request_body)
        begun = self._time if waiting else None
        super().data_received(data)
        if begun is not None:
            self._time = begun

    def eof_received(self) -> bool:
        """Whether the connection stays open: a client may end its side once it has asked, and is answered then."""
        self._at_end = True
        return self._busy()

    def _busy(self) -> bool:
        """Whether something came that has not been dealt with."""
        return self._data_received.is_set()

    async def receive_more(self) -> None:
        if self._at_end:
            self.close()  # which cancels what waits here
            self._data_received.clear()
            await self._data_received.wait()
        await super().receive_more()

    def close_if_idle(self) -> bool:
        """Asked when the front stops. Who is about to send once more is answered, and told that it was the last."""
        self.loop.call_later(_LAST_CALL, self.close_idle)
        return False

    def close_idle(self) -> None:
        super().close_if_idle()

"""One request and its answer. Endpoints collect the events of their requests; Sanic's handlers answer the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from sanic import HTTPResponse
from sanic.exceptions import ExpectationFailed, SanicException
from trackside.v1 import collector_service_pb2 as proto

from http1.app_request import app_request
from http1.body import framing_of
from http1.connection import DISCARDED_BYTES, Connection
from http1.content import Content, UnsupportedMediaType
from http1.content_coding import Malformed, TooLarge
from http1.request_head import RequestHead
from http_front import metrics, responses
from http_front.client_info import encoded_client_info
from http_front.client_quirks import understands_207
from http_front.coalescer import LARGE, Verdicts
from http_front.endpoints import Endpoint
from http_front.errors import Rejected
from http_front.parsed_request import ParsedRequest
from http_front.responses import Encoded, encode


class Exchange:
    """A request whose head was read. Its body is given to `receive`."""

    def __init__(self, connection: Connection, head: RequestHead) -> None:
        self.head = head
        self.answered = False
        self.keep_alive = head.keep_alive and head.content_length <= DISCARDED_BYTES
        self._connection = connection
        self._began = time.monotonic()
        self._framing = framing_of(head)
        self.is_received = self._framing is None
        self._content: Content | None = None
        """Only of a body that an endpoint wants."""
        self._discarded = 0
        self._endpoint: Endpoint | None = None
        self._app_task: asyncio.Task[None] | None = None
        self._steps: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Find out who answers. A fault is answered too."""
        head = self.head
        try:
            _, handler, _ = self._connection.app.router.get(head.path, head.method, None)
        except SanicException:  # the app answers that there is no such route
            handler = None
        reads_body = isinstance(handler, Endpoint) and not handler.text_in_query
        if b"expect" in head.headers and not reads_body:
            self.keep_alive = False  # the body may follow, or may not
        if not isinstance(handler, Endpoint):
            self._app_task = asyncio.create_task(self._let_app_answer())
            return
        self._endpoint = handler
        if handler.text_in_query:
            self._collect_query(handler, handler.text_in_query)
        else:
            self._begin_body(handler)

    def _begin_body(self, endpoint: Endpoint) -> None:
        head = self.head
        expected = head.header(b"expect").lower() if b"expect" in head.headers else ""
        if expected not in ("", "100-continue"):
            self.fail(ExpectationFailed(f"Unknown Expect: {expected[:40]}"))
            return
        try:
            content = Content(head, self._connection.app.ctx.config.max_batch_bytes)
        except (TooLarge, UnsupportedMediaType) as error:
            if expected:
                self.keep_alive = False  # the body may follow, or may not
            if isinstance(error, TooLarge):
                self._submit(endpoint, endpoint.rejected(_rejected(error)))
            else:
                self._send_error(error)
            return
        if self.is_received:
            self._collect(endpoint, content)
            return
        self._content = content
        if expected and head.version == "1.1":
            self._connection.write_continue()

    def receive(self, received: bytes, start: int) -> int:
        """Take the body's bytes from `start` on, and return where they end. A fault is answered."""
        framing = self._framing
        assert framing
        try:
            part, start = framing.take(received, start)
        except SanicException as error:
            self.fail(error)
            return start
        if framing.complete:
            self.is_received = True
        content, endpoint = self._content, self._endpoint
        if content is None or endpoint is None:
            self._discard(len(part))
            return start
        try:
            content.add(part)
        except TooLarge as error:
            self._content = None
            self._submit(endpoint, endpoint.rejected(_rejected(error)))
            return start
        if self.is_received:
            self._content = None
            self._collect(endpoint, content)
        return start

    def _discard(self, size: int) -> None:
        self._discarded += size
        if self._discarded > DISCARDED_BYTES:
            self._connection.close()

    def fail(self, error: SanicException) -> None:
        """Answer that HTTP forbids this. Nothing more is read: what follows may not be where it seems to be."""
        self.keep_alive = False
        self.is_received, self._content = True, None
        is_apps = self._endpoint is None and self._app_task is not None
        if not self.answered and not is_apps:
            self._send_error(error)

    def cancel(self) -> None:
        """The client is gone. Events that were sent to the service are queued all the same."""
        self.answered = True
        if self._app_task:
            self._app_task.cancel()

    def _collect_query(self, endpoint: Endpoint, text_in_query: Callable[[str], bytes]) -> None:
        try:
            request = endpoint.read(text_in_query(self.head.query), self.head)
        except Rejected as rejection:
            request = endpoint.rejected(rejection, self.head.query.encode())
        self._submit(endpoint, request)

    def _collect(self, endpoint: Endpoint, content: Content) -> None:
        if content.is_decoded_at_once:
            try:
                body = content.decoded()
            except (TooLarge, Malformed) as error:
                self._submit(endpoint, endpoint.rejected(_rejected(error)))
                return
            if len(body) <= LARGE:
                self._submit(endpoint, endpoint.read(body, self.head))
                return
        self._steps = asyncio.create_task(self._collect_in_steps(endpoint, content))

    async def _collect_in_steps(self, endpoint: Endpoint, content: Content) -> None:
        """Large bodies are read one after another, and small requests come in between."""
        request = ParsedRequest(endpoint.form, self.head)
        async with self._connection.app.ctx.large_body:
            try:
                for _ in content.steps():
                    await asyncio.sleep(0)
            except (TooLarge, Malformed) as error:
                request.refuse(_rejected(error))
            else:
                for _ in endpoint.steps(request, content.decoded()):
                    await asyncio.sleep(0)
        self._submit(endpoint, request)

    def _submit(self, endpoint: Endpoint, request: ParsedRequest) -> None:
        """Send the events to the service, and answer when their verdicts are there."""
        if not request.entries:
            self._send(responses.ACCEPTED[request.form])
            return
        ctx, head = self._connection.app.ctx, self.head

        def done(verdicts: Verdicts) -> None:
            if not self.answered:  # it took too long, or the client is gone
                downgraded = verdicts.refusals and ctx.config.stand_in_for_207 and not understands_207(head)
                self._send(endpoint.answer(request, verdicts, partly=200 if downgraded else 207))

        address = ctx.proxies.client_address(head, self._connection.info.client_ip)
        client = encoded_client_info(head, address, key_in_query=endpoint.key_in_query)
        ctx.coalescer.submit(request.entries, client + request.defaults, done)

    async def _let_app_answer(self) -> None:
        connection = self._connection

        def send(response: HTTPResponse) -> None:
            self._send(encode(response))

        try:
            await connection.app.handle_request(
                app_request(connection.app, self.head, connection.transport, connection.info, send)
            )
        except SanicException as error:  # the target is no URL
            self._app_task = None
            self.fail(error)

    def _send_error(self, error: SanicException) -> None:
        form = self._endpoint.form if self._endpoint else "single"
        self._send(encode(responses.http_error(error, self.head.path, form)))

    def _send(self, answer: Encoded) -> None:
        self.answered = True
        if self._endpoint:
            metrics.observe(self._endpoint.path, answer.status, time.monotonic() - self._began)
        self.keep_alive = self.keep_alive and not self._connection.is_last
        self._connection.write_answer(answer.on(self.head, keep_alive=self.keep_alive))


def _rejected(error: TooLarge | Malformed) -> Rejected:
    if isinstance(error, TooLarge):
        return Rejected(proto.REASON_REQUEST_TOO_LARGE, "", str(error))
    return Rejected(proto.REASON_MALFORMED_ENCODING, "Content-Encoding", str(error))


CONNECTION: Any = partial(Connection, exchange=Exchange)
"""The protocol that Sanic makes for each connection."""

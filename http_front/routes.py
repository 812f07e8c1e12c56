"""The documented routes, derived from the protos."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Coroutine, Iterable
from functools import lru_cache, partial
from typing import Any

from sanic import HTTPResponse, Request, Sanic
from sanic.router import Router

from event_model import schema
from http_front import answers, batch, doors, metrics, pixel, webhook
from http_front.body import read
from http_front.coalescer import LARGE, Coalescer, Verdicts
from http_front.config import FrontConfig
from http_front.cors import CORS, PREFLIGHT
from http_front.doors import Door, Fill
from http_front.known_heads import KnownHeads
from http_front.parsed_request import ParsedRequest
from http_front.refusals import Refused
from http_front.sender import Sender, read_sender

Handler = Callable[[Request], Coroutine[Any, Any, HTTPResponse]]

_SLASHES = re.compile(r"//+")


class SlashRouter(Router):
    """Takes trailing and doubled slashes as the route without them: SDKs append their path to any host setting."""

    @lru_cache(maxsize=1024)  # noqa: B019 - there is one router a process
    def get(self, path: str, method: str, host: str | None) -> Any:
        return self._get(_SLASHES.sub("/", path).rstrip("/") or "/", method, host)


class Routes:
    """Adds the collecting routes to an app."""

    def __init__(
        self, app: Sanic[Any, Any], config: FrontConfig, known: KnownHeads, coalescer: Callable[[], Coalescer]
    ) -> None:
        self._app = app
        self._config = config
        self._known = known
        self._coalescer = coalescer
        self._large = asyncio.Lock()
        limit = config.max_event_bytes
        for kind in schema.KINDS.values():
            for name in filter(None, (kind.routes.long, kind.routes.short)):
                self._post(Door(f"/v1/{name}", "single", _single(kind, limit)))
            if kind.routes.pixel:
                self._pixel(f"/v1/pixel/{kind.routes.pixel}", _single(kind, limit))
        read_batch = partial(batch.read_body, event_limit=limit)
        read_webhook = partial(webhook.read_webhook, event_limit=limit)
        for path in ("/v1/batch", "/v1/import", "/v1/b"):
            self._post(Door(path, "batch", read_batch))
        # RudderStack's, for a page that is being left: a beacon has no headers of its own.
        self._post(Door("/beacon/v1/batch", "batch", read_batch, key_in_query=True))
        for path in ("/v1/webhook", "/v1/w"):
            self._post(Door(path, "single", read_webhook, key_in_query=True))
        self._discard("/v1/m")

    def _post(self, door: Door) -> None:
        async def handle(request: Request) -> HTTPResponse:
            started = time.perf_counter()
            sender = self._sender(request, door)
            self._known.remember(request, door, sender)
            try:
                body = await read(request, self._config.max_batch_bytes, self._config.body_timeout)
            except Refused as refusal:
                collected = door.refused(refusal)
            else:
                collected = await self._read(door, body)
            response = await self._answer(request, collected, sender)
            metrics.observe(door.path, response.status, time.perf_counter() - started)
            return response

        self._add(handle, door.path, "POST", stream=True)

    async def _read(self, door: Door, body: bytes) -> ParsedRequest:
        """The events of a body. Large ones, which take some ms, are read in turn: small requests come in between."""
        if len(body) <= LARGE:
            return door.read(body)
        collected = ParsedRequest(door.form)
        async with self._large:
            for _ in door.steps(collected, body):
                await asyncio.sleep(0)
        return collected

    def _pixel(self, path: str, fill: Fill) -> None:
        door = Door("/v1/pixel", "single", fill)

        async def handle(request: Request) -> HTTPResponse:
            started = time.perf_counter()
            if request.method == "HEAD":  # it asks for the headers alone, so nothing happened
                return answers.pixel()
            try:
                collected = door.read(pixel.read_data(request.query_string))
            except Refused as refusal:
                collected = door.refused(refusal, request.query_string.encode())
            response = await self._answer(request, collected, self._sender(request, door))
            metrics.observe(door.path, response.status, time.perf_counter() - started)
            return answers.pixel() if response.status == 200 else response

        self._add(handle, path, "GET", "HEAD")

    def _discard(self, path: str) -> None:
        """Take what SDKs measure of themselves: nothing here reads it."""

        async def handle(request: Request) -> HTTPResponse:
            with contextlib.suppress(Refused):
                await read(request, self._config.max_batch_bytes, self._config.body_timeout)
            return answers.success()

        self._add(handle, path, "POST", stream=True)

    def _sender(self, request: Request, door: Door) -> Sender:
        return read_sender(request, proxied=bool(self._config.trusted_proxies), key_in_query=door.key_in_query)

    async def _answer(self, request: Request, collected: ParsedRequest, sender: Sender) -> HTTPResponse:
        if not collected.entries:
            return answers.success()
        # A caller that is cancelled only stops waiting: what it sent goes on.
        verdicts: asyncio.Future[Verdicts] = asyncio.get_running_loop().create_future()
        doors.submit(self._coalescer(), collected, sender, request.ip, partial(_settle, verdicts))
        partly = answers.partly(self._config, sender)
        return doors.answer(collected, await verdicts, partly=partly) or answers.success()

    def _add(self, handler: Handler, path: str, *methods: str, stream: bool = False) -> None:
        name = path.strip("/").replace("/", "_")
        self._app.add_route(handler, path, methods=methods, name=name, stream=stream)
        self._app.add_route(preflight, path, methods=["OPTIONS"], name=f"{name}_preflight")


def _settle(waiting: asyncio.Future[Verdicts], verdicts: Verdicts) -> None:
    if not waiting.done():
        waiting.set_result(verdicts)


async def preflight(_: Request, **_parts: str) -> HTTPResponse:
    """The answer to a browser that asks whether it may send."""
    return HTTPResponse(b'{"Success": true}', 200, {**CORS, **PREFLIGHT}, "application/json")


def _single(kind: schema.Kind, limit: int) -> Fill:
    def fill(collected: ParsedRequest, text: bytes) -> Iterable[None]:
        collected.add(text.strip(), limit, kind)
        return ()

    return fill

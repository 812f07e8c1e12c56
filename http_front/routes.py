"""The documented routes, derived from the protos, and what a request goes through on each of them."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Coroutine
from functools import lru_cache
from typing import Any

from sanic import HTTPResponse, Request, Sanic
from sanic.router import Router
from trackside.v1 import collector_service_pb2 as proto

from event_model import jsontext, schema
from http_front import answers, batch, metrics, pixel, sender, webhook
from http_front.body import read
from http_front.coalescer import Coalescer
from http_front.collecting import Collected
from http_front.compatibility import knows_multi_status
from http_front.config import FrontConfig
from http_front.cors import CORS, PREFLIGHT
from http_front.credentials import put_write_key
from http_front.refusals import Refused

Handler = Callable[[Request], Coroutine[Any, Any, HTTPResponse]]
Fill = Callable[[Collected, str], None]
"""Reads a body's text into what was collected. Raises Refused, and jsontext's errors."""

_SLASHES = re.compile(r"//+")


class SlashRouter(Router):
    """Takes trailing and doubled slashes as the route without them: SDKs append their path to any host setting."""

    @lru_cache(maxsize=1024)  # noqa: B019 - there is one router a process
    def get(self, path: str, method: str, host: str | None) -> Any:
        return self._get(_SLASHES.sub("/", path).rstrip("/") or "/", method, host)


class Routes:
    """Adds the collecting routes to an app."""

    def __init__(self, app: Sanic[Any, Any], config: FrontConfig, coalescer: Callable[[], Coalescer]) -> None:
        self._app = app
        self._config = config
        self._coalescer = coalescer
        event_limit = config.max_event_bytes
        for kind in schema.KINDS.values():
            for path in filter(None, (kind.routes.long, kind.routes.short)):
                self._post(f"/v1/{path}", "single", _single(kind, event_limit))
            if kind.routes.pixel:
                self._get(f"/v1/pixel/{kind.routes.pixel}", self._pixel(_single(kind, event_limit)))
        for path in ("v1/batch", "v1/import", "v1/b"):
            self._post(f"/{path}", "batch", lambda collected, text: batch.read_body(collected, text, event_limit))
        # RudderStack's, for a page that is being left: a beacon has no headers of its own.
        self._post(
            "/beacon/v1/batch",
            "batch",
            lambda collected, text: batch.read_body(collected, text, event_limit),
            key_in_query=True,
        )
        self._discard("/v1/m")
        for path in ("webhook", "w"):
            self._post(
                f"/v1/{path}",
                "single",
                lambda collected, text: webhook.read_webhook(collected, text, event_limit),
                key_in_query=True,
            )

    def _post(self, path: str, form: answers.Form, fill: Fill, *, key_in_query: bool = False) -> None:
        async def handle(request: Request) -> HTTPResponse:
            started = time.perf_counter()
            collected = Collected(form)
            try:
                text = await read(request, self._config.max_batch_bytes, self._config.body_timeout)
            except Refused as refusal:
                collected.refuse(refusal)
            else:
                _fill(collected, text, fill)
            response = await self._answer(request, collected, key_in_query)
            metrics.observe(path, response.status, time.perf_counter() - started)
            return response

        self._add(handle, path, "POST", stream=True)

    def _pixel(self, fill: Fill) -> Handler:
        async def handle(request: Request) -> HTTPResponse:
            started = time.perf_counter()
            if request.method == "HEAD":  # it asks for the headers alone, so nothing happened
                return answers.pixel()
            collected = Collected("single")
            try:
                text = pixel.read_data(request.query_string)
            except Refused as refusal:
                collected.refuse(refusal, request.query_string)
            else:
                _fill(collected, text, fill)
            response = await self._answer(request, collected, key_in_query=False)
            metrics.observe("/v1/pixel", response.status, time.perf_counter() - started)
            return answers.pixel() if response.status == 200 else response

        return handle

    def _discard(self, path: str) -> None:
        """Take what SDKs measure of themselves: nothing here reads it."""

        async def handle(request: Request) -> HTTPResponse:
            with contextlib.suppress(Refused):
                await read(request, self._config.max_batch_bytes, self._config.body_timeout)
            return answers.success()

        self._add(handle, path, "POST", stream=True)

    async def _answer(self, request: Request, collected: Collected, key_in_query: bool) -> HTTPResponse:
        delivery = collected.delivery
        put_write_key(delivery, request, from_query=key_in_query)
        delivery.ip = sender.address(request, proxied=bool(self._config.trusted_proxies))
        delivery.user_agent = sender.user_agent(request)
        if not collected.entries:
            return answers.success()
        verdicts = await self._coalescer().submit(collected.entries, delivery)
        if verdicts.retry:
            return answers.retry(verdicts.retry, verdicts.delay, collected.form)
        if verdicts.refusals:
            partly = 207 if not self._config.stand_in_for_207 or knows_multi_status(request) else 200
            return answers.refused(verdicts.refusals, collected.message_ids(), collected.form, partly=partly)
        return answers.success()

    def _get(self, path: str, handler: Handler) -> None:
        self._add(handler, path, "GET", "HEAD")

    def _add(self, handler: Handler, path: str, *methods: str, stream: bool = False) -> None:
        name = path.strip("/").replace("/", "_")
        self._app.add_route(handler, path, methods=methods, name=name, stream=stream)
        self._app.add_route(preflight, path, methods=["OPTIONS"], name=f"{name}_preflight")


async def preflight(_: Request) -> HTTPResponse:
    """The answer to a browser that asks whether it may send."""
    return HTTPResponse(b'{"Success": true}', 200, {**CORS, **PREFLIGHT}, "application/json")


def _single(kind: schema.Kind, limit: int) -> Fill:
    return lambda collected, text: collected.add(text.strip(), limit, kind)


def _fill(collected: Collected, text: str, fill: Fill) -> None:
    """Read the text; where it is not JSON, once more after mending what JavaScript and Python write in its place."""
    try:
        try:
            fill(collected, text)
        except jsontext.Malformed:
            collected.entries.clear()
            fill(collected, jsontext.mend(text))
    except jsontext.Malformed as error:
        collected.refuse(Refused(proto.REASON_MALFORMED_JSON, "", str(error)), text)
    except jsontext.TooDeep:
        collected.refuse(Refused(proto.REASON_NESTED_TOO_DEEP), text)
    except Refused as refusal:
        collected.refuse(refusal, text)

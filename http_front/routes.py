"""The documented routes, derived from the protos."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Coroutine, Iterable
from functools import lru_cache, partial
from importlib.metadata import version
from typing import Any

import msgspec
from sanic import HTTPResponse, Request, Sanic
from sanic.constants import HTTP_METHODS
from sanic.exceptions import MethodNotAllowed
from sanic.router import Router
from trackside.v1 import collector_service_pb2 as proto

from event_model import schema
from http1.app_request import AppRequest
from http_front import api_description, batch, openapi, responses, sdk_settings, webhook
from http_front.api_description import described
from http_front.config import FrontConfig
from http_front.cors import preflight_headers
from http_front.custom_event import NAMES, decode_custom_event
from http_front.endpoints import Endpoint, Fill
from http_front.flat_pixel import read_parameters
from http_front.parsed_request import ParsedRequest
from http_front.pixel import read_data

Handler = Callable[..., Coroutine[Any, Any, HTTPResponse]]

_PRODUCT = msgspec.json.encode(
    {
        "product": "trackside",
        "version": version("trackside"),
        "documentation": "https://github.com/trackside/trackside",
    }
)
_PATH_CHARACTERS = 256  # of a path whose route is remembered
_SLASHES = re.compile(r"//+")


class SlashRouter(Router):
    """Takes trailing and doubled slashes as the route without them: SDKs append their path to any host setting."""

    def get(self, path: str, method: str, host: str | None) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]  # noqa: ARG002
        """The route, its handler and its parameters. Raises NotFound and MethodNotAllowed."""
        return self.find(path, method) if len(path) <= _PATH_CHARACTERS else self.find.__wrapped__(self, path, method)

    @lru_cache(maxsize=1024)  # noqa: B019 - there is one router a process
    def find(self, path: str, method: str) -> Any:
        """As `get`. No route depends on the host, which senders could vary without end."""
        path = _SLASHES.sub("/", path).rstrip("/") or "/"
        try:
            return self._get(path, method, None)
        except MethodNotAllowed as error:
            if error.allowed_methods:
                raise
            # sanic-routing forgets the methods where a part of the path is variable. RFC 9110 requires them.
            allowed = [each for each in HTTP_METHODS if self._allows(path, each)]
            raise MethodNotAllowed(str(error), method, allowed) from None

    def _allows(self, path: str, method: str) -> bool:
        with contextlib.suppress(MethodNotAllowed):
            self._get(path, method, None)
            return True
        return False


def add_routes(app: Sanic[Any, Any], config: FrontConfig) -> None:
    """Add every route to the app. The handler of a route that collects events is its Endpoint."""
    limit = config.max_event_bytes
    for kind in schema.KINDS.values():
        about = api_description.single(kind)
        for name in filter(None, (kind.routes.long, kind.routes.short, kind.routes.other)):
            _collect(app, Endpoint(f"/v1/{name}", "single", _single(kind, limit), description=about))
        if kind.routes.pixel:
            about = api_description.pixel(kind)
            pixel = Endpoint("/v1/pixel", "image", _single(kind, limit), text_in_query=read_data, description=about)
            _collect_pixel(app, pixel, kind.routes.pixel)
        if kind.routes.flat_pixel:
            pixel = Endpoint(
                "/pixel/v1",
                "image",
                _single(kind, limit),
                key_in_query=True,
                text_in_query=read_parameters,
                description=api_description.flat_pixel(kind),
            )
            _collect_pixel(app, pixel, kind.routes.flat_pixel)
        if path := kind.routes.free_form:
            about = api_description.custom(kind)
            _collect(app, Endpoint(f"/v1/{path}", "single", _custom(kind, limit), names=NAMES, description=about))
    read_batch = partial(batch.read_body, event_limit=limit)
    read_webhook = partial(webhook.read_webhook, event_limit=limit)
    for path in ("/v1/batch", "/v1/import", "/v1/b"):
        _collect(app, Endpoint(path, "batch", read_batch, description=api_description.BATCH))
    # RudderStack's, for a page that is being left: a beacon has no headers of its own.
    beacon = Endpoint("/beacon/v1/batch", "batch", read_batch, key_in_query=True, description=api_description.BEACON)
    _collect(app, beacon)
    for path in ("/v1/webhook", "/v1/w"):
        about = api_description.WEBHOOK
        webhooks = Endpoint(path, "single", read_webhook, key_in_query=True, reads_form=True, description=about)
        _collect(app, webhooks)
        _add(app, _check, path, "GET", "HEAD")
    _answer(app, _discard, "/v1/m", "POST")
    for path in ("/", "/version"):
        _answer(app, _product, path, "GET", "HEAD")
    _answer(app, _robots, "/robots.txt", "GET", "HEAD")
    _answer(app, _health, "/health", "GET", "HEAD")
    _answer(app, openapi.openapi_json, "/openapi.json", "GET", "HEAD")
    _answer(app, sdk_settings.segment_settings, "/v1/projects/<key:str>/settings", "GET", "HEAD")
    _answer(app, sdk_settings.customerio_settings, "/customerio/v1/projects/<key:str>/settings", "GET", "HEAD")
    _answer(app, sdk_settings.rudder_source_config, "/sourceConfig", "GET", "HEAD")
    app.ctx.openapi = openapi.encoded(app)


def _collect(app: Sanic[Any, Any], endpoint: Endpoint, path: str = "", method: str = "POST") -> None:
    path = path or endpoint.path
    handler: Any = endpoint
    app.router.add(path, [method], handler, name=_name(path, method))
    _add(app, _preflight, path, "OPTIONS")


def _collect_pixel(app: Sanic[Any, Any], endpoint: Endpoint, name: str) -> None:
    path = f"{endpoint.path}/{name}"
    _collect(app, endpoint, path, "GET")
    _add(app, _pixel_head, path, "HEAD")


def _add(app: Sanic[Any, Any], handler: Handler, path: str, *methods: str) -> None:
    """A route beside others of its path, which has its preflight."""
    app.add_route(handler, path, methods=methods, name=_name(path, methods[0]))


def _answer(app: Sanic[Any, Any], handler: Handler, path: str, *methods: str) -> None:
    _add(app, handler, path, *methods)
    _add(app, _preflight, path, "OPTIONS")


def _name(path: str, method: str) -> str:
    return f"{method.lower()}_{re.sub(r'[^a-zA-Z0-9]+', '_', path).strip('_')}"


def _single(kind: schema.Kind, limit: int) -> Fill:
    def fill(request: ParsedRequest, text: bytes) -> Iterable[None]:
        request.add(text.strip(), limit, kind)
        return ()

    return fill


def _custom(kind: schema.Kind, limit: int) -> Fill:
    def fill(request: ParsedRequest, text: bytes) -> Iterable[None]:
        request.add(text.strip(), limit, kind, partial(decode_custom_event, head=request.head))
        return ()

    return fill


@described(api_description.PIXEL_HEAD)
async def _pixel_head(_: Request) -> HTTPResponse:
    """HEAD asks for the headers alone, so no event is collected."""
    return responses.pixel()


@described(api_description.CHECK)
async def _check(_: Request) -> HTTPResponse:
    """Some senders verify a webhook's address before they send events to it."""
    return responses.success()


@described(api_description.DISCARD)
async def _discard(_: Request) -> HTTPResponse:
    """SDKs send measurements of themselves: nothing here reads them."""
    return responses.success()


@described(api_description.PREFLIGHT)
async def _preflight(request: AppRequest, **_parts: str) -> HTTPResponse:
    """The answer to a browser that asks whether it may send."""
    return HTTPResponse(b'{"Success": true}', 200, preflight_headers(request.request_head), "application/json")


@described(api_description.PRODUCT)
async def _product(_: Request) -> HTTPResponse:
    return responses.json_answer(200, _PRODUCT)


@described(api_description.ROBOTS)
async def _robots(_: Request) -> HTTPResponse:
    """Nothing here is to be indexed. The one answer that is no JSON, as crawlers read plain text (RFC 9309)."""
    return HTTPResponse(b"User-agent: *\nDisallow: /\n", 200, None, "text/plain; charset=utf-8")


@described(api_description.HEALTH)
async def _health(request: Request) -> HTTPResponse:
    """200 while the front can take events."""
    if await request.app.ctx.services.serving():
        return responses.success()
    return responses.retry(proto.RETRY_REASON_QUEUE_UNAVAILABLE, 1, "single")

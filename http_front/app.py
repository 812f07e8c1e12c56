"""The Sanic application: its routes, its errors, and the connection to the service while it runs."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from sanic import HTTPResponse, Request, Sanic
from sanic.exceptions import RequestCancelled, SanicException
from sanic.handlers import ErrorHandler
from sanic.http import Http
from trackside.v1 import collector_service_pb2 as proto

from http_front import answers, discovery
from http_front.coalescer import LARGE, Coalescer
from http_front.config import FrontConfig
from http_front.head import StrictRequest
from http_front.known_heads import KnownHeads
from http_front.routes import Routes, SlashRouter, preflight
from http_front.services import Services

log = logging.getLogger(__name__)

_HEAD_BYTES = 49_152  # a pixel of 15 KB is 20 KB of base64, and up to three times that percent-encoded


class Errors(ErrorHandler):
    """Answers what HTTP itself refuses, and what must not happen, in the specification's form."""

    def default(self, request: Request, exception: Exception) -> HTTPResponse:
        if isinstance(exception, RequestCancelled):  # nobody reads this answer
            return answers.failure(499, "Client Closed Request", "The request was cancelled", {})
        if isinstance(exception, SanicException):
            status = HTTPStatus(exception.status_code)
            headers = {name: str(value) for name, value in (exception.headers or {}).items()}
            if status is HTTPStatus.SERVICE_UNAVAILABLE:
                headers["Retry-After"] = "1"
            # Sanic's own sentence has the path without its slashes.
            message = f"There is no route {request.path[:200]}" if status is HTTPStatus.NOT_FOUND else str(exception)
            return answers.failure(status, status.phrase, message, headers)
        log.error("%s %s failed", request.method, request.path, exc_info=exception)
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return answers.failure(status, status.phrase, "The request could not be handled", {})


def build(config: FrontConfig, name: str = "trackside") -> Sanic[Any, Any]:
    """The application; it connects to the services at `config.service` when it starts."""
    Http.HEADER_CEILING = _HEAD_BYTES  # pyright: ignore - a constant to its types, a documented way to raise it
    app: Sanic[Any, Any] = Sanic(
        name, router=SlashRouter(), error_handler=Errors(), request_class=StrictRequest, configure_logging=False
    )
    app.config.update(
        {
            "AUTO_EXTEND": False,
            "PROXIES_COUNT": config.trusted_proxies or None,
            "GRACEFUL_SHUTDOWN_TIMEOUT": config.drain_timeout,
            "REQUEST_MAX_HEADER_SIZE": _HEAD_BYTES,
            "REQUEST_MAX_SIZE": config.max_batch_bytes * 32,
            "REQUEST_TIMEOUT": config.body_timeout,
            "RESPONSE_TIMEOUT": config.body_timeout + config.service_timeout * 2,
        }
    )

    @app.before_server_start
    async def connect(app: Sanic[Any, Any]) -> None:
        app.ctx.services = Services(config)
        app.ctx.coalescer = Coalescer(app.ctx.services, pending_bytes=config.front_pending_bytes)

    @app.after_server_stop
    async def disconnect(app: Sanic[Any, Any]) -> None:
        await app.ctx.coalescer.close()
        await app.ctx.services.close()

    async def health(_: Request) -> HTTPResponse:
        """Whether the front can take events."""
        if await app.ctx.services.serving():
            return answers.success()
        return answers.retry(proto.RETRY_REASON_QUEUE_UNAVAILABLE, 1, "single")

    app.add_route(health, "/health", methods=["GET", "HEAD"], name="health")
    app.add_route(preflight, "/health", methods=["OPTIONS"], name="health_preflight")
    discovery.add_routes(app)
    app.ctx.config = config
    app.ctx.known = KnownHeads(min(config.max_batch_bytes, LARGE))
    Routes(app, config, app.ctx.known, lambda: app.ctx.coalescer)
    return app

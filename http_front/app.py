"""The Sanic application: its routes, its errors, and the connection to the service while it runs."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import Any

from sanic import HTTPResponse, Request, Sanic
from sanic.exceptions import SanicException
from sanic.handlers import ErrorHandler

from http_front import responses
from http_front.coalescer import Coalescer
from http_front.config import FrontConfig
from http_front.proxies import Proxies
from http_front.routes import SlashRouter, add_routes
from http_front.service_pool import Services

log = logging.getLogger(__name__)


class Errors(ErrorHandler):
    """Answers what HTTP itself refuses, and what must not happen, in the specification's form."""

    def default(self, request: Request, exception: Exception) -> HTTPResponse:
        if isinstance(exception, SanicException):
            return responses.http_error(exception, request.path)
        log.error("%s %s failed", request.method, request.path, exc_info=exception)
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return responses.failure(status, status.phrase, "The request could not be handled")


def build(config: FrontConfig, name: str = "trackside") -> Sanic[Any, Any]:
    """The application; it connects to the services at `config.service` when it starts."""
    app: Sanic[Any, Any] = Sanic(name, router=SlashRouter(), error_handler=Errors(), configure_logging=False)
    app.config.update(
        {
            "AUTO_EXTEND": False,
            "GRACEFUL_SHUTDOWN_TIMEOUT": config.drain_timeout,
            "KEEP_ALIVE_TIMEOUT": config.keep_alive_timeout,
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

    app.ctx.config = config
    app.ctx.proxies = Proxies(config.trusted_proxies, config.client_address_header)
    app.ctx.large_body = asyncio.Lock()
    add_routes(app, config)
    return app

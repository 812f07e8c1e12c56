"""The admin port: health, readiness and metrics."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from socketserver import ThreadingMixIn
from typing import Any, cast
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from prometheus_client import (
    CollectorRegistry,
    make_wsgi_app,  # pyright: ignore[reportUnknownVariableType]
)

log = logging.getLogger(__name__)


class Admin:
    """Answers /healthz while this process lives, /readyz and /metrics, in threads of its own."""

    def __init__(
        self, listener: socket.socket, complaint: Callable[[], str | None], registry: CollectorRegistry
    ) -> None:
        """`complaint` says why events cannot be taken, or None."""
        self._complaint = complaint
        self._metrics = cast("WSGIApplication", make_wsgi_app(registry))
        self._server = _Server(listener)
        self._server.set_app(self._answer)
        threading.Thread(target=self._server.serve_forever, name="admin", daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        allowed = environ["REQUEST_METHOD"] in ("GET", "HEAD")
        match environ["PATH_INFO"]:
            case "/healthz" | "/readyz" | "/metrics" if not allowed:
                status, body = HTTPStatus.METHOD_NOT_ALLOWED, {"error": "Only GET and HEAD are allowed here."}
            case "/healthz":
                status, body = HTTPStatus.OK, {"status": "alive"}
            case "/readyz":
                reason = self._complaint()
                status = HTTPStatus.SERVICE_UNAVAILABLE if reason else HTTPStatus.OK
                body = {"status": "not ready", "reason": reason} if reason else {"status": "ready"}
            case "/metrics":
                # The library refuses HEAD.
                content = self._metrics({**environ, "REQUEST_METHOD": "GET"}, start_response)
                return [] if environ["REQUEST_METHOD"] == "HEAD" else content
            case _:
                status = HTTPStatus.NOT_FOUND
                body = {"error": "There is /healthz, /readyz and /metrics here."}
        return _json(environ, start_response, status, body)


def _json(
    environ: WSGIEnvironment, start_response: StartResponse, status: HTTPStatus, body: dict[str, str]
) -> Iterable[bytes]:
    content = json.dumps(body).encode() + b"\n"
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(("Allow", "GET, HEAD"))
    start_response(f"{status.value} {status.phrase}", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]


class _Handler(WSGIRequestHandler):
    timeout = 10  # seconds, for a client that sends nothing

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        log.debug(format, *args)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, listener: socket.socket) -> None:
        # Not its own bind: that asks the DNS for this machine's name, which can take seconds.
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_name, self.server_port = listener.getsockname()[:2]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the library's arguments
        log.warning("a request to the admin port failed", exc_info=True)

"""The front's process."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import sys
from typing import Any

from sanic import Sanic

from event_model.certificates import InvalidCertificates
from http_front.app import build
from http_front.config import FrontConfig
from http_front.exchange import CONNECTION
from http_front.service_pool import certificates

_BACKLOG = 4_096
"""How many connections may wait to be accepted; one more is tried again by its sender after a second. With
1,024 connections and Sanic's 100, p99 was 1.4 s."""


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s front: %(message)s")
    logging.getLogger("sanic").setLevel(logging.WARNING)
    config = FrontConfig()
    try:
        certificates(config)
        listener = _listener(config)
    except InvalidCertificates as error:
        print(error, file=sys.stderr)  # noqa: T201 - a sentence for the operator
        return os.EX_CONFIG
    except OSError as error:
        address = f"{config.host}:{config.http_port}"
        print(f"The HTTP API cannot listen on {address}: {error.strerror}.", file=sys.stderr)  # noqa: T201
        return os.EX_CONFIG
    app = build(config)

    @app.after_server_start
    async def settle(_: Sanic[Any, Any]) -> None:  # pyright: ignore[reportUnusedFunction]
        gc.freeze()  # what is there stays, and a full collection would go through it for 21 ms

    if parent := os.environ.get("TRACKSIDE_PARENT_FD"):  # it ends when the supervisor does, however that ends

        @app.after_server_start
        async def follow_parent(app: Sanic[Any, Any]) -> None:  # pyright: ignore[reportUnusedFunction]
            loop = asyncio.get_running_loop()

            def gone() -> None:
                # Once: a pipe at its end stays readable, and a second stop would cut the drain short.
                loop.remove_reader(int(parent))
                app.stop()

            loop.add_reader(int(parent), gone)

    app.run(protocol=CONNECTION, sock=listener, backlog=_BACKLOG, single_process=True, motd=False, access_log=False)
    return 0


def _listener(config: FrontConfig) -> socket.socket:
    """The socket that the supervisor bound for all fronts, or one of our own."""
    if number := os.environ.get("TRACKSIDE_HTTP_FD"):
        return socket.socket(fileno=int(number))
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    return socket.create_server((config.host, config.http_port), family=family, backlog=_BACKLOG)


if __name__ == "__main__":
    sys.exit(main())

"""`trackside serve`: checks what can be checked and binds the ports before anything is started."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Literal

from cli.ports import free, listen
from cli.settings import InvalidSettings, Settings
from cli.supervisor import Supervisor
from service.sources import OPEN, InvalidSources, Sources, load

Part = Literal["front", "service"]

_SOCKET_PATH = 103  # bytes that the path of a Unix socket may have, on the narrowest system


def serve(settings: Settings, only: Part | None) -> int:
    """Run until SIGTERM or SIGINT; `only` runs one part of the collector. Returns the exit code.

    Raises InvalidSettings and PortUnavailable, before anything is started.
    """
    if only == "front" and not settings.service.strip(" ,"):
        raise InvalidSettings("--only front needs the setting `service`: the gRPC target of the service that it calls.")
    if only is None and settings.service:
        raise InvalidSettings("The setting `service` names a service that runs elsewhere: it goes with --only front.")
    sources = None if only == "front" else _sources(settings)
    admin = listen(settings.admin_host, settings.admin_port, "admin_port")
    http = None if only == "service" else listen(settings.host, settings.http_port, "http_port")
    ports = {"admin_port": admin.getsockname()[1]}
    if http:
        ports["http_port"] = http.getsockname()[1]
    if sources:
        ports["grpc_port"] = free(settings.host, settings.grpc_port, "grpc_port")
    # Only this user may enter the directory.
    with tempfile.TemporaryDirectory(prefix="trackside-") as directory:
        runtime = Path(directory)
        grpc_socket = settings.grpc_socket or runtime / "service.sock"
        if sources and len(os.fsencode(grpc_socket)) > _SOCKET_PATH:
            hint = "Choose another with TMPDIR or --grpc-socket."
            raise InvalidSettings(f"The path {grpc_socket} is too long for a socket. {hint}")
        settings = settings.model_copy(update={**ports, "grpc_socket": grpc_socket})
        return asyncio.run(Supervisor(settings, sources, runtime, admin, http).run())


def _sources(settings: Settings) -> Sources:
    """The service's sources, once it is clear that it can start."""
    directory = settings.data_dir
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise InvalidSettings(f"The data directory {directory} cannot be written: {error.strerror}.") from None
    try:
        return load(settings.sources) if settings.sources else OPEN
    except InvalidSources as error:
        raise InvalidSettings(str(error)) from None

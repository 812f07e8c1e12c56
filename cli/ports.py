"""Ports, bound before anything is started, so that one that is taken is said first."""

from __future__ import annotations

import errno
import os
import socket


class PortUnavailable(Exception):
    """A port cannot be listened on. The message is a sentence for the operator."""


def listen(host: str, port: int, setting: str) -> socket.socket:
    """Listen on a TCP port; 0 takes a free one. `setting` is the port's setting, for the sentence that says that it is
    taken. Raises PortUnavailable."""
    flag = f"--{setting.replace('_', '-')}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise PortUnavailable(f"{host!r} is not an address to listen on: {error.strerror}.") from None
    listener = socket.socket(family, kind, protocol)
    try:
        # Connections of a server that has just stopped linger; they are not in the way.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        hint = f" Choose another with {flag}." if error.errno in (errno.EADDRINUSE, errno.EACCES) else ""
        why = os.strerror(error.errno or 0).lower()
        raise PortUnavailable(f"Cannot listen on {at(host, port)}: {why}.{hint}") from None
    listener.setblocking(False)
    return listener


def free(host: str, port: int, setting: str) -> int:
    """Check that another process will be able to listen on a port; 0 chooses one. Raises PortUnavailable."""
    with listen(host, port, setting) as listener:
        return listener.getsockname()[1]


def at(host: str, port: int) -> str:
    """`host:port`, as URLs and gRPC write it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reachable(host: str) -> str:
    """The address at which a client on this machine reaches what listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104

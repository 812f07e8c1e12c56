"""A name server for tests: every name that it is asked for has the addresses that it was given."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Generator
from contextlib import contextmanager
from socketserver import BaseRequestHandler, ThreadingUDPServer

_IPV4 = b"\0\1\0\1"  # type A, class IN
_FOUND = b"\xc0\x0c" + _IPV4 + struct.pack(">IH", 60, 4)  # of the name in the question; for a minute


@contextmanager
def name_server(*addresses: str) -> Generator[str]:
    """Where it listens, while the context lasts."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            message, connection = self.request
            end = message.index(b"\0", 12) + 5
            found = addresses if message[end - 4 : end] == _IPV4 else ()
            header = message[:2] + b"\x84\0" + struct.pack(">HHHH", 1, len(found), 0, 0)
            answers = b"".join([_FOUND + socket.inet_aton(address) for address in found])
            connection.sendto(header + message[12:end] + answers, self.client_address)

    with ThreadingUDPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()

"""TLS in front of a test's server: certificates made for it, and a door that decrypts and passes the bytes on."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import threading
from pathlib import Path

NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"


def make_certificates(directory: Path) -> dict[str, str]:
    """An authority, and a server's and a client's certificate by it: the paths of `ca`, and of each one's PEM files."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, stderr=subprocess.DEVNULL)

    new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(*new, "-x509", "-days", "2", "-subj", "/CN=Test authority", "-keyout", "ca.key", "-out", "ca.pem")
    for name in ("server", "client"):
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", NAMES, "-addext", "basicConstraints=CA:FALSE")
        own = ("-days", "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
        openssl(*new, "-x509", *signed, *own)
    files = {
        "ca": "ca.pem",
        "cert": "client.pem",
        "key": "client.key",
        "server_cert": "server.pem",
        "server_key": "server.key",
    }
    return {name: str(directory / file) for name, file in files.items()}


class Door:
    """Listens with TLS on a free port and passes what it reads to `port`, in a thread of its own."""

    def __init__(self, port: int, certificates: dict[str, str], ask_for_client: bool) -> None:
        self._upstream = port
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificates["server_cert"], certificates["server_key"])
        context.set_alpn_protocols(["h2"])
        if ask_for_client:
            context.load_verify_locations(certificates["ca"])
            context.verify_mode = ssl.CERT_REQUIRED
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._pass, sock=self._socket, ssl=self._context)
        await server.serve_forever()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, upstream_writer), _copy(upstream_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()

"""A bare server: it reads a POST, looks at its length alone, and answers. What it costs is the kernel and the loop."""

from __future__ import annotations

import asyncio
import re
import sys
from typing import cast

import uvloop

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Bare(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._left = 0
        self._chunked = False

    def data_received(self, data: bytes) -> None:
        if not self._left:
            head, _, data = data.partition(b"\r\n\r\n")
            found = _LENGTH.search(head)
            self._left = int(found[1]) if found else 0
            self._chunked = b"chunked" in head
        self._left -= 0 if self._chunked else len(data)
        if data.endswith(b"\r\n0\r\n\r\n") if self._chunked else not self._left:
            self._transport.write(ANSWER)


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))

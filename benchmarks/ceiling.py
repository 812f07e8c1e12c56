"""The ceiling: a Sanic server of one process that answers an empty POST and does nothing else."""

from __future__ import annotations

import sys
from typing import Any

from sanic import HTTPResponse, Request, Sanic

app: Sanic[Any, Any] = Sanic("ceiling", configure_logging=False)


@app.post("/")
async def nothing(_: Request) -> HTTPResponse:
    return HTTPResponse(b"{}", content_type="application/json")


if __name__ == "__main__":
    app.run(port=int(sys.argv[1]), single_process=True, motd=False, access_log=False)

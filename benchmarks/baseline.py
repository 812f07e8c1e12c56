"""The plain way: FastAPI, and a SQLite transaction with an fsync for each request."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import uvicorn
from fastapi import FastAPI, Request

app = FastAPI()
writer = ThreadPoolExecutor(1)
connection = sqlite3.connect(sys.argv[2], check_same_thread=False, isolation_level=None)
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("PRAGMA synchronous=FULL")
connection.execute("CREATE TABLE IF NOT EXISTS events (message_id TEXT PRIMARY KEY, event TEXT)")


def store(events: list[dict[str, Any]]) -> None:
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT OR IGNORE INTO events VALUES (?, ?)", [(event["messageId"], json.dumps(event)) for event in events]
    )
    connection.execute("COMMIT")


@app.post("/{path:path}")
async def collect(request: Request) -> dict[str, bool]:
    body: dict[str, Any] = json.loads(await request.body())
    await asyncio.get_running_loop().run_in_executor(writer, store, body.get("batch") or [body])
    return {"Success": True}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)

"""kill -9 in the middle of the load: what a put had returned for is there, once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .backend import Backend, records

ROUNDS = 5


def killed_in_mid_load(backend: Backend, name: str, lines: int, callers: int = 8) -> set[str]:
    """The messageIds that a process was told are durable before it was killed."""
    script = Path(__file__).with_name("killed_writer.py")
    with subprocess.Popen(
        [sys.executable, script, backend.url, name, str(callers)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        durable = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        durable += process.stdout.readlines()
    # A line that the kill has cut off says nothing.
    return {each for line in durable if line.endswith("\n") for each in line.split()}


@pytest.mark.parametrize("callers", [1, 8])
@pytest.mark.parametrize("lines", [1, 40, 200])
async def test_what_was_answered_is_there_once_after_kill_9(backend: Backend, lines: int, callers: int) -> None:
    durable: set[str] = set()
    for number in range(ROUNDS):
        durable |= killed_in_mid_load(backend, f"{lines}-{number}", lines, callers)
        found = [json.loads(value)["messageId"] for value in await backend.values()]
        assert len(found) == len(set(found))
        assert durable <= set(found)


async def test_duplicates_are_known_after_kill_9(backend: Backend) -> None:
    killed_in_mid_load(backend, "killed", 40)
    found = [json.loads(value)["messageId"] for value in await backend.values()]
    backend.clock.now = time.time()
    queue = backend.open(duplicate_window=3600)
    assert list(await queue.put(records(*found, "new"))) == list(range(len(found)))
    await queue.close()

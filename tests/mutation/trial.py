"""Runs tests in a process of their own, which is gone afterwards with all that it started."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import select
import signal
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

# The tests' process is a fork of this one: what is imported here, and is never mutated, need not be imported again.
for name in (
    "anyio.pytest_plugin",
    "brotli",
    "grpc_health.v1.health_pb2_grpc",
    "grpc_reflection.v1alpha.reflection",
    "grpc_status.rpc_status",
    "httpx",
    "hypothesis",
    "prometheus_client",
    "protovalidate",
    "pydantic_settings",
    "pytest_asyncio.plugin",
    "rich.console",
    "sanic",
    "trackside.v1.collector_service_pb2_grpc",
    "xdist.plugin",
):
    import_module(name)

_MEMORY, _FILE = 8 << 30, 2 << 30
"""Bytes: a mutant may never end taking them."""
OUT_OF_TIME = "the time that it took"
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


class Trial(NamedTuple):
    killed_by: str
    """The test that failed, or what else went wrong; empty where all is well."""
    seconds: float


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that `tried` can end it."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def tried(tests: Sequence[str], limit: float, output: Path) -> Trial:
    """Run tests until one fails, or for so many seconds. What they print goes to the file `output`."""
    began = time.monotonic()
    process = os.fork() or _run(tests, output)
    watched = os.pidfd_open(process)
    try:
        in_time, _, _ = select.select([watched], [], [], limit)
        status = os.waitpid(process, 0)[1] if in_time else 0
    finally:
        os.close(watched)
        _end_children()
    seconds = round(time.monotonic() - began, 2)
    if not in_time:
        return Trial(OUT_OF_TIME, seconds)
    if not status:
        return Trial("", seconds)
    told = output.read_text(errors="replace")
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", told, re.MULTILINE)
    killed_by = failed[1] if failed else f"status {status}"
    return Trial(f"{OUT_OF_TIME}: {killed_by}" if "from pytest-timeout" in told else killed_by, seconds)


def _run(tests: Sequence[str], output: Path) -> int:
    """Run tests in this process, and end it."""
    status = 1
    try:
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        sys.dont_write_bytecode = True
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE, _FILE))
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        hung = ["--timeout=20", "--timeout-method=signal", "-o", "faulthandler_timeout=0"]
        # To rewrite assertions takes longer than most tests, and what is written of them is not looked at.
        quick = ["-x", "-n0", "-p", "no:cacheprovider", "--tb=line", "--assert=plain"]
        status = pytest.main([*quick, *hung, *tests])
        sys.stdout.flush()
    finally:
        os._exit(status)


def _end_children() -> None:
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while found := children.read_text().split():
        for child in map(int, found):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

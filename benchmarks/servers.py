"""The servers that are measured, each started on a free port of this machine and stopped again."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from service.queues import open_reader

HERE = Path(__file__).parent
_START = 30.0  # seconds


class Server(NamedTuple):
    """A server that runs."""

    port: int
    processes: dict[str, int]
    """Their ids, by name."""
    stored: Callable[[], int]
    """How many events it holds."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def trackside(*flags: str) -> Generator[Server]:
    """A default `trackside serve`."""
    with tempfile.TemporaryDirectory() as folder:
        port, admin, grpc = free_port(), free_port(), free_port()
        ports = ["--http-port", str(port), "--admin-port", str(admin), "--grpc-port", str(grpc)]
        command = [str(Path(sys.executable).parent / "trackside"), "serve", *ports, "--data-dir", folder, *flags]
        with _running(command, f"http://127.0.0.1:{port}/health") as pid:
            yield Server(port, {**_children(pid), "supervisor": pid}, lambda: len(records(folder)))


@contextmanager
def service(folder: str) -> Generator[Server]:
    """The service alone, with its queue in `folder`. The port is gRPC's."""
    port, admin = free_port(), free_port()
    ports = ["--admin-port", str(admin), "--grpc-port", str(port)]
    command = [str(Path(sys.executable).parent / "trackside"), "serve", "--only", "service", "--data-dir", folder]
    with _running([*command, *ports], f"http://127.0.0.1:{admin}/readyz") as pid:
        yield Server(port, _children(pid), lambda: len(records(folder)))


def ceiling() -> AbstractContextManager[Server]:
    """Sanic, doing nothing."""
    return _storing_nothing("ceiling")


def bare() -> AbstractContextManager[Server]:
    """A server that only reads and answers."""
    return _storing_nothing("bare")


@contextmanager
def _storing_nothing(name: str) -> Generator[Server]:
    port = free_port()
    with _running([sys.executable, str(HERE / f"{name}.py"), str(port)], f"http://127.0.0.1:{port}/") as pid:
        yield Server(port, {name: pid}, lambda: 0)


@contextmanager
def baseline() -> Generator[Server]:
    """FastAPI and a SQLite transaction a request."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        database = f"{folder}/events.db"
        command = [sys.executable, str(HERE / "baseline.py"), str(port), database]
        with _running(command, f"http://127.0.0.1:{port}/") as pid:
            yield Server(port, {"fastapi": pid}, lambda: _rows(database))


@contextmanager
def _running(command: list[str], url: str) -> Generator[int]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _START
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"did not start: {command}")
            time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except urllib.error.HTTPError as error:
        return error.code in (404, 405)
    except OSError:
        return False


def _children(pid: int) -> dict[str, int]:
    """The processes of a supervisor, by their module's name."""
    names: dict[str, int] = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        arguments = Path(f"/proc/{child}/cmdline").read_text().split("\0")
        names[arguments[arguments.index("-m") + 1]] = int(child)
    return names


def records(folder: str) -> list[bytes]:
    """What a reader finds in the queue."""

    async def read() -> list[bytes]:
        reader = open_reader(f"sqlite:///{folder}/queue.db")
        found = [record async for record in reader.read(last=None, limit=None, follow=False)]
        await reader.close()
        return found

    return asyncio.run(read())


def _rows(database: str) -> int:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return connection.execute("SELECT count(*) FROM events").fetchone()[0]


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """The most memory that a process held, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024

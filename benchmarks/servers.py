"""The servers that are measured, each started on a free port of this machine and stopped again."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.checkouts import Checkout, WrongCheckout, environment, here

HERE = Path(__file__).parent
_START = 30.0  # seconds


class Server(NamedTuple):
    """A server that runs."""

    port: int
    processes: dict[str, int]
    """Their ids, by name."""
    stored: Callable[[], Iterator[str]] | None = None
    """The messageIds of the events that it holds, if it stores any."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def trackside(checkout: Checkout | None = None) -> Generator[Server]:
    """A default `trackside serve` of a checkout. Raises WrongCheckout if a process runs another one's code."""
    checkout = checkout or here()
    checkout.prove()
    with tempfile.TemporaryDirectory() as folder:
        port, admin, grpc = free_port(), free_port(), free_port()
        ports = ["--http-port", str(port), "--admin-port", str(admin), "--grpc-port", str(grpc)]
        command = [str(checkout.command), "serve", *ports, "--data-dir", folder]
        with _running(command, f"http://127.0.0.1:{port}/health", folder) as pid:
            processes = {**_children(pid, checkout), "supervisor": pid}
            yield Server(port, processes, lambda: _message_ids(records(folder, checkout)))


@contextmanager
def service(folder: str) -> Generator[Server]:
    """The service alone, with its queue in `folder`. The port is gRPC's."""
    checkout = here()
    port, admin = free_port(), free_port()
    ports = ["--admin-port", str(admin), "--grpc-port", str(port)]
    command = [str(checkout.command), "serve", "--only", "service", "--data-dir", folder]
    with _running([*command, *ports], f"http://127.0.0.1:{admin}/readyz", folder) as pid:
        yield Server(port, _children(pid, checkout), lambda: _message_ids(records(folder, checkout)))


@contextmanager
def ceiling() -> Generator[Server]:
    """Sanic, doing nothing."""
    port = free_port()
    with _running([sys.executable, str(HERE / "ceiling.py"), str(port)], f"http://127.0.0.1:{port}/") as pid:
        yield Server(port, {"ceiling": pid})


@contextmanager
def baseline() -> Generator[Server]:
    """FastAPI and a SQLite transaction a request."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        database = f"{folder}/events.db"
        command = [sys.executable, str(HERE / "baseline.py"), str(port), database]
        with _running(command, f"http://127.0.0.1:{port}/", folder) as pid:
            yield Server(port, {"fastapi": pid}, lambda: _rows(database))


@contextmanager
def _running(command: list[str], url: str, folder: str | None = None) -> Generator[int]:
    """Run a command in a folder, without variables that would change its code or settings."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=folder, env=environment(), stdout=quiet, stderr=quiet)
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


def _children(pid: int, checkout: Checkout) -> dict[str, int]:
    """The processes of a supervisor, by their module's name."""
    names: dict[str, int] = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        arguments = Path(f"/proc/{child}/cmdline").read_text().split("\0")
        if Path(arguments[0]).parent != checkout.python.parent:
            raise WrongCheckout(f"A process of {checkout.name} runs {arguments[0]}.")
        names[arguments[arguments.index("-m") + 1]] = int(child)
    return names


def records(folder: str, checkout: Checkout | None = None) -> Generator[bytes]:
    """What `trackside tail` finds in the queue."""
    command = [(checkout or here()).command, "tail", "--from-start", "--data-dir", folder]
    with subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.PIPE) as process:
        assert process.stdout
        yield from process.stdout
    if process.returncode:
        raise RuntimeError(f"trackside tail ended with {process.returncode}")


class _Stored(msgspec.Struct):
    message_id: str = msgspec.field(name="messageId")


def _message_ids(records: Iterator[bytes]) -> Iterator[str]:
    decode = msgspec.json.Decoder(_Stored).decode
    return (decode(record).message_id for record in records)


def _rows(database: str) -> Iterator[str]:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        yield from (message_id for (message_id,) in connection.execute("SELECT message_id FROM events"))


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """The most memory that a process held, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024

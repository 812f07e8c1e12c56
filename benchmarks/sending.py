"""Sends a load to a server with wrk, and measures what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.loads import Load
from benchmarks.servers import Server, cpu_seconds, memory

SCRIPT = Path(__file__).parent / "load.lua"


class Failed(Exception):
    """Requests were not answered 200, or what was answered is not stored."""


class Result(NamedTuple):
    """What one server did under one load."""

    events_per_second: float
    """Requests, where they carry no events."""
    p50: float
    """Milliseconds, as the other two."""
    p99: float
    p999: float
    cpu: float
    """Microseconds of processor time an event, of all its processes."""
    cpu_by_process: dict[str, float]
    memory: float
    """MB, of all its processes."""
    generator: float
    """The part of a core that the load generator used."""


def run(server: Server, load: Load, seconds: int, first: int = 0) -> Result:
    """Send for some seconds. Raises Failed.

    Loads that share a server need different `first` numbers, far apart: an event with a messageId that came before is a
    duplicate, and costs less. What is stored is checked for the first load alone.
    """
    requests = load.make()
    before = {name: cpu_seconds(pid) for name, pid in server.processes.items()}
    with tempfile.NamedTemporaryFile() as file:
        requests.write(Path(file.name))
        url = f"http://127.0.0.1:{server.port}"
        flags = ["-t1", f"-c{load.connections}", f"-d{seconds}s", "--timeout", "20s", "-s", str(SCRIPT)]
        wrk = subprocess.Popen(["wrk", *flags, url, "--", file.name, str(first)], stdout=subprocess.PIPE, text=True)
        assert wrk.stdout
        printed = wrk.stdout.read()
        _, status, used = os.wait4(wrk.pid, 0)
        wrk.returncode = os.waitstatus_to_exitcode(status)
    _, found, said_text = printed.partition("RESULT ")
    if wrk.returncode or not found:
        raise Failed(f"wrk ended with {wrk.returncode}: {printed}")
    said = json.loads(said_text)
    if said["status"] or said["socket"] or not said["requests"]:
        errors = f"{said['status']} were errors, {said['socket']} sockets failed"
        raise Failed(f"{load.title}: of {said['requests']} answers {errors}.")
    used_by = {name: cpu_seconds(pid) - before[name] for name, pid in server.processes.items()}
    if server.stored and not first:
        whole, repeated = requests.stored(server.stored())
        if repeated or whole < said["requests"]:
            answered = f"{load.title}: {said['requests']} requests were answered 2xx"
            raise Failed(f"{answered}; {whole} are stored whole, {repeated} more than once.")
    # wrk looks at the first and does not send it.
    events = requests.events(1, said["requests"]) or said["requests"]
    by_process = {name: seconds / events * 1e6 for name, seconds in used_by.items()}
    return Result(
        events / said["seconds"],
        said["p50"],
        said["p99"],
        said["p999"],
        sum(by_process.values()),
        by_process,
        sum(memory(pid) for pid in server.processes.values()),
        (used.ru_utime + used.ru_stime) / said["seconds"],
    )

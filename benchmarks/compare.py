"""Trackside beside Sanic's ceiling and a plain FastAPI server, in one run: `make bench`, `make bench-check`.

The servers take turns, and every figure is a ratio to the ceiling's requests a second in the same round: these machines
drift by a third, and a ratio holds where a figure does not. Each run ends by counting that what was answered is stored.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from benchmarks import picture
from benchmarks.servers import Server, baseline, ceiling, cpu_seconds, memory, trackside

HERE = Path(__file__).parent
RECORDED = HERE / "recorded.json"
ALLOWED_DROP = 0.15


class Load(NamedTuple):
    """One way to send."""

    name: str
    path: str
    events: int
    """In a request."""
    connections: int
    bytes: int = 950
    """In an event."""


class Result(NamedTuple):
    """What one server did under one load."""

    events_per_second: float
    requests_per_second: float
    p50: float
    """Milliseconds, as the other two."""
    p99: float
    p999: float
    cpu: float
    """Microseconds of processor time an event, of all its processes."""
    cpu_by_process: dict[str, float]
    memory: float
    """MB, of all its processes."""


LOADS = (
    Load("single, 1 connection", "/v1/track", 1, 1),
    Load("single, 64 connections", "/v1/track", 1, 64),
    Load("single, 256 connections", "/v1/track", 1, 256),
    Load("batches of 500, 8 connections", "/v1/batch", 500, 8),
)
EMPTY = Load("empty", "/", 1, 64)
EMPTY_ALONE = Load("empty, 1 connection", "/", 1, 1)
SERVERS: dict[str, Callable[[], AbstractContextManager[Server]]] = {"trackside": trackside, "fastapi": baseline}


def run(server: Server, load: Load, seconds: int) -> tuple[Result, int]:
    """Send for some seconds: what came of it, and how many events were answered."""
    before = {name: cpu_seconds(pid) for name, pid in server.processes.items()}
    arguments = [load.path, str(load.events), str(load.bytes), secrets.token_hex(6)]
    url = f"http://127.0.0.1:{server.port}"
    wrk = [
        "wrk",
        "-t1",
        "--timeout",
        "20s",
        f"-c{load.connections}",
        f"-d{seconds}s",
        "-s",
        str(HERE / "load.lua"),
        url,
        "--",
        *arguments,
    ]
    printed = subprocess.run(wrk, check=True, stdout=subprocess.PIPE, text=True).stdout
    said = json.loads(printed.split("RESULT ")[1])
    if said["errors"]:
        raise RuntimeError(f"{said['errors']} requests failed under {load.name}")
    events = said["requests"] * load.events
    used = {name: (cpu_seconds(pid) - before[name]) / events * 1e6 for name, pid in server.processes.items()}
    result = Result(
        events / said["seconds"],
        said["requests"] / said["seconds"],
        said["p50"],
        said["p99"],
        said["p999"],
        sum(used.values()),
        used,
        sum(memory(pid) for pid in server.processes.values()),
    )
    return result, events


def measure(rounds: int, seconds: int, names: list[str]) -> dict[tuple[str, str], list[tuple[float, Result]]]:
    """For each server and load, round by round: its events a second to the ceiling's requests, and the rest."""
    results: dict[tuple[str, str], list[tuple[float, Result]]] = defaultdict(list)
    for round_ in range(1, rounds + 1):
        for load in LOADS:
            with ceiling() as server:
                empty, _ = run(server, EMPTY, seconds)
            results["ceiling", load.name].append((1.0, empty))
            for name in names:
                with SERVERS[name]() as server:
                    result, answered = run(server, load, seconds)
                    stored = server.stored()
                if stored < answered:
                    raise RuntimeError(f"{name} answered {answered} events and stored {stored}")
                results[name, load.name].append((result.events_per_second / empty.requests_per_second, result))
                print(
                    f"round {round_}  {name:10} {load.name:32} {results[name, load.name][-1][0]:5.2f} of"
                    f" {empty.requests_per_second:6.0f}/s  {result.events_per_second:8.0f} events/s"
                    f"  p99 {result.p99:6.1f} ms  {result.cpu:5.1f} µs/event  {stored} stored",
                    file=sys.stderr,
                )
    return results


def measure_floor(rounds: int, seconds: int) -> tuple[float, float]:
    """What an event that is sent alone cannot be faster than, in milliseconds: the disk's sync, an empty request."""
    syncs: list[float] = []
    empty: list[float] = []
    for _ in range(rounds):
        for _ in range(5):  # it differs by a third from one tenth of a second to the next
            with tempfile.TemporaryFile() as file:
                for _ in range(200):
                    file.write(bytes(16_384))
                    file.flush()
                    started = time.perf_counter()
                    os.fdatasync(file.fileno())
                    syncs.append((time.perf_counter() - started) * 1e3)
        with ceiling() as server:
            empty.append(run(server, EMPTY_ALONE, seconds)[0].p50)
    return statistics.median(syncs), statistics.median(empty)


def median(results: list[tuple[float, Result]], of: Callable[[Result], float]) -> float:
    return statistics.median(of(result) for _, result in results)


def table(results: dict[tuple[str, str], list[tuple[float, Result]]]) -> str:
    """The medians as a table in Markdown."""
    rows = [
        "| | | of the ceiling | events/s | p50 ms | p99 ms | p99.9 ms | CPU µs/event | of each process | memory MB |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (name, load), rounds in sorted(results.items(), key=lambda item: item[0][1]):
        ratio = statistics.median(ratio for ratio, _ in rounds)
        figures = [
            f"{median(rounds, lambda result: result.events_per_second):,.0f}",
            *(f"{median(rounds, of):.1f}" for of in (_p50, _p99, _p999)),
            f"{median(rounds, lambda result: result.cpu):.0f}",
            ", ".join(
                f"{process} {statistics.median(result.cpu_by_process[process] for _, result in rounds):.0f}"
                for process in rounds[0][1].cpu_by_process
            ),
            f"{median(rounds, lambda result: result.memory):.0f}",
        ]
        rows.append(f"| {load} | {name} | {ratio:.2f} | {' | '.join(figures)} |")
    return "\n".join(rows)


def _p50(result: Result) -> float:
    return result.p50


def _p99(result: Result) -> float:
    return result.p99


def _p999(result: Result) -> float:
    return result.p999


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=8, help="of each run")
    parser.add_argument("--check", action="store_true", help="fail where a ratio fell under the recorded one")
    parser.add_argument("--record", action="store_true", help="make these ratios the recorded ones, and draw them")
    arguments = parser.parse_args()
    names = ["trackside"] if arguments.check else list(SERVERS)
    results = measure(arguments.rounds, arguments.seconds, names)
    print(table(results))
    sync, empty = measure_floor(arguments.rounds, 2)
    alone = median(results["trackside", LOADS[0].name], _p50)
    print(
        f"\nAn event that is sent alone is answered in {alone:.2f} ms, {alone / (sync + empty):.1f} times the disk's"
        f" fdatasync ({sync:.2f} ms) and an empty Sanic request ({empty:.2f} ms) together."
    )
    ratios = {
        load.name: round(statistics.median(ratio for ratio, _ in results["trackside", load.name]), 3) for load in LOADS
    }
    if arguments.record:
        RECORDED.write_text(json.dumps(ratios, indent=2) + "\n")
        drawn = {
            name: [statistics.median(ratio for ratio, _ in results[name, load.name]) for load in LOADS[1:]]
            for name in ("ceiling", *names)
        }
        (HERE / "comparison.svg").write_text(picture.bars([load.name for load in LOADS[1:]], drawn))
    if not arguments.check:
        return 0
    recorded: dict[str, float] = json.loads(RECORDED.read_text())
    fallen = [name for name, ratio in ratios.items() if ratio < recorded[name] * (1 - ALLOWED_DROP)]
    for name in fallen:
        print(f"{name}: {ratios[name]} of the ceiling, {recorded[name]} was recorded", file=sys.stderr)
    return 1 if fallen else 0


if __name__ == "__main__":
    sys.exit(main())

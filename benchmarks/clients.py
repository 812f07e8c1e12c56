"""The clients of the four languages, each against one service, as ratios to its own limit: `make bench-clients`.

The limit is what `ready_calls.py` reaches: it makes nothing while the clock runs. It and the clients take turns, each
with a service and a queue of its own, and every figure is a ratio to the limit of the same round: these machines drift
by a third. Each run ends by finding that every event is in the queue, once.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from benchmarks.servers import cpu_seconds, records, service

ROOT = Path(__file__).parent.parent


class Sender(NamedTuple):
    """A program that takes TARGET EVENTS CALLS BATCH, and prints EVENTS SECONDS when it has sent them."""

    command: list[str]
    calls: int = 4
    batch: int = 200
    before: int = 0
    """Events that it sends before its clock starts, but no more than EVENTS: a JVM compiles while it runs."""


# What `make bench-clients` builds.
LIMIT = Sender([sys.executable, "-m", "benchmarks.ready_calls"], calls=8, batch=100)
CLIENTS = {
    "Go": Sender([".venv/bench-client-go"]),
    "Java": Sender(["java", "@.venv/bench-client-java"], before=100_000),
    "TypeScript": Sender(["node", "clients/typescript/dist/bench.js"]),
    "Python": Sender([sys.executable, "clients/python/bench.py"]),
}


class Result(NamedTuple):
    rate: float
    """Events a second."""
    client: float
    """Microseconds of processor time an event, from the sender's start to its end."""
    service: float
    """The same of the service, while the sender ran."""

    def __str__(self) -> str:
        return f"{self.rate:8,.0f} events/s  {self.client:5.0f} + {self.service:4.0f} µs/event"


def run(sender: Sender, events: int) -> Result:
    """Send so many events to a service that was just started."""
    with tempfile.TemporaryDirectory() as folder:
        with service(folder) as server:
            (pid,) = server.processes.values()
            before = cpu_seconds(pid)
            arguments = [f"127.0.0.1:{server.port}", str(events), str(sender.calls), str(sender.batch)]
            process = subprocess.Popen([*sender.command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
            assert process.stdout
            printed = process.stdout.read()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            served = cpu_seconds(pid) - before
        if process.returncode:
            raise RuntimeError(f"{sender.command[0]} ended with {process.returncode}")
        found = [json.loads(record)["messageId"] for record in records(folder)]
    sent = events + min(events, sender.before)
    if not len(found) == len(set(found)) == sent:
        raise RuntimeError(f"of {sent} events {len(set(found))} are in the queue, as {len(found)} records")
    seconds = float(printed.split()[1])
    return Result(events / seconds, (used.ru_utime + used.ru_stime) / sent * 1e6, served / sent * 1e6)


def measure(names: list[str], rounds: int, events: int) -> dict[str, list[tuple[float, Result]]]:
    """For each sender, round by round, what it reached of the limit, and the rest."""
    results: dict[str, list[tuple[float, Result]]] = defaultdict(list)
    for round_ in range(1, rounds + 1):
        limit = 0.0
        for name, sender in {"limit": LIMIT, **{name: CLIENTS[name] for name in names}}.items():
            result = run(sender, events)
            limit = limit or result.rate
            results[name].append((result.rate / limit, result))
            print(f"round {round_}  {name:10} {result.rate / limit:5.2f}  {result}", file=sys.stderr)
    return results


def table(results: dict[str, list[tuple[float, Result]]]) -> str:
    """The medians as a table in Markdown."""
    rows = ["| | of the limit | events/s | CPU µs/event, client | service |", "|---|---|---|---|---|"]
    for name, rounds in results.items():
        ratio, rate, client, served = [
            statistics.median(figures) for figures in zip(*((ratio, *result) for ratio, result in rounds), strict=True)
        ]
        rows.append(f"| {name} | {ratio:.2f} | {rate:,.0f} | {client:.0f} | {served:.0f} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=100_000, help="of each run")
    parser.add_argument("--only", nargs="+", choices=CLIENTS, default=list(CLIENTS))
    arguments = parser.parse_args()
    print(table(measure(arguments.only, arguments.rounds, arguments.events)))


if __name__ == "__main__":
    main()

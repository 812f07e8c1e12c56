"""How cost changes as work grows: connections, sizes, batches, an idle server, and batches beside single events.

Run `python -m benchmarks.curves`. Every point has a server of its own, and a ratio to the ceiling in the same minute.
How the queue's own size tells is measured by `python -m benchmarks.embedded_queue --sizes 1 20`.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from benchmarks import one_client
from benchmarks.loads import Load, empty
from benchmarks.sending import Result, run
from benchmarks.servers import ceiling, cpu_seconds, trackside

CONNECTIONS = [Load(f"{count} connections", count, one_client.singles) for count in (1, 4, 16, 64, 256, 1024)]
SIZES = [Load(f"{size:,} bytes", 64, partial(one_client.singles, size)) for size in (200, 950, 4_000, 15_000)]
BATCHES = [Load(f"batches of {count}", 8, partial(one_client.batches, count)) for count in (1, 10, 100, 500)]
BESIDE = Load("single events, 16 connections", 16, one_client.singles)
BULK = Load("batches of 500, 4 connections", 4, partial(one_client.batches, 500))
IDLE_SECONDS = 20
HEAD = "| | of the ceiling | events/s | p50 ms | p99 ms | CPU µs/event | memory MB |\n|---|---|---|---|---|---|---|"


def curve(title: str, loads: list[Load], seconds: int) -> None:
    """Measure each load, with the ceiling before it."""
    print(f"\n{title}\n\n{HEAD}", flush=True)
    for load in loads:
        with ceiling() as server:
            limit = run(server, empty(), seconds)
        with trackside() as server:
            result = run(server, load, seconds)
        show(load.title, result, result.events_per_second / limit.events_per_second)


def fairness(seconds: int) -> None:
    """The latency of single events, alone and beside somebody's batches."""
    print(f"\nFairness\n\n{HEAD}", flush=True)
    with trackside() as server, ThreadPoolExecutor(1) as beside:
        show(f"{BESIDE.title}, alone", run(server, BESIDE, seconds), None)
        bulk = beside.submit(run, server, BULK, seconds + 2, 1_000_000_000)
        time.sleep(1)  # until the batches come
        show(f"{BESIDE.title}, beside the batches", run(server, BESIDE, seconds, 2_000_000_000), None)
        show(BULK.title, bulk.result(), None)


def idle() -> None:
    """The processor time of a server that nobody uses."""
    with trackside() as server:
        before = {name: cpu_seconds(pid) for name, pid in server.processes.items()}
        time.sleep(IDLE_SECONDS)
        used = {name: (cpu_seconds(pid) - before[name]) / IDLE_SECONDS for name, pid in server.processes.items()}
    print("\nIdle: " + ", ".join(f"{name} {part:.2%} of a core" for name, part in used.items()))


def show(name: str, result: Result, ratio: float | None) -> None:
    figures = [
        f"{ratio:.2f}" if ratio is not None else "",
        f"{result.events_per_second:,.0f}",
        f"{result.p50:.1f}",
        f"{result.p99:.1f}",
        f"{result.cpu:.0f}",
        f"{result.memory:.0f}",
    ]
    print(f"| {name} | {' | '.join(figures)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5, help="of each run")
    seconds = parser.parse_args().seconds
    curve("Connections", CONNECTIONS, seconds)
    curve("Size of an event", SIZES, seconds)
    curve("Size of a batch", BATCHES, seconds)
    fairness(seconds)
    idle()


if __name__ == "__main__":
    main()

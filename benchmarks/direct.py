"""gRPC directly: the service's own limits, each by a caller in Python and one in Go. `python -m benchmarks.direct`

Both callers send what was made and encoded before the clock started. They take turns, each with a service and a queue
of its own, and each run ends by finding that every event is in the queue, once. What a caller uses of the processor
includes making the calls.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from benchmarks.clients import LIMIT, ROOT, Result, Sender, run

GO = [".venv/bench-client-go", "ready"]
# The senders, and how many events each sends.
RUNS = {
    "CollectBatch of 100, 8 in flight, Python": (LIMIT, 100_000),
    "CollectBatch of 100, 8 in flight, Go": (Sender(GO, calls=8, batch=100), 100_000),
    "Collect, 64 in flight, Python": (Sender(LIMIT.command, calls=64, batch=0), 20_000),
    "Collect, 64 in flight, Go": (Sender(GO, calls=64, batch=0), 20_000),
}

SIDE_BY_SIDE = ["CollectBatch of 100, 8 in flight, Go", "Collect, 64 in flight, Go"]
"""Of these two run at once, each with a service and a queue of its own: what more processes bring."""


def measure(rounds: int) -> dict[str, list[Result]]:
    """What each caller reached, round by round."""
    results: dict[str, list[Result]] = defaultdict(list)
    for round_ in range(1, rounds + 1):
        for name, (sender, events) in RUNS.items():
            result = run(sender, events)
            results[name].append(result)
            print(f"round {round_}  {name:50}  {result}", file=sys.stderr)
        for name in SIDE_BY_SIDE:
            with ThreadPoolExecutor(2) as threads:
                both = [*threads.map(run, *zip(RUNS[name], RUNS[name], strict=True))]
            result = Result(sum(each.rate for each in both), both[0].client, both[0].service)
            results[f"{name}, two services"].append(result)
            print(f"round {round_}  {name + ', two services':50}  {result}", file=sys.stderr)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    subprocess.run(["go", "build", "-o", str(ROOT / GO[0]), "./bench"], cwd=ROOT / "clients/go", check=True)
    measured = measure(arguments.rounds)
    print("| | events/s | CPU µs/event, caller | service |\n|---|---|---|---|")
    for name, results in measured.items():
        rate, caller, served = [statistics.median(figures) for figures in zip(*results, strict=True)]
        print(f"| {name} | {rate:,.0f} | {caller:.0f} | {served:.0f} |")


if __name__ == "__main__":
    main()

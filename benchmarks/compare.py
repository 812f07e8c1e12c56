"""Trackside beside Sanic's ceiling, and beside another commit of itself, in one run: `make bench`, `make bench-check`.

The servers take turns, because such machines drift by a third: only ratios within a round hold. After each run, every
request that was answered must be stored whole, each event once. `benchmarks/README.md` describes the rows.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from benchmarks import picture
from benchmarks.checkouts import WrongCheckout, other
from benchmarks.loads import NEW_HEADS, ROWS, empty
from benchmarks.reporting import CEILING, FASTAPI, OURS, Measured, busy, new_heads, of_ceiling, progress, table
from benchmarks.sending import Failed, run
from benchmarks.servers import Server, baseline, ceiling, trackside

HERE = Path(__file__).parent
RECORDED = HERE / "recorded.json"
PICTURE = HERE / "comparison.svg"
ALLOWED_DROP = 0.15
_CEILING_CONNECTIONS = 64

Servers = dict[str, Callable[[], AbstractContextManager[Server]]]


def measure(servers: Servers, rows: Sequence[str], rounds: int, seconds: int) -> Measured:
    """Measure each server in each row, in turns. In every other round the last goes first."""
    measured: Measured = defaultdict(lambda: defaultdict(list))
    runs, done = rounds * len(rows) * (len(servers) + 1), 0
    for round_ in range(rounds):
        order = [CEILING, *(reversed(servers) if round_ % 2 else servers)]
        for row in rows:
            for name in order:
                if name == CEILING:
                    load = empty(max(_CEILING_CONNECTIONS, ROWS[row].connections))
                    with ceiling() as server:
                        result = run(server, load, seconds)
                else:
                    with servers[name]() as server:
                        result = run(server, ROWS[row], seconds)
                measured[row][name].append(result)
                done += 1
                print(progress(done, runs, row, name, result), file=sys.stderr, flush=True)
    return measured


def record(measured: Measured) -> None:
    """Keep the ratios to the ceiling of the rows that were measured, and draw them if FastAPI was measured too."""
    recorded: dict[str, float] = json.loads(RECORDED.read_text())
    recorded |= {row: round(of_ceiling(servers, OURS), 3) for row, servers in measured.items()}
    RECORDED.write_text(json.dumps({row: recorded[row] for row in ROWS if row in recorded}, indent=2) + "\n")
    drawn = [row for row in measured if ROWS[row].connections > 1 and row != NEW_HEADS]
    if drawn and all(FASTAPI in servers for servers in measured.values()):
        bars = {
            label: [of_ceiling(measured[row], name) for row in drawn]
            for label, name in (("ceiling", CEILING), ("trackside", OURS), ("fastapi", FASTAPI))
        }
        PICTURE.write_text(picture.bars([ROWS[row].title for row in drawn], bars))


def fallen(measured: Measured) -> list[str]:
    """A sentence for each row whose ratio to the ceiling fell under the recorded one."""
    recorded: dict[str, float] = json.loads(RECORDED.read_text())
    return [
        f"{ROWS[row].title}: {ratio:.3f} of the ceiling; {recorded[row]} was recorded."
        for row, servers in measured.items()
        if row in recorded and (ratio := of_ceiling(servers, OURS)) < recorded[row] * (1 - ALLOWED_DROP)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", metavar="COMMIT", help="measure this commit too, and tell the ratios to it")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each run")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--fastapi", action="store_true", help="measure a plain FastAPI server too")
    parser.add_argument("--check", action="store_true", help="fail where a ratio fell under the recorded one")
    parser.add_argument("--record", action="store_true", help="make these ratios the recorded ones, and draw them")
    arguments = parser.parse_args()
    servers: Servers = {OURS: trackside}
    against = None
    try:
        if arguments.against:
            checkout = other(arguments.against)
            against = checkout.name
            servers = {against: partial(trackside, checkout), **servers}
        if arguments.fastapi:
            servers[FASTAPI] = baseline
        measured = measure(servers, arguments.rows, arguments.rounds, arguments.seconds)
    except (Failed, WrongCheckout) as error:
        print(error, file=sys.stderr)
        return 1
    for said in filter(None, [table(measured, against), new_heads(measured, against), *busy(measured)]):
        print(said)
    if arguments.record:
        record(measured)
    problems = fallen(measured) if arguments.check else []
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

"""How fast the embedded queue is, and how that changes as it grows: `embedded_queue.py --sizes 1 20`.

Every figure is made of real puts, fsynced, of records of 950 bytes with a messageId of their own. A shape is how many
callers put at once and how many records each puts: 64 callers of 1 record share commits of about 64, as a front's
calls do; 4 callers of 500 are batches. CPU is the whole process's: queue, event loop and callers. At each size the
large queue and one that was just made are measured in turns, as machines drift; the figures are medians of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple

from service.queues import Record
from service.queues.sqlite import SQLiteQueue

DAY = 86_400
FILLING = "x" * 890


class Shape(NamedTuple):
    callers: int
    records: int


SHAPES = [Shape(1, 1), Shape(64, 1), Shape(2, 50), Shape(4, 500)]
GROWING = Shape(4, 2_500)


class Round(NamedTuple):
    shape: Shape
    rate: float
    """Records a second."""
    cpu: float
    """Microseconds a record."""
    latencies: list[float]
    """Of the puts, in order of size, in milliseconds."""
    group: float
    """Records a commit."""

    def percentile(self, part: float) -> float:
        return self.latencies[min(int(len(self.latencies) * part), len(self.latencies) - 1)]


def new_records() -> Iterator[Record]:
    for number in count():
        message_id = f"bench-{number:026d}"
        yield Record(
            f'{{"messageId":"{message_id}","filling":"{FILLING}"}}'.encode(), "key", message_id, "track", "user"
        )


async def measure(queue: SQLiteQueue, source: Iterator[Record], shape: Shape, total: int) -> Round:
    """Put `total` records, which are made beforehand."""
    puts = max(1, total // (shape.callers * shape.records))
    work = [[list(islice(source, shape.records)) for _ in range(puts)] for _ in range(shape.callers)]
    latencies: list[float] = []

    async def call(puts: list[list[Record]]) -> None:
        for records in puts:
            started = time.perf_counter()
            assert not await queue.put(records)
            latencies.append((time.perf_counter() - started) * 1e3)

    commits, cpu, started = queue.commits, time.process_time(), time.perf_counter()
    await asyncio.gather(*map(call, work))
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    done = shape.callers * shape.records * puts
    return Round(shape, done / seconds, cpu / done * 1e6, sorted(latencies), done / (queue.commits - commits))


def median(rounds: Sequence[Round]) -> Round:
    """Of the rates and of the CPU; the latencies of all."""
    return Round(
        rounds[0].shape,
        statistics.median(each.rate for each in rounds),
        statistics.median(each.cpu for each in rounds),
        sorted(latency for each in rounds for latency in each.latencies),
        statistics.median(each.group for each in rounds),
    )


def resident() -> int:
    """The process's memory, in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() >> 20


def open_at(path: Path) -> SQLiteQueue:
    return SQLiteQueue.open(f"sqlite:///{path}", duplicate_window=DAY)


async def grow(directory: Path, sizes: list[int], records: int, rounds: int) -> None:
    large, source = open_at(directory / "large.db"), new_records()
    for size in sizes:
        while large.depth() < size:
            await measure(large, source, GROWING, min(100_000, size - large.depth()))
        new = open_at(directory / f"{size}.db")
        for shape in SHAPES:
            total = records // (20 if shape.callers == 1 else 1)
            found = [
                (await measure(new, source, shape, total), await measure(large, source, shape, total))
                for _ in range(rounds)
            ]
            before, after = [median(each) for each in zip(*found, strict=True)]
            show("new", before, 1.0)
            show(f"{size / 1e6:.1f}M", after, after.rate / before.rate)
        await new.close()
    print(f"memory {resident():,} MB, log {(directory / 'large.db-wal').stat().st_size >> 20} MB")
    await large.close()


def show(size: str, found: Round, ratio: float) -> None:
    shape, tail = found.shape, [found.percentile(part) for part in (0.5, 0.99, 0.999)]
    print(
        f"{size:>8} {shape.callers:4} x {shape.records:<4} {found.rate:9,.0f} {ratio:6.2f} {found.cpu:7.1f} "
        f"{tail[0]:8.2f} {tail[1]:8.2f} {tail[2]:8.2f} {found.group:9.0f}",
        flush=True,
    )


async def reopen(path: Path) -> None:
    started, before = time.perf_counter(), resident()
    queue = open_at(path)
    seconds, depth = time.perf_counter() - started, queue.depth()
    print(f"opened with {depth:,} records in {seconds:.2f} s; {before} MB before, {resident()} MB after")
    await queue.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=float, nargs="+", default=[1], help="millions of records to measure at")
    parser.add_argument("--records", type=int, default=20_000, help="how many to put for each figure, in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--directory", help="where the queue is made; 1.1 GB for each million records")
    parser.add_argument("--reopen", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.reopen:
        asyncio.run(reopen(options.reopen))
        return
    sys.setswitchinterval(0.0001)  # as service/__main__.py does
    print("    size callers x rec. records/s  ratio  CPU us   p50 ms   p99 ms p99.9 ms  a commit")
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        sizes = [int(size * 1e6) for size in options.sizes]
        asyncio.run(grow(Path(directory), sizes, options.records, options.rounds))
        subprocess.run([sys.executable, __file__, "--reopen", Path(directory) / "large.db"], check=True)


if __name__ == "__main__":
    main()

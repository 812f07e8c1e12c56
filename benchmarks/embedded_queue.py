"""How fast the embedded queue is, and how that changes as it grows: `embedded_queue.py --sizes 0 1 20`.

Every figure is made of real puts, fsynced, of records of 950 bytes with a messageId of their own. A shape is how many
callers put at once and how many records each puts: 64 callers of 1 record share commits of about 64, as a front's
calls do; 4 callers of 500 are batches. CPU is the whole process's: queue, event loop and callers.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
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


def resident() -> int:
    """The process's memory, in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() >> 20


async def grow(path: Path, sizes: list[int], records: int) -> None:
    queue = SQLiteQueue.open(f"sqlite:///{path}", duplicate_window=DAY)
    source = new_records()
    for size in sizes:
        while queue.depth() < size:
            await measure(queue, source, GROWING, min(100_000, size - queue.depth()))
        for shape in SHAPES:
            found = await measure(queue, source, shape, records // (20 if shape.callers == 1 else 1))
            wal = path.with_name(path.name + "-wal").stat().st_size >> 20
            print(
                f"{size / 1e6:7.1f}M {shape.callers:4} x {shape.records:<4} {found.rate:9,.0f} {found.cpu:7.1f} "
                f"{found.percentile(0.5):8.2f} {found.percentile(0.99):8.2f} {found.percentile(0.999):8.2f} "
                f"{found.group:8.0f} {resident():8,} {wal:6}",
                flush=True,
            )
    await queue.close()


async def reopen(path: Path) -> None:
    started, before = time.perf_counter(), resident()
    queue = SQLiteQueue.open(f"sqlite:///{path}", duplicate_window=DAY)
    seconds, depth = time.perf_counter() - started, queue.depth()
    print(f"opened with {depth:,} records in {seconds:.2f} s; {before} MB before, {resident()} MB after")
    await queue.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=float, nargs="+", default=[0, 1], help="millions of records to measure at")
    parser.add_argument("--records", type=int, default=50_000, help="how many to put for each figure")
    parser.add_argument("--reopen", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--directory", help="where the queue is made; 1.1 GB for each million records")
    options = parser.parse_args()
    if options.reopen:
        asyncio.run(reopen(options.reopen))
        return
    print("   size  callers x records  records/s  CPU us   p50 ms   p99 ms p99.9 ms  a commit  RSS MB WAL MB")
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        path = Path(directory) / "queue.db"
        sys.setswitchinterval(0.0001)  # as service/__main__.py does
        asyncio.run(grow(path, [int(size * 1e6) for size in options.sizes], options.records))
        subprocess.run([sys.executable, __file__, "--reopen", path], check=True)


if __name__ == "__main__":
    main()

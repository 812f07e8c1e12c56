"""The metrics of all processes together, dead ones included."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from prometheus_client import CollectorRegistry, Counter, Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector


def _values(path: Path) -> Iterable[tuple[str, float, float]]:
    values = cast("Any", MmapedDict).read_all_values_from_file(str(path))
    return ((key, value, timestamp) for key, value, timestamp, _ in values)


class Metrics(Collector):
    """Collects what the processes write to a directory, each to files that are named for its process id."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.registry = CollectorRegistry()
        self._files = MultiProcessCollector(None, str(directory))
        # A scrape between folding a file in and removing it would count it twice.
        self._lock = threading.Lock()
        self._restarts = Counter(
            "trackside_process_deaths", "Processes that died and were started again.", ["process"], registry=None
        )
        self.registry.register(self)

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            yield from self._files.collect()
        yield from self._restarts.collect()

    def died(self, name: str, pid: int) -> None:
        """Keep what a dead process counted, in one file for all of the dead, and forget what it gauged.

        The library keeps a file for each process that ever was: one that dies again and again would fill the disk.
        """
        self._restarts.labels(name).inc()
        with self._lock:
            for path in self.directory.glob(f"*_{pid}.db"):
                kind = path.name.removesuffix(f"_{pid}.db")
                if not kind.startswith("gauge"):
                    dead = MmapedDict(str(self.directory / f"{kind}_dead.db"))
                    for key, value, timestamp in _values(path):
                        dead.write_value(key, dead.read_value(key)[0] + value, timestamp)
                    dead.close()
                path.unlink()

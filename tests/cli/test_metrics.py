"""The metrics of several processes, some of them dead."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from prometheus_client import generate_latest

from cli.metrics import Metrics

_PROCESS = """
import os
from prometheus_client import Counter, Gauge, Histogram
Counter("taken", "", ["kind"]).labels("track").inc(2)
Gauge("depth", "", multiprocess_mode="livesum").set(5)
Histogram("seconds", "", buckets=(1, 10)).observe(3)
print(os.getpid())
"""


def _run_process(directory: Path) -> int:
    """A process that counts, gauges and ends: its process id."""
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(directory)}
    command = [sys.executable, "-c", _PROCESS]
    return int(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)


def test_what_a_dead_process_counted_stays_counted(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path)
    for _ in range(2):
        metrics.died("front-1", _run_process(tmp_path))
    _run_process(tmp_path)
    shown = generate_latest(metrics.registry).decode()
    assert 'taken_total{kind="track"} 6.0' in shown
    assert 'seconds_bucket{le="10.0"} 3.0' in shown
    assert "seconds_sum 9.0" in shown
    assert 'trackside_process_deaths_total{process="front-1"} 2.0' in shown


def test_what_a_dead_process_gauged_is_forgotten(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path)
    metrics.died("service", _run_process(tmp_path))
    _run_process(tmp_path)
    assert "depth 5.0" in generate_latest(metrics.registry).decode()


def test_processes_that_died_leave_no_file_each(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path)
    for _ in range(3):
        metrics.died("service", _run_process(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["counter_dead.db", "histogram_dead.db"]

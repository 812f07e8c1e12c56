"""Says what was measured, as tables in Markdown: medians, and the medians of the ratios within each round."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence

from benchmarks.loads import EQUAL_HEADS, NEW_HEADS, ROWS
from benchmarks.sending import Result

Measured = dict[str, dict[str, list[Result]]]
"""For each row, for each server, what came of each round."""

CEILING, OURS, FASTAPI = "ceiling", "this checkout", "fastapi"
_FRONT = "http_front"
_BUSY = 0.9
_HEAD = (
    "| load | server | events/s | of the ceiling | p50 ms | p99 ms | CPU µs/event | of each process | memory MB"
    " | generator, of a core |\n|---|---|---|---|---|---|---|---|---|---|"
)
_Figure = Callable[[Result], float]


def table(measured: Measured, against: str | None) -> str:
    """The medians. With `against`, the name of another commit's server, also the ratios to it."""
    lines = [_HEAD]
    for row, servers in measured.items():
        for name, rounds in servers.items():
            lines.append(f"| {ROWS[row].title} | {name} | {' | '.join(_medians(rounds, servers[CEILING]))} |")
        if against:
            figures = _ratios(servers[OURS], servers[against])
            lines.append(f"| {ROWS[row].title} | **ratio (least to most)** | {' | '.join(figures)} |")
    return "\n".join(lines)


def of_ceiling(servers: dict[str, list[Result]], name: str) -> float:
    """A server's events a second to the ceiling's requests a second: the median of the rounds."""
    return _median_ratio(servers[name], servers[CEILING], _rate)


def new_heads(measured: Measured, against: str | None) -> str:
    """The front's CPU for new heads to that for equal ones; empty unless both were measured."""
    if not {EQUAL_HEADS, NEW_HEADS} <= measured.keys():
        return ""
    said: list[str] = []
    for name in filter(None, (OURS, against)):
        ratio = _ratio(measured[NEW_HEADS][name], measured[EQUAL_HEADS][name], lambda result: _process(result, _FRONT))
        said.append(f"{ratio} with {name}")
    return f"The front's CPU for an event with a new head, to that with a repeated one: {'; '.join(said)}."


def busy(measured: Measured) -> list[str]:
    """A sentence for each row in which the load generator may have been the limit."""
    return [
        f"{ROWS[row].title}, {name}: the load generator used {most:.2f} of a core, and may have been the limit."
        for row, servers in measured.items()
        for name, rounds in servers.items()
        if (most := max(result.generator for result in rounds)) > _BUSY
    ]


def progress(done: int, runs: int, row: str, name: str, result: Result) -> str:
    return (
        f"run {done:3} of {runs}  {ROWS[row].title:42} {name:14} {result.events_per_second:8,.0f} events/s"
        f"  p50 {result.p50:7.2f}  p99 {result.p99:7.2f} ms  {result.cpu:6.1f} µs/event"
        f"  generator {result.generator:.2f}"
    )


def _medians(rounds: Sequence[Result], ceiling: Sequence[Result]) -> list[str]:
    return [
        f"{_median(rounds, _rate):,.0f}",
        f"{_median_ratio(rounds, ceiling, _rate):.3f}",
        f"{_median(rounds, _p50):.2f}",
        f"{_median(rounds, _p99):.1f}",
        f"{_median(rounds, _cpu):.1f}",
        _of_each_process(rounds, lambda process: f"{_median(rounds, lambda each: _process(each, process)):.1f}"),
        f"{_median(rounds, lambda result: result.memory):.0f}",
        f"{_median(rounds, lambda result: result.generator):.2f}",
    ]


def _ratios(ours: Sequence[Result], theirs: Sequence[Result]) -> list[str]:
    def of_process(process: str) -> str:
        return _ratio(ours, theirs, lambda result: _process(result, process))

    each = _of_each_process(ours, of_process)
    rate, p50, p99, cpu = (_ratio(ours, theirs, figure) for figure in (_rate, _p50, _p99, _cpu))
    return [rate, "", p50, p99, cpu, each, _ratio(ours, theirs, lambda result: result.memory), ""]


def _of_each_process(rounds: Sequence[Result], figure: Callable[[str], str]) -> str:
    """A figure for each process but the supervisor, which has next to nothing to do."""
    names = [name for name in rounds[0].cpu_by_process if name != "supervisor"]
    return ", ".join(f"{name} {figure(name)}" for name in names)


def _ratio(ours: Sequence[Result], theirs: Sequence[Result], figure: _Figure) -> str:
    """The median, the least and the most of the ratios within each round; empty where there is nothing to divide by."""
    ratios = [*_each_ratio(ours, theirs, figure)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})" if ratios else ""


def _median_ratio(ours: Sequence[Result], theirs: Sequence[Result], figure: _Figure) -> float:
    return statistics.median(_each_ratio(ours, theirs, figure))


def _each_ratio(ours: Sequence[Result], theirs: Sequence[Result], figure: _Figure) -> Iterable[float]:
    pairs = zip(map(figure, ours), map(figure, theirs), strict=True)
    return (one / other for one, other in pairs if other)


def _median(rounds: Iterable[Result], figure: _Figure) -> float:
    return statistics.median(map(figure, rounds))


def _process(result: Result, name: str) -> float:
    return result.cpu_by_process.get(name, 0.0)


def _rate(result: Result) -> float:
    return result.events_per_second


def _p50(result: Result) -> float:
    return result.p50


def _p99(result: Result) -> float:
    return result.p99


def _cpu(result: Result) -> float:
    return result.cpu

"""Runs the tests of modules with one mutant after the other, in place: the processes that tests start import this tree.

What was found is kept in `.mutation/`, and the next run goes on from there. So is the original of the module that is
changed just now: a run that was killed leaves the mutant behind, and the next run restores the module first.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import NamedTuple

from tests.mutation import EQUIVALENTS, MODULES
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.trial import OUT_OF_TIME, Trial, adopt_orphans, tried

_STATE = Path(".mutation")
_RESULTS, _ORIGINAL = _STATE / "results.jsonl", _STATE / "original.json"
LEAST = 0.9
"""Of the mutants that were tried, the share that the tests must kill."""
_TIMES, _MORE = 3, 15
"""A trial may take so many times as long as the tests without a mutant, and so many seconds more."""


class Job(NamedTuple):
    module: str
    mutant: Mutant
    key: str
    """The mutant and the module's text. A result holds for this key."""
    tests: str
    """Names the text of the module's tests. That a mutant survived holds for these."""

    @property
    def place(self) -> bytes:
        """Jobs in the order of their places are, wherever they end, a sample of all: the same on every machine."""
        return hashlib.sha256(repr((self.module, self.mutant.change)).encode()).digest()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description="Mutation tests, of all modules or of these.")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="as in tests/mutation/modules.toml")
    parser.add_argument("--budget", type=float, default=85, metavar="MINUTES", help="after these no trial is begun")
    parser.add_argument("--afresh", action="store_true", help="forget what earlier runs found")
    given = parser.parse_args()
    modules: list[str] = given.modules or list(MODULES)
    if unknown := set(modules) - set(MODULES):
        parser.error(f"not in modules.toml: {', '.join(unknown)}")
    end = time.monotonic() + given.budget * 60
    _STATE.mkdir(exist_ok=True)
    with (_STATE / "lock").open("w") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except OSError:
            sys.exit("Another run is under way.")
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        adopt_orphans()
        _restore()
        if given.afresh:
            _RESULTS.unlink(missing_ok=True)
        changed = subprocess.run(["git", "status", "--porcelain", "--", *modules], stdout=subprocess.PIPE, check=True)
        if changed.stdout:
            sys.exit(f"Commit or undo these changes first:\n{changed.stdout.decode()}")
        jobs = [job for module in modules for job in _jobs(module)]
        try:
            _try_all(jobs, end)
        except KeyboardInterrupt:
            print("interrupted: the next run goes on from here")
        return _report(modules, jobs)


def _jobs(module: str) -> Iterator[Job]:
    source = Path(module).read_bytes()
    tests = _digest(b"".join(path.read_bytes() for path in map(Path, MODULES[module])))
    for mutant in mutants(source):
        if (module, *mutant.change) not in EQUIVALENTS:
            yield Job(module, mutant, f"{module} {_digest(source)} {' | '.join(mutant.change)}", tests)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _known() -> dict[str, Trial]:
    """What was found: of a mutant that survived, under its key and its tests, of another under its key alone."""
    known: dict[str, Trial] = {}
    for line in _RESULTS.read_text().splitlines() if _RESULTS.exists() else ():
        key, tests, *trial = json.loads(line)
        known[key if trial[0] else f"{key} {tests}"] = Trial(*trial)
    return known


def _result(job: Job, known: dict[str, Trial]) -> Trial | None:
    return known.get(job.key) or known.get(f"{job.key} {job.tests}")


def _try_all(jobs: Sequence[Job], end: float) -> None:
    known = _known()
    left = sorted((job for job in jobs if not _result(job, known)), key=lambda job: job.place)
    limits: dict[str, float] = {}
    for number, job in enumerate(left, 1):
        if time.monotonic() > end:
            print(f"The time is up: {len(left) - number + 1} mutants were not tried. The next run goes on with them.")
            return
        if job.module not in limits:
            plain = tried(MODULES[job.module], 600, _STATE / "output")
            if plain.killed_by:
                sys.exit(f"Without a mutant, the tests of {job.module} fail: {plain.killed_by}")
            limits[job.module] = _TIMES * plain.seconds + _MORE
        with _in_place(job, number):
            trial = tried(MODULES[job.module], limits[job.module], _STATE / "output")
        with _RESULTS.open("a") as file:
            print(json.dumps([job.key, job.tests, *trial]), file=file)
        said = f"killed by {trial.killed_by}" if trial.killed_by else "SURVIVED"
        print(f"{number}/{len(left)} {job.module} {job.mutant.function}: {said}", flush=True)


@contextmanager
def _in_place(job: Job, number: int) -> Generator[None]:
    path = Path(job.module)
    before = path.stat().st_mtime_ns
    _write(_ORIGINAL, json.dumps([job.module, path.read_text(), before]))
    try:
        _write(path, job.mutant.source.decode())
        # Compiled code is known by its source's second and size: each mutant has a second of its own.
        os.utime(path, ns=(before, before + number * 1_000_000_000))
        yield
    finally:
        _restore()


def _restore() -> None:
    if _ORIGINAL.exists():
        module, source, modified = json.loads(_ORIGINAL.read_text())
        _write(Path(module), source)
        os.utime(module, ns=(modified, modified))
        _ORIGINAL.unlink()


def _write(path: Path, text: str) -> None:
    """Replace a file's text, so that it is never there by halves."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    new.replace(path)


def _report(modules: Sequence[str], jobs: Sequence[Job]) -> int:
    known = _known()
    found = [(job, result) for job in jobs if (result := _result(job, known))]
    for job, _ in [(job, result) for job, result in found if not result.killed_by]:
        print(f"\n{job.module} {job.mutant.function}\n  - {job.mutant.line}\n  + {job.mutant.becomes}")
    print(f"\n{'module':32} mutants  equivalent  tried  killed  out of time")
    for name in [*modules, ""]:
        of = [result for job, result in found if name in ("", job.module)]
        made = sum(name in ("", job.module) for job in jobs)
        equivalent = sum(name == module or (not name and module in modules) for module, *_ in EQUIVALENTS)
        killed = sum(bool(result.killed_by) for result in of)
        late = sum(result.killed_by.startswith(OUT_OF_TIME) for result in of)
        share = f"{killed / len(of):.0%}" if of else ""
        print(f"{name or 'all':32} {made + equivalent:7}  {equivalent:10}  {len(of):5}  {killed:6}  {late:11}  {share}")
    return int(sum(bool(result.killed_by) for _, result in found) < LEAST * len(found))


if __name__ == "__main__":
    sys.exit(main())

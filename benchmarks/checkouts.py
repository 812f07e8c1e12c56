"""Checkouts of this repository whose servers are measured: this one, and those of other commits, with environments of
their own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
OTHERS = ROOT / ".bench"


class WrongCheckout(Exception):
    """A checkout cannot be measured, or would run another one's code."""


class Checkout(NamedTuple):
    name: str
    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / ".venv" / "bin" / "python"

    @property
    def command(self) -> Path:
        return self.folder / ".venv" / "bin" / "trackside"

    def prove(self) -> None:
        """Check that the environment imports this checkout's code. Raises WrongCheckout."""
        packages = tomllib.loads((self.folder / "pyproject.toml").read_text())
        names: list[str] = packages["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
        expected = [self.folder / name for name in names] + [self.folder / "proto" / "gen" / "trackside" / "v1"]
        code = (
            "import sys, importlib.util as u\nfor n in sys.argv[1:]: print(*u.find_spec(n).submodule_search_locations)"
        )
        with tempfile.TemporaryDirectory() as elsewhere:
            command = [self.python, "-c", code, *names, "trackside.v1"]
            done = subprocess.run(command, cwd=elsewhere, env=environment(), capture_output=True, text=True)
        found = [Path(line).resolve() for line in done.stdout.splitlines()]
        if found != [path.resolve() for path in expected]:
            raise WrongCheckout(f"{self.python} imports {found or done.stderr}, not {expected}.")


def here() -> Checkout:
    return Checkout("this checkout", ROOT)


def other(commit: str) -> Checkout:
    """A worktree of a commit in `.bench`, set up by its own Makefile. Raises WrongCheckout."""
    found = _git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
    if not found:
        raise WrongCheckout(f"{commit} is no commit of this repository.")
    checkout = Checkout(found[:10], OTHERS / found[:10])
    if not checkout.folder.exists():
        _git("worktree", "add", "--force", "--detach", str(checkout.folder), found)
    if _git("-C", str(checkout.folder), "rev-parse", "HEAD") != found or _git(
        "-C", str(checkout.folder), "status", "--porcelain", "--untracked-files=no"
    ):
        raise WrongCheckout(f"{checkout.folder} is not commit {found} unchanged: remove it.")
    python = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    print(f"setting up {checkout.folder.relative_to(ROOT)}", file=sys.stderr)
    make = ["make", "--silent", "-C", checkout.folder, ".venv/runtime", f"PYTHON={python}"]
    if subprocess.run(make, env=environment()).returncode:
        raise WrongCheckout(f"`make .venv/runtime` failed in {checkout.folder}.")
    return checkout


def environment() -> dict[str, str]:
    """This process's variables, without those that would change which code runs, or with which settings."""
    ours = ("PYTHON", "TRACKSIDE_", "MAKE", "MFLAGS", "GIT_", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _git(*arguments: str) -> str:
    """What git prints; empty if it fails."""
    done = subprocess.run(["git", "-C", ROOT, *arguments], env=environment(), capture_output=True, text=True)
    return done.stdout.strip()

"""Runs the real command."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

COMMAND = (sys.executable, "-P", "-m", "cli")
PATIENCE = 30.0
"""Seconds that anything may take on a busy machine."""


def until(condition: Callable[[], T | None]) -> T:
    """Ask a process again and again until its answer is a true one, and give that."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := condition()):
        assert time.monotonic() < deadline, "it did not come to be so in time"
        time.sleep(0.02)
    return answer


def environment() -> dict[str, str]:
    """This process's, without settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TRACKSIDE_")}


class Serving:
    """A `trackside serve` on free ports, in a directory of its own."""

    def __init__(
        self, directory: Path, *arguments: str, command: Sequence[str | Path] = COMMAND, **variables: str
    ) -> None:
        self.directory = directory
        ports = ("--http-port=0", "--grpc-port=0", "--admin-port=0")
        with (directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "serve", *ports, *arguments],
                cwd=directory,
                env=environment() | variables,
                stdin=subprocess.DEVNULL,
                # The processes that it starts inherit this pipe: it ends when the last of them does.
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert self.process.stdout
        self._stdout = self.process.stdout

    def ready(self) -> Serving:
        """Wait until it says that it is."""
        assert select.select([self._stdout], [], [], PATIENCE)[0], self.log
        self.banner = os.read(self._stdout.fileno(), 1 << 16).decode()
        assert "is ready" in self.banner, self.log
        self.http = self._said(r"HTTP +(http://\S+)")
        self.grpc = self._said(r"gRPC +(?:the service at )?(\S+)")
        self.curl = self._said(r"  (curl -.*)")
        self.tail = self._said(r"see it in the queue: +(.*)")
        self.admin = self._said(r"Admin +(http://\S+)")
        return self

    def _said(self, pattern: str) -> str:
        found = re.search(pattern, self.banner)
        return found[1] if found else ""

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text("utf-8")

    def pid(self, name: str) -> int:
        """The process id of one of its processes, as it runs now."""
        return int(re.findall(rf"{name} runs as process (\d+)", self.log)[-1])

    def ended(self) -> int:
        """Wait until all its processes have ended; the exit code."""
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.ended()


class Serve:
    """Starts collectors, each in a directory that is called by its name."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._started: list[Serving] = []
        # pytest's own is too long a path for a socket, and one that was killed leaves its files behind.
        self._temporary = tempfile.TemporaryDirectory()

    def directory(self, name: str = "trackside") -> Path:
        path = self._root / name
        path.mkdir(exist_ok=True)
        return path

    def __call__(
        self,
        *arguments: str,
        name: str = "trackside",
        command: Sequence[str | Path] = COMMAND,
        **variables: str,
    ) -> Serving:
        variables = {"TMPDIR": self._temporary.name} | variables
        self._started.append(Serving(self.directory(name), *arguments, command=command, **variables))
        return self._started[-1]

    def close(self) -> None:
        for serving in reversed(self._started):
            serving.close()
        self._temporary.cleanup()

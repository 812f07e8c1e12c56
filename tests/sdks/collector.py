"""A real `trackside serve` in a directory of its own, and its queue."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TRACKSIDE = Path(sys.executable).with_name("trackside")
START_SECONDS = 120
READY = re.compile(r"HTTP +http://127\.0\.0\.1:(\d+)")


@dataclass(frozen=True)
class Collector:
    """A running collector."""

    port: int
    data: Path

    def records(self, write_key: str) -> list[dict[str, Any]]:
        """What is queued for a write key, oldest first."""
        tail = subprocess.run(
            [TRACKSIDE, "tail", "--from-start", "--data-dir", self.data], check=True, capture_output=True, text=True
        )
        records = (json.loads(line) for line in tail.stdout.split("\n") if line)
        return [record for record in records if record["writeKey"] == write_key]


@contextmanager
def run_collector(directory: Path, keys: Iterable[str], without_message_ids: Iterable[str]) -> Generator[Collector]:
    """Serve on free ports with these write keys and no others; the second kind need send no messageId."""
    sources = directory / "sources.toml"
    with sources.open("w") as file:
        file.write('mode = "enforce"\n')
        for key in keys:
            file.write(f'[[source]]\nkey = "{key}"\nname = "{key}"\n')
        for key in without_message_ids:
            file.write(f'[[source]]\nkey = "{key}"\nname = "{key}"\ngenerate_message_id = true\n')
    data = directory / "data"
    command = [TRACKSIDE, "serve", "--data-dir", data, "--sources", sources]
    for port in ("--http-port", "--grpc-port", "--admin-port"):
        command += [port, "0"]
    output, log = directory / "serve.out", directory / "serve.log"
    with output.open("w") as out, log.open("w") as err:
        process = subprocess.Popen(command, cwd=directory, stdout=out, stderr=err)
    try:
        yield Collector(_port(process, output, log), data)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _port(process: subprocess.Popen[bytes], output: Path, log: Path) -> int:
    """The HTTP port, once the collector says that it is ready."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if ready := READY.search(output.read_text()):
            return int(ready[1])
        time.sleep(0.1)
    raise AssertionError(f"trackside serve did not start: {log.read_text()}")

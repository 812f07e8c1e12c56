"""A real server, by the launcher that the clients of every language share."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

TESTDATA = Path(__file__).parents[2] / "testdata"


class Server:
    """What `serve.py` started. Each command is a line to it, and returns its answer."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, str(TESTDATA / "serve.py"), *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = self._answer()
        self.target = self.ready["target"]

    def command(self, name: str) -> dict[str, Any]:
        assert self.process.stdin
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()
        answer = self._answer()
        assert "error" not in answer, answer
        return answer

    def records(self) -> list[dict[str, Any]]:
        with open(self.command("dump")["path"]) as file:
            return [json.loads(line) for line in file]

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())


Serve = Callable[..., Server]

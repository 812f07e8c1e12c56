"""kill -9 of every process in the middle of load: what was answered 200 is in the queue, once."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cli.serving import COMMAND, PATIENCE, Serve, Serving, environment, until
from tests.running import basic

CLIENTS = 8
BATCH = 5
BETWEEN = 150
"""How many events are answered before each kill."""
SERVICE, FRONTS = "service", ("front-1", "front-2")


class Client:
    """Sends events over a connection that is made anew where it broke."""

    def __init__(self) -> None:
        self._connection: http.client.HTTPConnection | None = None

    def post(self, url: str, ids: list[str]) -> bool:
        """Whether the events were answered 200."""
        events = [{"type": "track", "event": "E", "userId": "u", "messageId": each} for each in ids]
        path, body = ("/v1/track", events[0]) if len(events) == 1 else ("/v1/batch", {"batch": events})
        if self._connection is None:
            self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
        try:
            self._connection.request("POST", path, json.dumps(body), basic("key"))
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return False
        return answer.status == 200

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None


class Load:
    """Clients that send events, single ones and batches, without a pause, to where `url` says at the time."""

    def __init__(self, url: str, *, resend: bool) -> None:
        """`resend` is whether what is not answered 200 is sent again until it is."""
        self.url = url
        self.sent: list[str] = []
        self.answered: list[str] = []
        """The messageIds that were answered 200."""
        self.failed = 0
        """How many requests were not."""
        self._resend = resend
        self._changed = threading.Condition()
        self._stop = threading.Event()

    @contextmanager
    def running(self) -> Generator[None]:
        clients = [threading.Thread(target=self._run, args=(name,), daemon=True) for name in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            self._stop.set()
            for client in clients:
                client.join(PATIENCE)

    def reach(self, more: int) -> None:
        """Wait until so many more events are answered."""
        with self._changed:
            goal = len(self.answered) + more
            assert self._changed.wait_for(lambda: len(self.answered) >= goal, PATIENCE)

    def _run(self, name: int) -> None:
        client = Client()
        for number in itertools.count():
            ids = [f"{name}-{number}-{place}" for place in range(1 if number % 4 else BATCH)]
            with self._changed:
                self.sent += ids
            answered = self._answered(client, ids)
            with self._changed:
                self.answered += ids if answered else []
                self._changed.notify_all()
            if self._stop.is_set():
                break
        client.close()

    def _answered(self, client: Client, ids: list[str]) -> bool:
        while not client.post(self.url, ids):
            with self._changed:
                self.failed += 1
            # A collector that is away for a moment need not be asked a thousand times.
            self._stop.wait(0.02)
            if not self._resend:
                return False
        return True


def kill(serving: Serving, *names: str) -> None:
    """kill -9 of some of the processes that run now, all at once."""
    for pid in [until(lambda name=name: child(serving, name)) for name in names]:
        os.kill(pid, signal.SIGKILL)


def child(serving: Serving, name: str) -> int | None:
    """The process id, if the process runs: it may just have been killed, and its successor not be there yet."""
    pid = serving.pid(name)
    try:
        parent = int(Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[1])
    except FileNotFoundError:
        return None
    return pid if parent == serving.process.pid else None


def queued(directory: Path) -> Counter[str]:
    """The messageIds in the queue, and how often each is there."""
    tail = [*COMMAND, "tail", "--from-start"]
    out = subprocess.check_output(tail, cwd=directory, env=environment(), timeout=PATIENCE)
    return Counter(json.loads(line)["messageId"] for line in out.splitlines())


@pytest.mark.parametrize("resend", [False, True], ids=["nothing sent again", "sent again until answered"])
def test_what_was_answered_is_in_the_queue_once_after_any_kill(tmp_path: Path, resend: bool) -> None:
    serve = Serve(tmp_path)
    serving = serve("--workers=2").ready()
    load = Load(serving.http, resend=resend)
    try:
        with load.running():
            for names in ((SERVICE,), (FRONTS[0],), (FRONTS[1],), (SERVICE, *FRONTS)):
                load.reach(BETWEEN)
                kill(serving, *names)
            load.reach(BETWEEN)
            serving.process.kill()
            serving.ended()
            serving = serve("--workers=2").ready()
            load.url = serving.http
            load.reach(BETWEEN)
        kill(serving, SERVICE)
        serving.process.kill()
        serving.ended()
        serving = serve("--workers=2").ready()
    finally:
        serve.close()
    found = queued(serving.directory)
    assert load.failed
    assert {name: number for name, number in found.items() if number > 1} == {}
    assert set(load.answered) <= found.keys() <= set(load.sent)
    if resend:
        assert found.keys() == set(load.sent)

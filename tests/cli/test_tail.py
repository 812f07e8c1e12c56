"""`trackside tail`, reading a real queue."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

import httpx
import pytest

from service.queues import Record, open_queue
from tests.cli.serving import COMMAND, PATIENCE, Serving, environment, until


def fill(directory: Path, numbers: Iterable[int]) -> list[str]:
    """Queue a record for each number, in one call; what tail should print of them."""
    lines = [f'{{"n": {number},"é":1.0}}' for number in numbers]

    async def put() -> None:
        queue = open_queue(f"sqlite:///{directory}/data/queue.db", duplicate_window=0)
        await queue.put([Record(line.encode(), "key", line, "track", "user") for line in lines])
        await queue.close()

    asyncio.run(put())
    return lines


def tail(directory: Path, *arguments: str) -> list[str]:
    run = subprocess.run(
        [*COMMAND, "tail", *arguments], cwd=directory, env=environment(), capture_output=True, timeout=PATIENCE
    )
    assert (run.returncode, run.stderr) == (0, b"")
    return run.stdout.decode().splitlines()


def test_last_ten_are_printed_as_they_are(tmp_path: Path) -> None:
    lines = fill(tmp_path, range(25))
    assert tail(tmp_path) == lines[-10:]


@pytest.mark.parametrize(("limit", "printed"), [(0, 0), (3, 3), (100, 25)])
def test_limit_is_how_many_of_the_last_are_printed(tmp_path: Path, limit: int, printed: int) -> None:
    lines = fill(tmp_path, range(25))
    assert tail(tmp_path, f"--limit={limit}") == lines[len(lines) - printed :]


def test_from_start_prints_all(tmp_path: Path) -> None:
    lines = fill(tmp_path, range(1000)) + fill(tmp_path, range(1000, 1001))
    assert tail(tmp_path, "--from-start") == lines


def test_from_start_with_limit_prints_the_first(tmp_path: Path) -> None:
    lines = fill(tmp_path, range(25))
    assert tail(tmp_path, "--from-start", "--limit", "3") == lines[:3]


def test_follow_goes_on_with_what_arrives_until_interrupted(tmp_path: Path) -> None:
    lines = fill(tmp_path, range(3))
    following = subprocess.Popen(
        [*COMMAND, "tail", "-f", "--limit=2"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert following.stdout
    assert [following.stdout.readline().rstrip() for _ in range(2)] == lines[-2:]
    more = fill(tmp_path, range(3, 5))
    assert [following.stdout.readline().rstrip() for _ in more] == more
    following.send_signal(signal.SIGINT)
    assert following.communicate(timeout=PATIENCE) == ("", "")
    assert following.returncode == -signal.SIGINT


def test_follow_from_the_start_ends_at_its_limit(tmp_path: Path) -> None:
    lines = fill(tmp_path, range(3))
    assert tail(tmp_path, "--from-start", "--follow", "--limit=2") == lines[:2]


def test_closed_pipe_ends_it_without_a_word(tmp_path: Path) -> None:
    lines = fill(tmp_path, range(20_000))
    reading = subprocess.Popen(
        [*COMMAND, "tail", "--from-start"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert reading.stdout
    assert reading.stderr
    assert reading.stdout.readline().rstrip() == lines[0]
    reading.stdout.close()
    assert reading.stderr.read() == ""
    reading.stderr.close()
    assert reading.wait(PATIENCE) == -signal.SIGPIPE


def test_follower_ends_when_nobody_reads_it_though_nothing_comes(tmp_path: Path) -> None:
    lines = fill(tmp_path, range(3))
    following = [*COMMAND, "tail", "--from-start", "--follow"]
    tail = subprocess.Popen(following, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    head = subprocess.run(["head", "-n2"], stdin=tail.stdout, capture_output=True, text=True, timeout=PATIENCE)
    assert head.stdout.splitlines() == lines[:2]
    assert tail.stdout
    tail.stdout.close()
    try:
        assert tail.wait(PATIENCE) == -signal.SIGPIPE
    finally:
        tail.kill()
    assert tail.stderr
    assert tail.stderr.read() == b""
    tail.stderr.close()


@pytest.mark.parametrize("arguments", [(), ("--queue", "nonsense")])
def test_queue_that_cannot_be_read_is_a_sentence(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    run = subprocess.run(
        [*COMMAND, "tail", *arguments], cwd=tmp_path, env=environment(), capture_output=True, timeout=PATIENCE
    )
    assert (run.returncode, run.stdout) == (78, b"")
    assert run.stderr.startswith(b"Error: There is no ")
    assert run.stderr.count(b"\n") == 1


def test_refused_events_are_printed_with_their_reasons(serving: Serving) -> None:
    sent = {"messageId": "1", "event": "Hello"}
    assert httpx.post(f"{serving.http}/v1/track", json=sent, auth=("key", ""), timeout=PATIENCE).status_code == 400
    (line,) = until(lambda: tail(serving.directory, "--refused"))
    refused = json.loads(line)
    assert (refused["messageId"], refused["type"]) == ("1", "track")
    assert refused["reason"] == "required"
    assert "Hello" in refused["payload"]

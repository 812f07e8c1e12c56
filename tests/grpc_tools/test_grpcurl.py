"""The calls that the documentation shows, made with the real grpcurl: `make test-grpcurl` builds it and runs these."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.serving import PATIENCE, Serve, Serving

ROOT = Path(__file__).parents[2]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts collectors, and stops them afterwards."""
    serve = Serve(tmp_path)
    yield serve
    serve.close()


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A collector that the tests only ask what it is."""
    serve = Serve(tmp_path_factory.mktemp("described"))
    yield serve().ready()
    serve.close()


def run(command: str, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", command], cwd=directory, capture_output=True, text=True, timeout=PATIENCE)


def blocks(document: str) -> list[tuple[str, str]]:
    """The shell blocks of docs/protocol.md, each with the output that follows it, if one does."""
    text = (ROOT / "docs" / document).read_text("utf-8")
    return re.findall(r"```sh\n(.*?)```(?:\n\n```json\n(.*?)```)?", text, re.DOTALL)


def as_read(serving: Serving, command: str, output: str) -> None:
    done = run(command.replace("127.0.0.1:50051", serving.grpc), serving.directory)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == json.loads(output)


def test_call_of_the_readme_answers_what_it_says(serve: Serve) -> None:
    serving = serve().ready()
    readme = (ROOT / "README.md").read_text("utf-8")
    found = re.search(r"((?: {4}.*\n)*? {4}grpcurl.*\n(?: {4}.*\n)*)\n((?: {4}.*\n)+)", readme)
    assert found
    as_read(serving, textwrap.dedent(found[1]), found[2])


def test_calls_of_the_protocols_documentation_answer_what_it_says(serve: Serve) -> None:
    serving = serve().ready()
    plain = [(command, output) for command, output in blocks("protocol.md") if "-plaintext" in command]
    assert len(plain) == 2
    for command, output in plain:
        as_read(serving, command, output)


def test_tls_is_set_up_and_called_as_documented(serve: Serve) -> None:
    (setup, _), (command, output) = [block for block in blocks("protocol.md") if "-plaintext" not in block[0]][:2]
    certificate, _, start = setup.rpartition("trackside serve ")
    assert run(certificate, serve.directory()).returncode == 0
    serving = serve(*shlex.split(start)).ready()
    as_read(serving, command, output)


def test_refused_event_is_shown_with_its_details(serve: Serve) -> None:
    serving = serve().ready()
    done = run(f"grpcurl -plaintext -d '{{}}' {serving.grpc} trackside.v1.CollectorService/Collect", serving.directory)
    assert "InvalidArgument" in done.stderr
    assert "REASON_REQUIRED" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("list", "trackside.v1.CollectorService"),
        ("list", "grpc.reflection.v1.ServerReflection"),
        ("describe trackside.v1.CollectorService", "rpc CollectBatch ("),
        ("describe trackside.v1.CollectorService.Collect", "rpc Collect ( .trackside.v1.CollectRequest )"),
        ("describe trackside.v1.Event", "message Event {"),
        ("describe trackside.v1.Event.message_id", "string message_id = 1"),
        ("describe trackside.v1.Outcome", "OUTCOME_ACCEPTED = 1"),
        ("describe trackside.v1.OUTCOME_ACCEPTED", "OUTCOME_ACCEPTED = 1"),
        ("describe trackside.v1.routes", "routes = 52801"),
        ("describe grpc.reflection.v1.ServerReflection", "rpc ServerReflectionInfo"),
        ("describe grpc.reflection.v1alpha.ServerReflection", "rpc ServerReflectionInfo"),
    ],
)
def test_reflection_lists_and_describes(described: Serving, arguments: str, said: str) -> None:
    done = run(f"grpcurl -plaintext {described.grpc} {arguments}", described.directory)
    assert (done.returncode, done.stderr) == (0, "")
    assert said in " ".join(done.stdout.split())

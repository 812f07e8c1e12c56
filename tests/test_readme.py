"""What README.md tells people to type does what README.md says. (`tests/grpc_tools` has its call of grpcurl.)"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.serving import PATIENCE, Serve, Serving, environment

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = [textwrap.dedent(block) for block in re.findall(r"(?:^ {4}.*\n)+", README, re.MULTILINE)]
COMMAND = Path(sys.executable).with_name("trackside")
SERVE = re.findall(r"^ {4}((?:\w+=\S+ )*)\.venv/bin/trackside serve ?(.*)", README, re.MULTILINE)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts collectors, and stops them afterwards."""
    serve = Serve(tmp_path)
    yield serve
    serve.close()


def fenced(language: str) -> str:
    """The one block in a language."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return block


def typed(command: str, serving: Serving) -> str:
    """What a command prints that is typed where the collector was started, though its ports are others."""
    for port, address in ((8080, serving.http.removeprefix("http://")), (50051, serving.grpc)):
        command = command.replace(f"127.0.0.1:{port}", address)
    command = command.replace(".venv/bin/", f"{COMMAND.parent}/")
    return subprocess.run(
        ["sh", "-c", command],
        cwd=serving.directory,
        env=environment(),
        capture_output=True,
        check=True,
        timeout=PATIENCE,
        text=True,
    ).stdout


def unstamped(record: str) -> str:
    """A record but for the time and the sender's version."""
    record, stamps = re.subn(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME", record)
    record, agents = re.subn(r"curl/[\d.]+", "curl", record)
    assert (stamps, agents) == (2, 1)
    return record


def test_first_event_is_answered_and_in_the_queue_as_it_says(serve: Serve) -> None:
    start, curl, answer, tail, record = BLOCKS[:5]
    assert start == "make serve\n"
    serving = serve(command=[COMMAND]).ready()
    assert typed(curl, serving) == answer.rstrip()
    assert unstamped(typed(tail, serving)) == unstamped(record)


def test_python_call_is_accepted(serve: Serve) -> None:
    serving = serve().ready()
    call = fenced("python").replace("127.0.0.1:50051", serving.grpc)
    done = subprocess.run([sys.executable, "-c", call], capture_output=True, timeout=PATIENCE, text=True)
    printed = re.search(r"It prints `(.+?)`", README)
    assert printed
    assert (done.stdout.strip(), done.stderr) == (printed[1], "")
    assert '"messageId":"m-2"' in typed(".venv/bin/trackside tail", serving)


@pytest.mark.parametrize(("variables", "arguments"), SERVE)
def test_ways_to_give_a_setting_start_it(serve: Serve, variables: str, arguments: str) -> None:
    assert len(SERVE) == 3
    (serve.directory() / "sources.toml").write_text(fenced("toml"))
    given = dict(pair.split("=") for pair in shlex.split(variables.replace("9000", "0")))
    assert serve(*shlex.split(arguments.replace("9000", "0")), command=[COMMAND], **given).ready().http


def test_sources_are_checked_and_enforced(serve: Serve) -> None:
    (serve.directory() / "sources.toml").write_text(fenced("toml"))
    serving = serve("--sources=sources.toml").ready()
    (check,) = re.findall(r"^ {4}(\.venv/bin/trackside sources check .*)", README, re.MULTILINE)
    assert "Mode: enforce. Sources: 1." in typed(check, serving)
    curl = BLOCKS[1]
    assert "Invalid or missing writekey" in typed(curl, serving)
    assert typed(curl.replace("my-key", "wk_website_1"), serving) == BLOCKS[2].rstrip()


@pytest.mark.parametrize("target", re.findall(r"^ {4}make ([\w-]+)", README, re.MULTILINE))
def test_targets_are_in_the_makefile(target: str) -> None:
    subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, check=True, timeout=PATIENCE)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_links_lead_somewhere(path: str) -> None:
    assert (ROOT / path).exists()

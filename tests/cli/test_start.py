"""How `trackside serve` starts, and what it says when it cannot."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.cli.serving import COMMAND, PATIENCE, Serve, environment

PORTS = ("--http-port=0", "--grpc-port=0", "--admin-port=0")


def run(directory: Path, *arguments: str, **variables: str) -> tuple[int, str, str]:
    """The exit code, and what was said on stdout and on stderr."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=directory,
        env=environment() | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout, done.stderr


def complaint(directory: Path, *arguments: str, **variables: str) -> str:
    """The one sentence that `serve` ends with."""
    code, stdout, stderr = run(directory, "serve", *PORTS, *arguments, **variables)
    assert (code, stdout) == (78, "")
    lines = [line for line in stderr.splitlines() if " INFO " not in line]
    assert len(lines) == 1, stderr
    return lines[0]


@pytest.mark.parametrize("port", ["http", "grpc", "admin"])
def test_port_that_is_taken_is_a_sentence(tmp_path: Path, port: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        assert complaint(tmp_path, f"--{port}-port={number}") == (
            f"Error: Cannot listen on 127.0.0.1:{number}: address already in use. Choose another with --{port}-port."
        )


def test_host_that_is_not_this_machine_is_a_sentence(tmp_path: Path) -> None:
    assert complaint(tmp_path, "--host=192.0.2.1") == (
        "Error: Cannot listen on 192.0.2.1:0: cannot assign requested address."
    )


def test_data_directory_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert complaint(tmp_path, "--data-dir=file/data") == (
        "Error: The data directory file/data cannot be written: Not a directory."
    )


def test_path_that_is_too_long_for_a_socket_is_a_sentence(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    said = complaint(tmp_path, TMPDIR=str(long))
    assert said.startswith(f"Error: The path {long}/trackside-")
    assert said.endswith("is too long for a socket. Choose another with TMPDIR or --grpc-socket.")


def test_bad_setting_is_a_sentence(tmp_path: Path) -> None:
    assert complaint(tmp_path, "--workers=0") == (
        "Error: --workers cannot be '0': input should be greater than or equal to 1."
    )


def test_bad_file_of_sources_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text("mode = 'shut'")
    said = complaint(tmp_path, "--sources=sources.toml")
    assert said.startswith("Error: The sources file sources.toml is not valid: ")


def test_bad_queue_url_is_said_once_by_the_service(tmp_path: Path) -> None:
    assert complaint(tmp_path, "--queue=carrier-pigeon://loft").startswith(
        "There is no queue for 'carrier-pigeon://loft'"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--only=front",), "Error: --only front needs the setting `service`"),
        (("--service=elsewhere:1",), "Error: The setting `service` names a service that runs elsewhere"),
    ],
)
def test_service_setting_goes_with_only_front(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    assert complaint(tmp_path, *arguments).startswith(said)


def test_variable_that_is_almost_a_setting_is_warned_of(tmp_path: Path) -> None:
    variables = {"TRACKSIDE_HTTP_PROT": "1", "TRACKSIDE_SERVICE_HOST": "10.0.0.1", "TRACKSIDE_WORKERS": "0"}
    _, _, stderr = run(tmp_path, "serve", **variables)
    warnings = [line for line in stderr.splitlines() if "WARNING" in line]
    assert len(warnings) == 1
    assert warnings[0].endswith("TRACKSIDE_HTTP_PROT is no setting: did you mean TRACKSIDE_HTTP_PORT?")


def test_variables_of_kubernetes_are_ignored_with_a_warning(serve: Serve) -> None:
    """It sets these in every pod beside Services that are called trackside, trackside-http and so on."""
    variables = {
        "TRACKSIDE_HTTP_PORT": "tcp://10.0.0.1:8080",
        "TRACKSIDE_GRPC_PORT": "tcp://[fd00::1]:50051",
        "TRACKSIDE_ADMIN_PORT": "udp://10.0.0.1:8081",
        "TRACKSIDE_PORT": "tcp://10.0.0.1:8080",
        "TRACKSIDE_PORT_8080_TCP": "tcp://10.0.0.1:8080",
        "TRACKSIDE_PORT_8080_TCP_PORT": "8080",
        "TRACKSIDE_PORT_8080_TCP_ADDR": "10.0.0.1",
        "TRACKSIDE_SERVICE_HOST": "10.0.0.1",
        "TRACKSIDE_SERVICE_PORT": "8080",
        "TRACKSIDE_HTTP_SERVICE_PORT_HTTP": "8080",
    }
    serving = serve(**variables).ready()
    assert httpx.get(f"{serving.http}/health").status_code == 200
    (warning,) = [line for line in serving.log.splitlines() if "Kubernetes" in line or "is no setting" in line]
    assert "WARNING" in warning
    links = [key for key, value in sorted(variables.items()) if "://" in value]
    assert f"Ignored, as Kubernetes sets them for a Service: {', '.join(links)}; " in warning


def test_help_has_every_command_and_setting(tmp_path: Path) -> None:
    assert {"serve", "sources", "tail"} <= set(run(tmp_path, "--help")[1].split())
    assert "--drain-timeout" in run(tmp_path, "serve", "--help")[1]


def test_version_is_printed(tmp_path: Path) -> None:
    assert run(tmp_path, "--version") == (0, "trackside, version 0.1.0\n", "")


def test_valid_file_of_sources_is_shown_with_masked_keys(tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text("[[source]]\nkey = 'wk_0123456789'\nname = 'website'\n")
    assert run(tmp_path, "sources", "check", "sources.toml") == (
        0,
        "sources.toml is valid. Mode: enforce. Sources: 1.\n  wk_0…     website\n",
        "",
    )


def test_invalid_file_of_sources_is_a_sentence(tmp_path: Path) -> None:
    code, stdout, stderr = run(tmp_path, "sources", "check", "nowhere.toml")
    assert (code, stdout) == (78, "")
    assert stderr == "Error: The sources file nowhere.toml cannot be read: No such file or directory.\n"


def test_curl_that_the_start_prints_works_when_pasted(serve: Serve) -> None:
    serving = serve().ready()
    assert "OPEN TO ANYONE" in serving.banner
    answer = subprocess.run(["sh", "-c", serving.curl], capture_output=True, check=True, timeout=PATIENCE)
    assert json.loads(answer.stdout) == {"Success": True}
    _, queued, _ = run(serving.directory, "tail")
    assert json.loads(queued)["event"] == "Hello"


@pytest.mark.parametrize("on_path", [True, False])
def test_tail_that_the_start_prints_works_when_pasted(serve: Serve, on_path: bool) -> None:
    """Not in an activated environment, the command is called by its path, as `make serve` does."""
    command = Path(sys.executable).with_name("trackside")
    path = {"PATH": f"{command.parent}:{os.environ['PATH']}"} if on_path else {}
    serving = serve("--data-dir=some/where", command=[command], **path).ready()
    assert serving.tail == f"{'trackside' if on_path else command} tail --data-dir some/where"
    subprocess.run(["sh", "-c", serving.curl], capture_output=True, check=True, timeout=PATIENCE)
    tail = ["sh", "-c", serving.tail]
    env = environment() | path
    queued = subprocess.run(tail, capture_output=True, check=True, timeout=PATIENCE, cwd=serving.directory, env=env)
    assert json.loads(queued.stdout)["event"] == "Hello"


def test_curl_keeps_the_key_of_a_source_out_of_a_log(serve: Serve) -> None:
    directory = serve.directory("trackside")
    (directory / "sources.toml").write_text("[[source]]\nkey = 'wk_0123456789'\nname = 'website'\n")
    serving = serve("--sources=sources.toml").ready()
    assert "enforced" in serving.banner
    assert "wk_0123456789" not in serving.banner + serving.log
    pasted = f"WRITE_KEY={shlex.quote('wk_0123456789')}; {serving.curl}"
    answer = subprocess.run(["sh", "-c", pasted], capture_output=True, check=True, timeout=PATIENCE)
    assert json.loads(answer.stdout) == {"Success": True}

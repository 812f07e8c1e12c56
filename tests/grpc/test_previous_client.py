"""A client whose code was generated from the protos as they were released last works with this service."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tests.cli.serving import PATIENCE, environment
from tests.grpc.serving import queued, service

BASELINE = Path(__file__).parents[2] / "proto" / "breaking-baseline.binpb"
CLIENT = Path(__file__).parent / "previous_client.py"


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    """A directory with the Python code of the released protos, and nothing of today's."""
    out = tmp_path / "generated"
    out.mkdir()
    files = FileDescriptorSet.FromString(BASELINE.read_bytes()).file
    names = [file.name for file in files if not file.name.startswith("google/")]
    protoc = [sys.executable, "-m", "grpc_tools.protoc", f"--descriptor_set_in={BASELINE}"]
    subprocess.run([*protoc, f"--python_out={out}", f"--grpc_python_out={out}", *names], check=True, timeout=PATIENCE)
    for module in out.rglob("*_pb2.py"):  # a package goes before the one that is installed, a mere folder does not
        (module.parent / "__init__.py").touch()
    return out


def test_previous_python_client_gets_the_same_verdicts(tmp_path: Path, generated: Path) -> None:
    with service(tmp_path) as running:
        done = subprocess.run(
            [sys.executable, "-P", str(CLIENT), running.address],
            env=environment() | {"PYTHONPATH": str(generated)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        str(generated / "trackside" / "v1" / "collector_service_pb2.py"),
        "OUTCOME_ACCEPTED",
        "OUTCOME_ACCEPTED OUTCOME_DUPLICATE OUTCOME_REFUSED",
        "(2, 'REASON_REQUIRED', 'userId')",
    ]
    one, two = [json.loads(line) for line in queued(tmp_path)]
    assert (one["event"], one["properties"], one["context"]) == (
        "Order Completed",
        {"total": 9.5, "items": ["a", None]},
        {"n": 9007199254740993},
    )
    assert (two["type"], two["traits"], two["writeKey"]) == ("identify", {"plan": "pro"}, "previous")

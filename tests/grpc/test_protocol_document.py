"""docs/protocol.md says what the protos say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.cli.serving import PATIENCE

SCRIPT = Path(__file__).parents[2] / "proto" / "document.py"


def test_reference_is_made_from_the_protos_as_they_are() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")

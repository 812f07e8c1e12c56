"""The collector answers as its OpenAPI document says: schemathesis makes the requests, and checks the answers.

FUZZ_API=1, or `make fuzz-api`, makes it run for minutes, with more than 10,000 requests.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest

from tests.running import KEY, collector

HERE = Path(__file__).parent
RECORD = HERE.parents[1] / "docs" / "schema" / "record.json"
FEW = ["--phases", "fuzzing", "--max-examples", "6", "--seed", "15"]
MANY = ["--phases", "examples,coverage,fuzzing", "--max-examples", "200"]


@pytest.mark.timeout(1800)
def test_answers_are_as_documented_and_records_too(tmp_path: Path) -> None:
    many = bool(os.environ.get("FUZZ_API"))
    with collector(tmp_path) as trackside:
        document = f"{str(trackside.http.base_url).rstrip('/')}/openapi.json"
        command = [
            sys.executable,
            "-m",
            "schemathesis.cli",
            "--config-file",
            HERE / "schemathesis.toml",
            "run",
            document,
        ]
        options = ["--auth", f"{KEY}:", "--checks", "all", "--continue-on-failure", "--generation-database", "none"]
        done = subprocess.run(
            [*command, *options, "--no-color", *(MANY if many else FEW)],
            cwd=tmp_path,
            env=os.environ | {"SCHEMATHESIS_HOOKS": str(HERE / "hooks.py")},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        count = re.search(r"(\d+) generated", done.stdout)
        assert count
        assert int(count[1]) >= (10_000 if many else 200)
        print(done.stdout[done.stdout.index("Test cases:") :])
        records = [json.loads(line) for line in trackside.lines()]
    assert len(records) > 20
    valid = jsonschema_rs.validator_for(json.loads(RECORD.read_text("utf-8")))
    for record in records:
        valid.validate(record)

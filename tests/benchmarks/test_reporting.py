"""What is reported are medians, and medians of the ratios within each round."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import compare
from benchmarks.reporting import CEILING, OURS, Measured, busy, new_heads, table
from benchmarks.sending import Result


def result(rate: float, cpu: float = 50.0, generator: float = 0.1) -> Result:
    each = {"service": cpu / 2, "http_front": cpu / 2}
    return Result(rate, 1.0, 2.0, 3.0, cpu, each, 200.0, generator)


def measured(row: str = "mix-64") -> Measured:
    # Of the rounds the second is twice as fast, for everybody.
    return {
        row: {
            CEILING: [result(1000), result(2000), result(1000)],
            "old": [result(100), result(200), result(110)],
            OURS: [result(250, 25), result(500, 25), result(220, 25)],
        }
    }


def test_ratios_are_taken_within_a_round() -> None:
    ours, ratio = table(measured(), "old").splitlines()[-2:]
    assert "| 250 | 0.250 | 1.00 | 2.0 | 25.0 | service 12.5, http_front 12.5 |" in ours
    assert "| 2.50 (2.00 to 2.50) |" in ratio
    assert "service 0.50 (0.50 to 0.50)" in ratio


def test_without_another_commit_there_are_no_ratios() -> None:
    assert "ratio" not in table(measured(), None)


def test_the_front_s_cpu_for_new_heads_is_told_beside_that_for_repeated_ones() -> None:
    heads = measured("one-64") | measured("one-64-new-heads")
    for each in heads["one-64-new-heads"].values():
        each[:] = [one._replace(cpu_by_process={"http_front": 100.0}) for one in each]
    assert "8.00 (8.00 to 8.00) with this checkout; 4.00 (4.00 to 4.00) with old" in new_heads(heads, "old")
    assert new_heads(measured(), "old") == ""


def test_a_load_generator_that_may_have_been_the_limit_is_named() -> None:
    assert busy(measured()) == []
    assert len(busy({"mix-64": {OURS: [result(1), result(1, generator=0.97)]}})) == 1


def test_a_ratio_that_fell_is_named_and_recording_keeps_the_other_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = tmp_path / "recorded.json"
    monkeypatch.setattr(compare, "RECORDED", recorded)
    recorded.write_text('{"one-1": 0.05, "mix-64": 0.29}')
    assert compare.fallen(measured()) == []
    recorded.write_text('{"one-1": 0.05, "mix-64": 0.30}')
    assert len(compare.fallen(measured())) == 1
    compare.record(measured())
    assert json.loads(recorded.read_text()) == {"mix-64": 0.25, "one-1": 0.05}

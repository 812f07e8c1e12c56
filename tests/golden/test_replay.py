"""Recorded requests of real SDKs get the answers, and become the records, that they did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.replay import CAPTURES, golden, replay
from tests.running import Running


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda capture: capture.stem)
def test_recorded_requests_get_the_same_answers_and_records(capture: Path, trackside: Running) -> None:
    assert replay(capture, trackside) == golden(capture).read_text()


def test_every_golden_file_has_its_recorded_requests() -> None:
    assert {golden(capture) for capture in CAPTURES} == set(golden(CAPTURES[0]).parent.iterdir())

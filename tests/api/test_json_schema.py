"""docs/schema says of an event what the collector says, and of a record what is queued."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.door_cases import CASES
from tests.doors import SINGLE, Case
from tests.running import Running, collector
from tests.test_doors import FITS

SCHEMA = Path(__file__).parents[2] / "docs" / "schema"
SAID_BY_SCHEMA = ("REQUIRED", "WRONG_TYPE", "UNKNOWN_TYPE", "TYPE_MISMATCH", "NOT_AN_OBJECT")
"""The reasons that a schema can express."""


def validator(name: str) -> Any:
    return jsonschema_rs.validator_for(json.loads((SCHEMA / f"{name}.json").read_text("utf-8")))


EVENTS = {name: validator(name) for name in ("identify", "track", "page", "screen", "group", "alias", "event", "batch")}
RECORD = validator("record")


@pytest.fixture(scope="module")
def trackside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with collector(tmp_path_factory.mktemp("schema"), duplicate_window=0) as running:
        yield running


def value(case: Case) -> Any:
    return json.loads(case.json(), parse_constant=_no_json)


def _no_json(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def sendable(case: Case) -> bool:
    """The case is JSON of one event, which its own route takes or refuses."""
    if not all(SINGLE in FITS[row] for row in case.rows()):
        return False
    try:
        value(case)
    except (ValueError, RecursionError):
        return False
    return not case.delivery and len(case.json()) < 15_000


ACCEPTED = [case for case in CASES if sendable(case) and not case.refused]
REFUSED = [case for case in CASES if sendable(case) and case.refused and case.refused[0] in SAID_BY_SCHEMA]


def named(case: Case) -> str:
    return f"{case.kind}: {case.name}"[:80]


@pytest.mark.parametrize("case", ACCEPTED, ids=named)
def test_accepted_event_is_valid_and_so_is_its_record(trackside: Running, case: Case) -> None:
    EVENTS[case.kind].validate(value(case))
    assert trackside.post(f"/v1/{case.kind}", case.json()).status_code == 200
    (line,) = trackside.lines()
    RECORD.validate(json.loads(line))


@pytest.mark.parametrize("case", REFUSED, ids=named)
def test_refused_event_is_not_valid(case: Case) -> None:
    assert not EVENTS[case.kind].is_valid(value(case))

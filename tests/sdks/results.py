"""What the runs showed, kept for docs/sdks.md."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

from tests.sdks.catalog import BUILD, SCENARIOS, Scenario, Sdk
from tests.sdks.run import Run

RESULTS = BUILD / "results"


class Result(TypedDict):
    """One scenario of one SDK: what does not depend on how fast the machine is."""

    answers: list[str]
    """Each status that the SDK got, 200 the last; "cut" where the connection was."""
    tries: int
    """How often the one request was sent that was sent most often."""
    calls: list[str]
    """The calls that are in the queue."""


def _file(sdk: Sdk, scenario: Scenario) -> Path:
    return RESULTS / f"{sdk.key(scenario)}.json"


def note(sdk: Sdk, scenario: Scenario, done: Run) -> None:
    """Keep what a run showed, after its test has found it right."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    answers = sorted(done.answers, key=lambda status: (status == "200", status))
    result: Result = {"answers": answers, "tries": done.tries, "calls": list(done.queued)}
    _file(sdk, scenario).write_text(json.dumps(result))


def of(sdk: Sdk) -> Iterator[tuple[Scenario, Result]]:
    """What the last runs of an SDK showed. Raises FileNotFoundError where it was not run."""
    for scenario in SCENARIOS:
        if scenario in sdk.scenarios:
            yield scenario, json.loads(_file(sdk, scenario).read_text())

"""Same input, same verdict and same record, on every door (docs/doors.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.door_cases import CASES
from tests.doors import (
    BATCH,
    COLLECT,
    COLLECT_BATCH,
    COLLECT_BATCH_STRUCT,
    COLLECT_STRUCT,
    DOORS,
    PIXEL,
    SINGLE,
    WEBHOOK,
    Case,
    Verdict,
    posted,
)
from tests.http_front.wire import connected
from tests.running import KEY, NOW_TEXT, Running, basic, collector

DOCUMENT = Path(__file__).parent.parent / "docs" / "doors.md"
GROUPS = {
    "HTTP": {SINGLE, BATCH, PIXEL, WEBHOOK},
    "gRPC": {COLLECT, COLLECT_BATCH, COLLECT_STRUCT, COLLECT_BATCH_STRUCT},
    "text": {SINGLE, BATCH, PIXEL, WEBHOOK, COLLECT, COLLECT_BATCH},
}


def documented() -> dict[str, set[str]]:
    """What only some doors can say, and which, as the document has it."""
    table = DOCUMENT.read_text("utf-8").partition("| what | doors that can say it |")[2]
    rows = re.findall(r"^\| ([^|]+?) \| ([^|]+?) \| [^|]+ \|$", table, re.MULTILINE)
    return {what: {door for name in doors.split(", ") for door in GROUPS.get(name, {name})} for what, doors in rows}


FITS = documented()


@pytest.fixture(scope="module")
def trackside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A collector that adds nothing to a context, and to which nothing is a duplicate."""
    directory = tmp_path_factory.mktemp("doors")
    with collector(directory, client_address="off", duplicate_window=0) as running:
        running.http.headers["User-Agent"] = ""
        yield running


def record_of(case: Case) -> dict[str, Any]:
    """The record that the case should make."""
    if case.text:
        sent: dict[str, Any] = {"type": "track", "messageId": "m-1", "userId": "u-1", "event": "E"}
    else:
        sent = {name: json.loads(text) for name, text in case.event().items()}
    stamped = {"timestamp": NOW_TEXT, "receivedAt": NOW_TEXT, "writeKey": KEY}
    times = {name: sent[name] for name in ("timestamp",) if name in sent}
    return {name: value for name, value in {**sent, **stamped, **times, **case.record}.items() if value is not None}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}: {case.name}"[:80])
def test_every_door_gives_the_same_verdict_and_the_same_record(trackside: Running, case: Case) -> None:
    doors = [name for name in DOORS if all(name in FITS[row] for row in case.rows())]
    trackside.lines()
    verdicts = {name: DOORS[name](trackside, case) for name in doors}
    assert verdicts == dict.fromkeys(doors, Verdict(*case.refused or ()))
    lines = trackside.lines()
    if case.refused:
        assert lines == []
        return
    assert len(lines) == len(doors)
    expected = record_of(case)
    for name, line in zip(doors, lines, strict=True):
        assert json.loads(line) == expected, name
    # Doors that carry text carry its spelling.
    assert len({line for name, line in zip(doors, lines, strict=True) if name in GROUPS["text"]}) <= 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}: {case.name}"[:80])
def test_repeated_request_is_answered_as_the_first_was(trackside: Running, case: Case) -> None:
    doors = [name for name in (SINGLE, BATCH, WEBHOOK) if all(name in FITS[row] for row in case.rows())]
    trackside.lines()
    for door in doors:
        path, body = posted(door, case)
        key = basic(case.key).get("Authorization") if door != WEBHOOK else None
        head = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body.encode())}"]
        request = "\r\n".join([*head, *([f"Authorization: {key}"] if key else []), "", body]).encode()
        with connected(trackside.http_address) as wire:
            wire.send(request)
            first = wire.answer()
            wire.send(request)
            second = wire.answer()
        assert (second.status, second.body) == (first.status, first.body)
        assert {**second.headers, "date": ""} == {**first.headers, "date": ""}
        lines = trackside.lines()
        assert [json.loads(line) for line in lines] == ([] if case.refused else [record_of(case)] * 2)


def test_document_lists_what_only_some_doors_can_say() -> None:
    assert set(FITS) == {row for case in CASES for row in case.rows()}
    assert set().union(*FITS.values()) <= set(DOORS)


def test_document_names_every_door() -> None:
    table = DOCUMENT.read_text("utf-8").partition("| door | what is sent |")[2]
    assert re.findall(r"^\| (\w[^|]*?) \|", table.partition("\n\n")[0], re.MULTILINE) == list(DOORS)

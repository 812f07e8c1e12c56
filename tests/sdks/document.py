"""Writes docs/sdks.md from what the last run of the tests showed; with --check, says whether it is still true."""

import re
import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from http_front.client_quirks import CLIENTS
from tests.golden.replay import CAPTURES, golden
from tests.sdks import results
from tests.sdks.catalog import SDKS, Scenario, Sdk
from tests.sdks.not_run import RECORDED, UNPROVED, Recorded

DOCUMENT = Path(__file__).parents[2] / "docs/sdks.md"
INTRODUCTION = """\
# SDKs

The results say of each SDK how it was proved:

- **run**: `make test-sdks` runs the published package, unchanged, at the version given, against a real
  `trackside serve`.
- **replayed**: no registry here has the SDK. `tests/golden` sends [its recorded requests](#recorded-requests-replayed)
  again, byte for byte, and compares answers and records.

Some SDKs are [not proved](#not-proved). This page is written from the runs (`make sdks-docs`), and `make test-sdks`
fails when it no longer says what they show. `HOST` is the address of the collector, like `http://127.0.0.1:8080`, and
`WRITE_KEY` a key of one of its sources.

Each SDK that is run makes every call that it has, with nested objects, unicode, nulls and the largest integer that its
language has, and what is queued is compared with what it was told to send and with what was on the wire. Then come:

| column | what happens | what is held |
|---|---|---|
| one refused | one event of three is refused | the other two are queued once |
| all refused | the write key is unknown | nothing is queued; the resends end |
| 20 KB event | one event of three is over 15 KB | the other two are queued once |
| 600 KB | 65 events of 9 KB with the batch size, where there is one, raised to 250 | each is queued once |
| busy twice | two answers are 503 with `Retry-After: 1` | each event is queued once |
| cut | the server has queued, and the connection ends before the answer | each event is queued once |
| left page | a page is left before any request is answered, and opened again later | each event is queued once |

The columns show the answers that the SDK got: "cut" is a connection without an answer, `10 x 400` one request that was
sent ten times. Some [get 200 in place of 207](#clients-that-get-200-in-place-of-207). Every program ended by itself; a
page, and an app in Kotlin, stayed open until each event was answered and nothing more had come for four seconds.
"""
REPLAYED = """\
## Recorded requests, replayed

These show that the requests are understood. They do not show what the SDK does after a fault or a refusal.
"""
NOT_PROVED = """\
## Not proved

Nothing here shows that these work.
"""
STAND_IN = """\
## Clients that get 200 in place of 207

They take 207 for a failure and send the whole batch again. The body is the same, and tells what was refused. The
setting `stand_in_for_207` turns this off.
"""
NO_IDS = """\
## SDKs that send no messageId

Their events are refused unless `generate_message_id` is true: in the entry of their source in the file of sources, or
as a [setting](settings.md) for all sources. A resend is then a second event.
"""
RECORDED_HEADER = ["SDK", "version", "language", "requests", "answers", "events queued", "recorded from"]
ANSWER = re.compile(r"\d{3} ")
COLUMNS: dict[Scenario, str] = {
    "one-refused": "one refused",
    "all-refused": "all refused",
    "large-event": "20 KB event",
    "large-batch": "600 KB",
    "busy": "busy twice",
    "cut": "cut",
    "unload": "left page",
}


def row(sdk: Sdk) -> str:
    shown = dict(results.of(sdk))
    cells: list[str] = []
    for scenario in COLUMNS:
        if scenario not in shown:
            cells.append("")
        elif scenario in sdk.loses:
            cells.append("loses some")
        elif scenario in ("large-batch", "unload"):  # What is in a request there, and so the answers, vary.
            cells.append("all arrive")
        elif scenario == "all-refused" and shown[scenario]["tries"] > 1:
            cells.append(f"{shown[scenario]['tries']} x {', '.join(shown[scenario]['answers'])}")
        else:
            cells.append(", ".join(shown[scenario]["answers"]))
    return f"| [{sdk.title or sdk.name}](#{sdk.slug}) | {sdk.version} | run | {' | '.join(cells)} |"


def replayed_row(sdk: Recorded) -> str:
    return f"| [{sdk.name}](#recorded-requests-replayed) | {sdk.version} | replayed |{'  |' * len(COLUMNS)}"


def recorded_row(sdk: Recorded) -> str:
    """How many requests the golden files hold, what each was answered, and how many events were queued."""
    files = {capture.stem: golden(capture).read_text().splitlines() for capture in CAPTURES}
    lines = [line for stem in sdk.captures for line in files[stem]]
    answers = [line.split(" ")[0] for line in lines if ANSWER.match(line)]
    events = sum(line.startswith("{") for line in lines)
    counts = ", ".join(f"{answers.count(status)} x {status}" for status in sorted(set(answers)))
    return (
        f"| {sdk.name} | {sdk.version} | {sdk.language} | {len(answers)} | {counts} | {events} | {sdk.recorded_from} |"
    )


def section(sdk: Sdk) -> Iterable[str]:
    shown = dict(results.of(sdk))
    tries = shown["all-refused"]["tries"]
    yield f'<a id="{sdk.slug}"></a>\n\n### {sdk.title or sdk.name} {sdk.version}\n'
    yield f"```{fence(sdk)}\n{sdk.lines}\n```\n"
    if sdk.note:
        yield f"{sdk.note}\n"
    yield f"Calls: {', '.join(sorted(shown['every-call']['calls']))}.\n"
    yield f"Refused: it {f'tries {tries} times, then gives up' if tries > 1 else 'gives up at once'}.\n"
    if not sdk.sends_message_ids:
        yield (
            "It sends no `messageId`: its source needs `generate_message_id = true`, and a resend is a second event.\n"
        )
    for scenario, how in sdk.loses.items():
        yield f"Loses events in the column *{COLUMNS[scenario]}*: {how}.\n"


def stand_in(name: str) -> str:
    client = CLIENTS[name]
    told = [f"`{header.decode()}: {pattern.pattern}`".replace("|", "\\|") for header, pattern in client.headers.items()]
    return f"| {name} | {', '.join(told)} | {client.why} |"


def fence(sdk: Sdk) -> str:
    return sdk.language.split(" ")[0].lower()


def table(header: list[str], rows: Iterable[str]) -> str:
    return "\n".join([f"| {' | '.join(header)} |", "|---" * len(header) + "|", *rows]) + "\n"


def render() -> str:
    parts = [INTRODUCTION, "## Results\n"]
    header = ["SDK", "version", "proof", *COLUMNS.values()]
    parts.append(table(header, [*map(row, SDKS), *map(replayed_row, RECORDED)]))
    for language, sdks in groupby(SDKS, key=lambda sdk: sdk.language):
        parts.append(f"## {language}\n")
        parts += [part for sdk in sdks for part in section(sdk)]
    parts.append(REPLAYED)
    parts.append(table(RECORDED_HEADER, map(recorded_row, RECORDED)))
    parts.append(NO_IDS)
    without = {
        f"[{sdk.title or sdk.name}](#{sdk.slug}) {sdk.version}": "no member"
        for sdk in SDKS
        if not sdk.sends_message_ids
    }
    without |= {
        f"{sdk.name} {sdk.version} ({sdk.language})": sdk.in_place_of_message_id
        for sdk in RECORDED
        if sdk.in_place_of_message_id
    }
    parts.append(table(["SDK", "in place of a messageId"], (f"| {name} | {sent} |" for name, sent in without.items())))
    parts.append(STAND_IN)
    parts.append(table(["client", "told by", "on 207"], map(stand_in, CLIENTS)))
    parts.append(NOT_PROVED)
    parts.append("\n".join(f"- {name}: {reason}" for name, reason in UNPROVED.items()) + "\n")
    return "\n".join(parts)


def main() -> None:
    check = sys.argv[1:] == ["--check"]
    missing = [sdk.name for sdk in SDKS if not sdk.ready.exists()]
    if missing and check:
        print(f"docs/sdks.md is not checked, as some SDKs were not run: {', '.join(missing)}")
        return
    try:
        text = render()
    except FileNotFoundError as absent:
        sys.exit(f"docs/sdks.md is made from a run of every test, and {absent.filename} is not there.")
    if not check:
        DOCUMENT.write_text(text)
    elif DOCUMENT.read_text() != text:
        sys.exit("docs/sdks.md no longer says what the tests showed: `make sdks-docs` writes it again.")


if __name__ == "__main__":
    main()

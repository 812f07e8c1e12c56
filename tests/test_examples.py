"""The examples do what they say, against the real collector."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from event_model import schema
from tests.running import Running, collector

EXAMPLES = Path(__file__).parent.parent / "examples"
TIMEOUT = 60.0


def run(*command: str | Path) -> list[str]:
    """The lines that a command prints."""
    return subprocess.run(command, capture_output=True, check=True, timeout=TIMEOUT, text=True).stdout.splitlines()


def test_curl_sends_an_event_by_every_route(trackside: Running) -> None:
    trackside.lines()
    lines = run(EXAMPLES / "curl.sh", str(trackside.http.base_url), "curl-key")
    answers = dict(re.split(r"(?<=\S) +(?=[{i])", line) for line in lines)
    posts = {path for kind in schema.KINDS.values() for path in (kind.routes.long, kind.routes.short)}
    posts |= {"batch", "import", "b", "webhook?writeKey=curl-key", "w?writeKey=curl-key"}
    posts |= {"merge", "custom/event"}
    pixels = {f"GET /v1/pixel/{kind.routes.pixel}" for kind in schema.KINDS.values()}
    pixels |= {"GET /pixel/v1/track", "GET /pixel/v1/page"}
    assert json.loads(answers.pop("GET /version"))["product"] == "trackside"
    assert answers == {
        **{f"POST /v1/{path}": '{"Success": true}' for path in posts},
        **dict.fromkeys(pixels, "image/gif"),
        "GET /health": '{"Success": true}',
    }
    records = trackside.queued()
    assert len(records) == 6 * 3 + 3 * 2 + 2 + 4
    assert {record["writeKey"] for record in records} == {"curl-key"}
    assert [record["type"] for record in records][:18:3] == list(schema.KINDS)
    assert {record["context"]["page"]["path"] for record in records if record.get("integrations")} == {"/home"}


def test_curl_stops_at_what_is_refused(trackside: Running) -> None:
    with pytest.raises(subprocess.CalledProcessError) as raised:
        run(EXAMPLES / "curl.sh", str(trackside.http.base_url), ":")
    assert "Invalid or missing writekey" in raised.value.stdout


def test_grpc_caller_prints_what_became_of_each_event(trackside: Running) -> None:
    trackside.lines()
    assert run(sys.executable, EXAMPLES / "collect.py", f"unix:{trackside.data_dir / 'grpc'}", "grpc-key") == [
        "Collect: INVALID_ARGUMENT: userId or anonymousId is required",
        "  a program goes by REASON_REQUIRED",
        "CollectBatch, identify: OUTCOME_ACCEPTED",
        "CollectBatch, track: OUTCOME_ACCEPTED",
        "CollectBatch, track: OUTCOME_ACCEPTED",
        "CollectBatch, page: OUTCOME_REFUSED",
        "  number 3: REASON_REQUIRED: userId or anonymousId is required",
    ]
    identify, _, paid = trackside.queued()
    assert (identify["context"], identify["writeKey"]) == ({"locale": "en-GB"}, "grpc-key")
    assert paid["properties"] == {"order": 9007199254740993}


@pytest.fixture(scope="module")
def enforcing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A collector with the example's sources."""
    with collector(tmp_path_factory.mktemp("enforcing"), sources=EXAMPLES / "sources.toml") as running:
        yield running


def test_sources_are_valid() -> None:
    lines = run(sys.executable, "-P", "-m", "cli", "sources", "check", EXAMPLES / "sources.toml")
    assert lines[0].endswith("sources.toml is valid. Mode: enforce. Sources: 2.")


def test_sources_are_enforced(enforcing: Running) -> None:
    event = {"userId": "u", "event": "E"}
    assert enforcing.post("/v1/track", {**event, "messageId": "1"}, key="wk_website_1").status_code == 200
    assert (
        enforcing.post("/v1/track", {**event, "messageId": "2"}, key="wk_other").json()["code"] == "invalid_write_key"
    )
    assert enforcing.post("/v1/track", event, key="wk_website_1").json()["Details"] == "messageId"
    assert enforcing.post("/v1/track", event, key="wk_mails_1").status_code == 200
    given, made = enforcing.queued()
    assert (given["messageId"], given["writeKey"]) == ("1", "wk_website_1")
    assert re.fullmatch(r"[0-9a-f-]{36}", made["messageId"])

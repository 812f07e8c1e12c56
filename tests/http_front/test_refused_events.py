"""What was refused can be looked at, with its reason and what was sent."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.running import KEY, NOW_TEXT, Running, basic, collector
from tests.spec.expectations import kept_refused


def page(message_id: str, **members: Any) -> dict[str, Any]:
    return {"messageId": message_id, "userId": "u", "type": "page", **members}


@pytest.mark.parametrize(
    ("event", "reason", "field", "description"),
    [
        (page("no user", userId=""), "required", "userId", "userId or anonymousId is required"),
        (page("a click", type="click"), "unknown_type", "type", "type must be one of identify, track, page, screen,"),
        (page("an array", context=[1]), "wrong_type", "context", "context must be an object"),
        (page("a time", timestamp="no"), "invalid_timestamp", "timestamp", "timestamp must be an ISO 8601 time"),
        (page("too large", x="y" * 15_360), "event_too_large", "", "The event has 15426 bytes, 15360 are allowed"),
    ],
)
def test_refused_event_is_kept_with_its_reason(
    trackside: Running, event: dict[str, Any], reason: str, field: str, description: str
) -> None:
    response = trackside.post("/v1/batch", {"batch": [event]})
    assert response.status_code in (400, 413)
    kept = kept_refused(trackside, event["messageId"])
    assert kept.pop("description").startswith(description)
    payload = kept.pop("payload")
    assert kept == {
        "time": NOW_TEXT,
        "reason": reason,
        "field": field,
        "type": "" if event["type"] == "click" else "page",
        "messageId": event["messageId"],
        "source": "…",
    }
    shown = json.loads(payload)
    assert {name: shown[name] for name in shown if shown[name]} == {name: event[name] for name in event if event[name]}
    assert trackside.queued() == []


def test_event_is_kept_as_it_was_sent_where_the_front_refused_it(trackside: Running) -> None:
    body = b'{ "messageId":"as sent",  "userId": 1.0 }'
    assert trackside.post("/v1/page", body).status_code == 400
    assert kept_refused(trackside, "as sent")["payload"] == body.decode()


def test_pixel_that_is_no_json_is_kept_as_text(trackside: Running) -> None:
    text = '{"messageId":"of a pixel"'
    data = base64.b64encode(text.encode()).decode()
    assert trackside.http.get(f"/v1/pixel/page?data={data}", headers=basic(KEY)).status_code == 400
    assert text in [kept["payload"] for kept in _until(trackside, "malformed_json")]


def test_body_that_is_refused_whole_is_kept_up_to_16_kb(trackside: Running) -> None:
    body = b"[" + b"x" * 100_000
    assert trackside.post("/v1/webhook", body).status_code == 400
    (kept,) = [kept for kept in _until(trackside, "malformed_json") if kept["payload"].startswith("[")]
    assert kept["payload"] == body[:16_384].decode()


def test_event_that_is_a_duplicate_or_to_be_sent_again_is_not_kept(trackside: Running) -> None:
    for _ in range(2):
        assert trackside.post("/v1/page", page("good")).status_code == 200
    assert trackside.post("/v1/page", page("bad", userId="")).status_code == 400
    kept_refused(trackside, "bad")
    assert "good" not in [kept["messageId"] for kept in trackside.refused()]
    trackside.lines()


def test_event_that_is_refused_and_sent_again_is_kept_once(trackside: Running) -> None:
    for _ in range(3):
        assert trackside.post("/v1/page", page("again and again", userId="")).status_code == 400
    assert trackside.post("/v1/page", page("again and again", context=[1])).status_code == 400
    kept_refused(trackside, "again and again")
    _until(trackside, "required")
    kept = [kept["reason"] for kept in trackside.refused() if kept["messageId"] == "again and again"]
    assert kept == ["required", "wrong_type"]


def test_newest_are_kept(tmp_path: Path) -> None:
    with collector(tmp_path, refused_events=5) as running:
        for number in range(20):
            assert running.post("/v1/page", page(f"number {number}", userId="")).status_code == 400
        kept_refused(running, "number 19")
        assert [kept["messageId"] for kept in running.refused()] == [f"number {number}" for number in range(15, 20)]


def _until(trackside: Running, reason: str) -> list[dict[str, Any]]:
    """Every refused event that is kept for a reason, when what was refused so far is kept."""
    marker = f"marker {len(trackside.refused())} {reason}"
    assert trackside.post("/v1/page", page(marker, userId="")).status_code == 400
    kept_refused(trackside, marker)
    return [kept for kept in trackside.refused() if kept["reason"] == reason]

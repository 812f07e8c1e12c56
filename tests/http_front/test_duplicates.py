"""An event that is sent again is told by a header beside the same answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from tests.http_front.wire import connected, page, request
from tests.running import KEY, Running

SECOND = 1_000_000_000
WINDOW = 86_400
HEADER = "Trackside-Duplicate"

Send = Callable[[Running, dict[str, Any]], httpx.Response]
ENTRY_POINTS: dict[str, Send] = {
    "single": lambda running, event: running.post("/v1/page", event),
    "single, short": lambda running, event: running.post("/v1/p", event),
    "batch": lambda running, event: running.post("/v1/batch", {"batch": [event]}),
    "import": lambda running, event: running.post("/v1/import", {"batch": [event]}),
    "beacon": lambda running, event: running.post(f"/beacon/v1/batch?writeKey={KEY}", {"batch": [event]}, key=None),
    "pixel": lambda running, event: running.pixel("page", event),
    "flat pixel": lambda running, event: running.http.get("/pixel/v1/page", params={"writeKey": KEY, **event}),
    "merge": lambda running, event: running.post("/v1/merge", {**event, "type": "merge", "previousId": "p"}),
    "custom event": lambda running, event: running.post("/v1/custom/event", {"_metarouter": custom(event)}),
    "webhook": lambda running, event: running.post(f"/v1/webhook?writeKey={KEY}", event, key=None),
    "webhook's array": lambda running, event: running.post(f"/v1/w?writeKey={KEY}", [event], key=None),
    "webhook's batch": lambda running, event: running.post(f"/v1/w?writeKey={KEY}", {"batch": [event]}, key=None),
}


def event(message_id: str, **members: Any) -> dict[str, Any]:
    return {"messageId": message_id, "userId": "u", "type": "page", **members}


def custom(event: dict[str, Any]) -> dict[str, Any]:
    """MetaRouter's metadata of an event."""
    return {"writeKey": KEY, "eventName": "e", "eventID": event["messageId"], "userID": event["userId"]}


@pytest.mark.parametrize("first", ENTRY_POINTS)
@pytest.mark.parametrize("second", ENTRY_POINTS)
def test_event_sent_again_is_told_by_a_header(trackside: Running, first: str, second: str) -> None:
    sent = event(f"{first} {second}")
    new = ENTRY_POINTS[first](trackside, sent)
    again = ENTRY_POINTS[second](trackside, sent)
    fresh = ENTRY_POINTS[second](trackside, event(f"{first} {second} too"))
    assert (new.status_code, again.status_code, fresh.status_code) == (200, 200, 200)
    assert HEADER not in new.headers
    assert HEADER not in fresh.headers
    assert again.headers[HEADER] == "1"
    assert again.content == fresh.content
    kept = {name: value for name, value in again.headers.items() if name not in (HEADER.lower(), "date")}
    assert kept == {name: value for name, value in fresh.headers.items() if name != "date"}
    assert [record["messageId"] for record in trackside.queued()] == [sent["messageId"], f"{first} {second} too"]


@pytest.mark.parametrize("path", ["/v1/batch", f"/v1/webhook?writeKey={KEY}"])
def test_header_counts_the_events_of_a_request(trackside: Running, path: str) -> None:
    events = [event(f"{path} {number}") for number in range(12)]
    assert HEADER not in trackside.post(path, {"batch": events[:5]}).headers
    assert trackside.post(path, {"batch": events}).headers[HEADER] == "5"
    assert trackside.post(path, {"batch": events}).headers[HEADER] == "12"
    within = event(f"{path} within")
    assert trackside.post(path, {"batch": [within, within, within]}).headers[HEADER] == "2"
    assert len(trackside.queued()) == 13


def test_header_stands_beside_refusals(trackside: Running) -> None:
    known, refused = event("known"), event("refused", userId="")
    assert trackside.post("/v1/page", known).status_code == 200
    both = trackside.post("/v1/batch", {"batch": [known, refused, event("new")]})
    assert (both.status_code, both.headers[HEADER]) == (207, "1")
    assert [error["MessageId"] for error in both.json()["Errors"]] == ["refused"]
    for response in (
        trackside.post("/v1/page", refused),
        trackside.post("/v1/batch", {"batch": [refused, refused]}),
        trackside.post("/v1/batch", b"{"),
        trackside.pixel("page", refused),
    ):
        assert response.status_code == 400
        assert HEADER not in response.headers
    assert [record["messageId"] for record in trackside.queued()] == ["known", "new"]


def test_other_key_or_a_later_day_makes_no_duplicate(trackside: Running) -> None:
    sent = event("of several")
    assert trackside.post("/v1/page", sent).status_code == 200
    assert HEADER not in trackside.post("/v1/page", sent, key="another").headers
    assert trackside.post("/v1/page", sent).headers[HEADER] == "1"
    trackside.clock.now += (WINDOW + 1) * SECOND
    assert HEADER not in trackside.post("/v1/page", sent).headers
    assert len(trackside.queued()) == 3


def test_pages_may_read_the_header(trackside: Running) -> None:
    for headers in ({}, {"Origin": "https://shop.example"}):
        response = trackside.post("/v1/page", event("read by a page"), headers=headers)
        assert HEADER in response.headers["Access-Control-Expose-Headers"].split(", ")
    assert response.headers[HEADER] == "1"
    assert trackside.http.options("/v1/page").headers["Access-Control-Expose-Headers"].endswith(HEADER)
    assert len(trackside.queued()) == 1


def test_requests_that_come_together_are_told_apart(trackside: Running) -> None:
    assert trackside.post("/v1/page", event("shared call")).status_code == 200
    names = [name for number in range(8) for name in ("shared call", f"own {number}")]
    with ExitStack() as stack:
        wires = [stack.enter_context(connected(trackside.http_address)) for _ in names]
        for wire, name in zip(wires, names, strict=True):
            wire.send(request("/v1/page", page(name)))
        answers = [wire.answer() for wire in wires]
    assert [answer.headers.get(HEADER.lower()) for answer in answers] == ["1", None] * 8
    assert [answer.json for answer in answers] == [{"Success": True}] * 16
    queued = [json.loads(line)["messageId"] for line in trackside.lines()]
    assert sorted(queued) == sorted(["shared call", *[name for name in names if name.startswith("own")]])

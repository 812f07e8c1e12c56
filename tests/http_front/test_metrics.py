"""Each event has one outcome, and it is counted; so are requests, by route and status."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from prometheus_client import REGISTRY

from tests.http_front.gate import address, gated
from tests.http_front.wire import connected, request
from tests.running import KEY, Running, basic


def counted() -> dict[tuple[str, ...], float]:
    """How many events there were of each kind, source, outcome and reason."""
    return {
        (
            sample.labels["kind"],
            sample.labels["source"],
            sample.labels["outcome"],
            sample.labels["reason"],
        ): sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "trackside_events_total"
    }


def answered(route: str, status: int) -> float:
    labels = {"route": route, "status": str(status)}
    return REGISTRY.get_sample_value("trackside_http_request_seconds_count", labels) or 0


def more(before: dict[tuple[str, ...], float]) -> dict[tuple[str, ...], float]:
    """What was counted since."""
    return {labels: value - before.get(labels, 0) for labels, value in counted().items() if value != before.get(labels)}


def event(message_id: str, kind: str = "page", **members: Any) -> dict[str, Any]:
    return {"messageId": message_id, "type": kind, "userId": "u", **members}


def test_each_event_of_a_batch_has_one_outcome(trackside: Running) -> None:
    before, requests = counted(), answered("/v1/batch", 207)
    events = [
        event("1"),
        event("2", "track", event="e"),
        event("1"),
        event("3", "track"),
        event("4", userId=""),
        event("5", "click"),
        event("6", context=5),
        event("7", timestamp="no"),
        event("8", x="y" * 15_360),
        5,
    ]
    assert trackside.post("/v1/batch", {"batch": events}).status_code == 207
    assert more(before) == {
        ("page", "unknown", "accepted", ""): 1,
        ("track", "unknown", "accepted", ""): 1,
        ("page", "unknown", "duplicate", ""): 1,
        ("track", "unknown", "refused", "required"): 1,
        ("page", "unknown", "refused", "required"): 1,
        ("unknown", "unknown", "refused", "unknown_type"): 1,
        ("page", "unknown", "refused", "wrong_type"): 1,
        ("page", "unknown", "refused", "invalid_timestamp"): 1,
        ("page", "unknown", "refused", "event_too_large"): 1,
        ("unknown", "unknown", "refused", "not_an_object"): 1,
    }
    assert answered("/v1/batch", 207) == requests + 1
    assert [queued["messageId"] for queued in trackside.queued()] == ["1", "2"]


def test_refused_event_is_counted_once_however_often_it_is_sent(trackside: Running) -> None:
    before = counted()
    for _ in range(10):
        assert trackside.post("/v1/page", event("sent ten times", userId="")).status_code == 400
        assert trackside.post("/v1/page", {"userId": "without a messageId"}).status_code == 400
    assert more(before) == {("page", "unknown", "refused", "required"): 1 + 10}


@pytest.mark.parametrize(
    ("path", "body", "outcome"),
    [
        ("/v1/page", "{", "malformed_json"),
        ("/v1/batch", "{", "malformed_json"),
        ("/v1/batch", '{"batch":' + "[" * 20_000, "nested_too_deep"),
        ("/v1/batch", " " * 512_001, "request_too_large"),
        ("/v1/batch", "5", "not_an_object"),
    ],
)
def test_body_that_cannot_be_read_is_one_that_is_refused(
    trackside: Running, path: str, body: str, outcome: str
) -> None:
    before = counted()
    assert trackside.post(path, body).status_code in (400, 413)
    ((kind, source, *told), number) = next(iter(more(before).items()))
    assert (told, number) == (["refused", outcome], 1)
    assert (kind, source) == ("unknown", "unknown")
    assert len(more(before)) == 1


def test_missing_key_is_counted_under_an_unknown_source(trackside: Running) -> None:
    before = counted()
    assert trackside.post("/v1/page", event("m"), key=None).status_code == 400
    assert more(before) == {("page", "unknown", "refused", "invalid_write_key"): 1}


def test_kind_is_the_routes_where_the_event_does_not_say_it(trackside: Running) -> None:
    before = counted()
    assert trackside.post("/v1/page", {"messageId": "m", "userId": 1.5}).status_code == 400
    assert more(before) == {("page", "unknown", "refused", "wrong_type"): 1}


def test_senders_cannot_make_new_series(trackside: Running) -> None:
    before = counted()
    for number in range(5):
        trackside.post("/v1/batch", {"batch": [event("m", f"kind {number}")]}, key=f"key {number}")
        trackside.post(f"/v1/nowhere/{number}", {})
    assert more(before) == {("unknown", "unknown", "refused", "unknown_type"): 5}
    routes = {
        sample.labels["route"]
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "trackside_http_request_seconds_count"
    }
    assert not [route for route in routes if "nowhere" in route]


def test_time_of_a_request_is_measured_by_route_and_status(trackside: Running) -> None:
    routes = [("/v1/page", 200), ("/v1/p", 200), ("/v1/pixel", 200), ("/v1/page", 400), ("/v1/webhook", 200)]
    before = [answered(*route) for route in routes]
    trackside.post("/v1/page", event("routes 1"))
    trackside.post("/v1//p/", event("routes 2"))
    trackside.pixel("page", event("routes 3"))
    trackside.post("/v1/page", {})
    trackside.post("/v1/webhook?writeKey=k", event("routes 4"))
    assert [answered(*route) for route in routes] == [number + 1 for number in before]
    assert len(trackside.lines()) == 4


def seconds(name: str, **labels: str) -> float:
    """What a histogram has measured so far."""
    return REGISTRY.get_sample_value(f"{name}_sum", labels) or 0


PIXEL = "/v1/pixel/page?" + urlencode({"data": base64.b64encode(json.dumps(event("pixel")).encode()).decode()})


@pytest.mark.parametrize(
    ("route", "sent"),
    [
        ("/v1/page", request("/v1/page", json.dumps(event("single")).encode())),
        ("/v1/batch", request("/v1/batch", json.dumps({"batch": [event("batch")]}).encode())),
        ("/v1/pixel", request(PIXEL, method="GET")),
    ],
)
def test_measured_time_of_a_request_contains_the_time_that_it_waited_for_the_service(
    trackside: Running, tmp_path: Path, route: str, sent: bytes
) -> None:
    with gated(trackside, tmp_path) as (gate, http), connected(address(http)) as wire:
        for _ in range(2):  # once with a head that is new, once with one that is not
            before = seconds("trackside_http_request_seconds", route=route, status="200")
            began = time.perf_counter()
            wire.send(sent)
            assert gate.arrived.acquire(timeout=5)
            arrived = time.perf_counter()
            assert http.get("/nowhere").status_code == 404
            waited = time.perf_counter() - arrived
            gate.opened.set()
            assert wire.answer().status == 200
            measured = seconds("trackside_http_request_seconds", route=route, status="200") - before
            assert 0 < waited <= measured <= time.perf_counter() - began
            gate.opened.clear()
    trackside.lines()


def test_time_until_records_are_durable_is_measured(trackside: Running) -> None:
    before, began = seconds("trackside_queue_put_seconds"), time.perf_counter()
    assert trackside.post("/v1/page", event("durable")).status_code == 200
    measured = seconds("trackside_queue_put_seconds") - before
    assert 0 < measured < time.perf_counter() - began
    trackside.lines()


def test_event_that_waits_too_long_for_the_service_has_no_outcome_of_its_own(
    trackside: Running, tmp_path: Path
) -> None:
    before = counted()
    with gated(trackside, tmp_path, service_timeout=0.2) as (_, http):
        response = http.post("/v1/page", json=event("late"), headers=basic(KEY))
        assert response.status_code == 503
        assert more(before) == {}
    trackside.lines()

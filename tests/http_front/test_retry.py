"""What cannot be queued for a passing reason: 503 and 429, with the time after which a resend is worth while."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.http_front.gate import gated
from tests.running import KEY, Running, basic, collector, front_alone
from tests.spec.expectations import NO_INDEX, SUCCESS, assert_accepted, assert_answer, record, rejection_of


def told(title: str, message: str, code: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The body in the single and the batch form."""
    error = {"Error": title, "Message": message, "Details": ""}
    lower = {"code": code, "message": message}
    return {**error, **lower}, {"Success": False, "Errors": [{**error, **NO_INDEX}], **lower}


UNAVAILABLE, BATCH_UNAVAILABLE = told(
    "Service Unavailable", "Events cannot be queued now, send again later", "service_unavailable"
)
OVERLOADED, BATCH_OVERLOADED = told(
    "Too Many Requests", "More events wait than can be taken, send again later", "too_many_requests"
)


def event(message_id: str) -> dict[str, str]:
    return {"messageId": message_id, "userId": "u", "type": "page"}


def post(http: httpx.Client, path: str, body: Any) -> httpx.Response:
    return http.post(path, json=body, headers=basic(KEY))


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A front whose service is not there."""
    with front_alone(f"unix:{tmp_path_factory.mktemp('lonely') / 'nobody'}", service_timeout=1) as http:
        yield http


@pytest.mark.parametrize(
    ("path", "sent", "body"),
    [
        ("/v1/page", event("m"), UNAVAILABLE),
        ("/v1/page", {"messageId": "refused"}, UNAVAILABLE),
        ("/v1/webhook?writeKey=k", event("m"), UNAVAILABLE),
        ("/v1/webhook?writeKey=k", [event("m")], BATCH_UNAVAILABLE),
        ("/v1/batch", {"batch": [event("m"), 5]}, BATCH_UNAVAILABLE),
    ],
)
def test_event_is_503_while_the_service_is_down(
    lonely: httpx.Client, path: str, sent: Any, body: dict[str, Any]
) -> None:
    response = post(lonely, path, sent)
    assert_answer(response, 503, body)
    assert response.headers["Retry-After"] == "1"


def test_pixel_is_503_while_the_service_is_down(lonely: httpx.Client) -> None:
    data = {"data": "eyJtZXNzYWdlSWQiOiJtIiwidXNlcklkIjoidSJ9"}
    response = lonely.get("/v1/pixel/page", params=data, headers=basic(KEY))
    assert (response.status_code, response.headers["Content-Type"]) == (503, "image/gif")
    assert rejection_of(response) == UNAVAILABLE
    assert response.headers["Retry-After"] == "1"


def test_health_is_503_while_the_service_is_down(lonely: httpx.Client) -> None:
    response = lonely.get("/health")
    assert_answer(response, 503, UNAVAILABLE)
    assert response.headers["Retry-After"] == "1"


def test_what_needs_no_service_is_answered_while_it_is_down(lonely: httpx.Client) -> None:
    assert_answer(post(lonely, "/v1/batch", {"batch": []}), 200, SUCCESS)
    assert lonely.options("/v1/batch").status_code == 200
    assert lonely.get("/nowhere").status_code == 404


def test_answer_that_comes_too_late_is_no_later_request_s(trackside: Running, tmp_path: Path) -> None:
    with gated(trackside, tmp_path, service_timeout=0.3) as (gate, http):
        refused = event("") | {"messageId": ""}
        assert post(http, "/v1/page", refused).status_code == 503
        gate.opened.set()
        assert gate.passed.acquire(timeout=5)
        answer = post(http, "/v1/page", event("next"))
        assert_accepted(trackside, answer, record("page", event("next"), context=sent_by(http)))


def test_request_is_429_while_too_much_waits(trackside: Running, tmp_path: Path) -> None:
    with gated(trackside, tmp_path, front_pending_bytes=1) as (gate, http), ThreadPoolExecutor(1) as threads:
        first = threads.submit(post, http, "/v1/page", event("first"))
        assert gate.arrived.acquire(timeout=5)
        for path, sent, body in (
            ("/v1/page", event("second"), OVERLOADED),
            ("/v1/batch", {"batch": [event("second")]}, BATCH_OVERLOADED),
        ):
            response = post(http, path, sent)
            assert_answer(response, 429, body)
            assert response.headers["Retry-After"] == "1"
        gate.opened.set()
        assert_accepted(trackside, first.result(5), record("page", event("first"), context=sent_by(http)))
        assert_answer(post(http, "/v1/page", event("second")), 200, SUCCESS)
    assert [queued["messageId"] for queued in trackside.queued()] == ["second"]


def test_failed_call_gives_back_the_bytes_that_it_held(trackside: Running, tmp_path: Path) -> None:
    with gated(trackside, tmp_path, front_pending_bytes=1, service_timeout=0.3) as (gate, http):
        for path, body in (("/v1/page", event("lost")), ("/v1/batch", {"batch": [event("lost as well")]})):
            assert post(http, path, body).status_code == 503
        gate.opened.set()
        assert_answer(post(http, "/v1/page", event("after the failures")), 200, SUCCESS)
    assert "after the failures" in [queued["messageId"] for queued in trackside.queued()]


def sent_by(http: httpx.Client) -> dict[str, str]:
    return {"ip": "127.0.0.1", "userAgent": http.headers["User-Agent"]}


def test_request_that_is_larger_than_what_may_wait_is_taken_alone(tmp_path: Path) -> None:
    with collector(tmp_path, front_pending_bytes=1, max_pending_bytes=1) as running:
        assert_accepted(running, running.post("/v1/page", event("alone")), record("page", event("alone")))


def test_refused_events_are_not_told_while_others_are_to_be_sent_again(tmp_path: Path) -> None:
    with collector(tmp_path) as running:
        with closing(sqlite3.connect(tmp_path / "queue.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # so that the queue cannot be written
            response = running.post("/v1/batch", {"batch": [event("kept"), 5, {}]})
            assert_answer(response, 503, BATCH_UNAVAILABLE)
            assert response.headers["Retry-After"] == "1"
            other.execute("ROLLBACK")
        assert running.queued() == []
        response = running.post("/v1/batch", {"batch": [event("kept"), 5, {}]})
        assert (response.status_code, len(response.json()["Errors"])) == (207, 2)
        assert running.queued() == [record("page", event("kept"))]


def test_resend_after_an_answer_that_was_lost_is_accepted_once(trackside: Running) -> None:
    sent = {"batch": [event("resent 1"), event("resent 2")]}
    assert_accepted(trackside, trackside.post("/v1/batch", sent), *(record("page", each) for each in sent["batch"]))
    more = {"batch": [*sent["batch"], event("resent 3")]}
    assert_accepted(trackside, trackside.post("/v1/batch", more), record("page", event("resent 3")))

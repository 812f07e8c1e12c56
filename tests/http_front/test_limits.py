"""Limits on what a request may bring, checked before the memory is spent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from http_front.batch import read_body
from http_front.config import FrontConfig
from http_front.errors import Rejected
from http_front.parsed_request import ParsedRequest
from tests.running import Running, collector
from tests.spec.expectations import (
    AGENT,
    NO_INDEX,
    SUCCESS,
    TOO_LARGE,
    assert_answer,
    assert_refused,
    batch,
    error,
    record,
)

EVENTS = 5_000
DELIVERY = 8 << 20
REQUEST_TOO_LARGE = batch("request_too_large", {**TOO_LARGE, **NO_INDEX})


def small(number: int) -> dict[str, str]:
    return {"messageId": str(number), "type": "page", "userId": "u"}


def body(events: int, **members: object) -> bytes:
    return json.dumps({"batch": [small(number) for number in range(events)], **members}).encode()


def test_five_thousand_events_are_accepted(trackside: Running) -> None:
    assert_answer(trackside.post("/v1/batch", body(EVENTS)), 200, SUCCESS)
    assert [queued["messageId"] for queued in trackside.queued()] == [str(number) for number in range(EVENTS)]


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/webhook?writeKey=k"])
def test_an_event_more_is_413(trackside: Running, path: str) -> None:
    assert_refused(trackside, trackside.post(path, body(EVENTS + 1)), 413, REQUEST_TOO_LARGE)


def test_too_many_events_are_refused_before_one_is_read() -> None:
    request = ParsedRequest("batch")
    with pytest.raises(Rejected):
        read_body(request, body(EVENTS + 1), 15_360)
    assert request.entries == []


def test_array_of_more_events_is_413(trackside: Running) -> None:
    events = json.dumps([small(number) for number in range(EVENTS + 1)])
    assert_refused(trackside, trackside.post("/v1/webhook?writeKey=k", events), 413, REQUEST_TOO_LARGE)


def test_what_a_batch_becomes_in_the_queue_is_bounded(trackside: Running) -> None:
    # 560 events with 15,000 bytes injected into each of them are more than 8 MB, 500 are less.
    context = {"x": "y" * 14_990}
    assert_refused(trackside, trackside.post("/v1/batch", body(560, context=context)), 413, REQUEST_TOO_LARGE)
    response = trackside.post("/v1/batch", body(500, context=context, writeKey="another"), key=None)
    assert_answer(response, 200, SUCCESS)
    queued = trackside.queued()
    assert len(queued) == 500
    assert queued[0]["context"] == {**context, "ip": "127.0.0.1", "userAgent": AGENT}


def test_limit_on_a_whole_request_goes_before_errors_of_single_events(trackside: Running) -> None:
    response = trackside.post("/v1/batch", {"batch": [5, small(1), {}], "context": {"x": "y" * 15_360}})
    assert_refused(trackside, response, 413, REQUEST_TOO_LARGE)


@pytest.mark.parametrize(("events", "count"), [(1_000, None), (1_001, 1_001), (5_000, 5_000)])
def test_errors_are_listed_up_to_a_thousand_and_counted(trackside: Running, events: int, count: int | None) -> None:
    response = trackside.post("/v1/batch", b'{"batch":[%b]}' % b",".join([b"5"] * events))
    errors = [error(number, "", "An event must be a JSON object", "") for number in range(min(events, 1_000))]
    counted = {"ErrorCount": count} if count else {}
    assert_refused(trackside, response, 400, {**batch("not_an_object", *errors), **counted})


def test_error_count_of_a_partial_success_counts_the_refused(trackside: Running) -> None:
    good = {"messageId": "among the bad", "type": "page", "userId": "u"}
    response = trackside.post("/v1/batch", {"batch": [*[5] * 1_500, good]})
    assert (response.status_code, len(response.json()["Errors"])) == (207, 1_000)
    assert response.json()["ErrorCount"] == 1_500
    assert trackside.queued() == [record("page", good)]


@pytest.fixture(scope="module")
def roomy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    directory = tmp_path_factory.mktemp("roomy")
    with collector(directory, max_event_bytes=100_000, max_batch_bytes=1_000_000) as running:
        yield running


def test_limits_of_the_specification_are_settings(roomy: Running) -> None:
    large = {"messageId": "large", "userId": "u", "filling": "x" * 99_000}
    assert_answer(roomy.post("/v1/page", large), 200, SUCCESS)
    assert roomy.queued() == [record("page", large)]
    over = {**large, "filling": "x" * 100_000}
    answer = {**TOO_LARGE, "code": "event_too_large", "message": "Error reading request body"}
    assert_refused(roomy, roomy.post("/v1/page", over), 413, answer)
    sent = body(5, filling="x" * 999_000)
    assert_answer(roomy.post("/v1/batch", sent), 200, SUCCESS)
    assert len(roomy.queued()) == 5
    assert_refused(roomy, roomy.post("/v1/batch", b" " * 1_000_001), 413, REQUEST_TOO_LARGE)


def test_largest_limits_that_can_be_set_fit_into_a_message(tmp_path: Path) -> None:
    largest = FrontConfig(max_batch_bytes=2 << 20, max_event_bytes=2 << 20)
    with pytest.raises(ValidationError):
        FrontConfig(max_batch_bytes=largest.max_batch_bytes + 1)
    with pytest.raises(ValidationError):
        FrontConfig(max_event_bytes=largest.max_event_bytes + 1)
    with collector(tmp_path, max_batch_bytes=2 << 20, max_event_bytes=2 << 20) as running:
        refused = [{"messageId": str(number), "type": "click", "filling": "x" * 350} for number in range(EVENTS)]
        response = running.post("/v1/batch", {"batch": refused})
        assert (response.status_code, response.json()["ErrorCount"]) == (400, EVENTS)
        single = {"messageId": "single", "userId": "u", "filling": "x" * 2_097_000}
        assert_answer(running.post("/v1/page", single), 200, SUCCESS)
        assert running.queued() == [record("page", single)]

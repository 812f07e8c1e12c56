"""The specification's "Errors and Error responses"."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.running import Running
from tests.spec.expectations import (
    NO_INDEX,
    NO_MESSAGE_ID,
    TOO_LARGE,
    assert_accepted,
    assert_answer,
    assert_refused,
    batch,
    error,
    record,
    required,
)

LARGE = "x" * 15_360


def track(message_id: str, **members: Any) -> dict[str, Any]:
    return {"messageId": message_id, "type": "track", "userId": "u", "event": "e", **members}


def test_200_says_that_the_event_is_valid_and_accepted(trackside: Running) -> None:
    response = trackside.post("/v1/track", track("200"))
    assert response.text == '{"Success": true}'
    assert_accepted(trackside, response, record("track", track("200")))


def test_200_says_that_every_event_of_a_batch_is_accepted(trackside: Running) -> None:
    events = [track("200-1"), track("200-2")]
    response = trackside.post("/v1/batch", {"batch": events})
    assert response.text == '{"Success": true}'
    assert_accepted(trackside, response, *(record("track", event) for event in events))


def test_207_says_that_some_events_of_a_batch_are_valid_while_others_failed(trackside: Running) -> None:
    events = [track("good-1"), track("bad", event=5), track("good-2")]
    response = trackside.post("/v1/batch", {"batch": events})
    assert_answer(response, 207, batch("wrong_type", error(1, "bad", "event must be a string", "event")))
    assert trackside.queued() == [record("track", events[0]), record("track", events[2])]


def test_400_says_that_the_event_has_errors(trackside: Running) -> None:
    response = trackside.post("/v1/track", {"messageId": "400", "userId": "u"})
    assert_refused(trackside, response, 400, required("event"))


def test_400_says_that_every_event_of_a_batch_has_errors(trackside: Running) -> None:
    response = trackside.post("/v1/batch", {"batch": [track("400-1", event=""), track("", messageId=None), 5]})
    errors = [
        error(0, "400-1", "event is required", "event"),
        error(1, "", NO_MESSAGE_ID, "messageId"),
        error(2, "", "An event must be a JSON object", ""),
    ]
    assert_refused(trackside, response, 400, batch("required", *errors))


def test_413_says_that_the_payload_is_too_large(trackside: Running) -> None:
    response = trackside.post("/v1/track", track("413", properties={"x": LARGE}))
    body = {**TOO_LARGE, "code": "event_too_large", "message": "Error reading request body"}
    assert_refused(trackside, response, 413, body)


def test_413_says_that_every_event_of_a_batch_is_too_large(trackside: Running) -> None:
    events = [track("413-1", properties={"x": LARGE}), track("413-2", properties={"x": LARGE})]
    errors = [{**TOO_LARGE, "Index": 0, "MessageId": "413-1"}, {**TOO_LARGE, "Index": 1, "MessageId": "413-2"}]
    assert_refused(trackside, trackside.post("/v1/batch", {"batch": events}), 413, batch("event_too_large", *errors))


def test_batch_of_which_some_are_too_large_and_the_others_invalid_is_400(trackside: Running) -> None:
    events = [track("both-1", properties={"x": LARGE}), track("both-2", userId=None)]
    errors = [
        {**TOO_LARGE, "Index": 0, "MessageId": "both-1"},
        error(1, "both-2", "userId or anonymousId is required", "userId"),
    ]
    assert_refused(trackside, trackside.post("/v1/batch", {"batch": events}), 400, batch("event_too_large", *errors))


def test_typical_error_response_is_the_example_to_the_letter(trackside: Running) -> None:
    body = trackside.post("/v1/track", track("letter"), key=None).json()
    assert {name: body.pop(name) for name in ("Error", "Message", "Details")} == {
        "Error": "Bad Request",
        "Message": "Invalid or missing writekey",
        "Details": "",
    }
    assert body == {"code": "invalid_write_key", "message": "Invalid or missing writekey"}
    assert trackside.queued() == []


def test_batch_error_response_is_the_example_with_the_sizes_behind_it(trackside: Running) -> None:
    sent = track("letter", properties={"x": LARGE})
    size = len(json.dumps(sent))
    body = trackside.post("/v1/batch", {"batch": [sent]}).json()
    (only,) = body.pop("Errors")
    assert {name: only.pop(name) for name in ("Error", "Message", "Details")} == {
        "Error": "Bad Request",
        "Message": "Error reading request body",
        "Details": f"HTTP request too large: The event has {size} bytes, 15360 are allowed",
    }
    assert only == {"Index": 0, "MessageId": "letter"}
    assert body == {"Success": False, "code": "event_too_large", "message": "Error reading request body"}
    assert trackside.queued() == []


def test_errors_key_has_every_error_that_was_found(trackside: Running) -> None:
    events = [
        track("no-user", userId=""),
        track("good"),
        track("no-type", type=None),
        track("bad-type", type="click"),
        track("bad-time", timestamp="yesterday"),
        track("bad-properties", properties=[1]),
        track("no-key"),
    ]
    for event in events[:-1]:
        event["writeKey"] = "k"
    response = trackside.post("/v1/batch", {"batch": events}, key=None)
    kinds = "identify, track, page, screen, group, alias"
    errors = [
        error(0, "no-user", "userId or anonymousId is required", "userId"),
        error(2, "no-type", "type is required", "type"),
        error(3, "bad-type", f"type must be one of {kinds}", "type"),
        error(4, "bad-time", "timestamp must be an ISO 8601 time", "timestamp"),
        error(5, "bad-properties", "properties must be an object", "properties"),
        error(6, "no-key", "Invalid or missing writekey", ""),
    ]
    assert_answer(response, 207, batch("required", *errors))
    assert trackside.queued() == [record("track", events[1])]


def test_error_of_a_whole_batch_has_no_index(trackside: Running) -> None:
    told = {**error(0, "", "batch is required", "batch"), **NO_INDEX}
    assert_refused(trackside, trackside.post("/v1/batch", {"events": []}), 400, batch("required", told))


@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch", "/v1/webhook?writeKey=k"])
def test_body_that_is_not_json_is_told_where_it_breaks(trackside: Running, path: str) -> None:
    response = trackside.post(path, "{broken")
    body = response.json()
    told = body["Errors"][0] if "Errors" in body else body
    assert response.status_code == 400
    assert told["Error"] == "Bad Request"
    assert told["Message"] == "The body is not valid JSON"
    assert told["Details"] == "JSON is malformed: object keys must be strings (byte 1)"
    assert body["code"] == "malformed_json"
    assert body["message"] == "The body is not valid JSON"
    assert trackside.queued() == []

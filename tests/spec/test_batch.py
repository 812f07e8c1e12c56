"""The specification's "Batch"."""

from __future__ import annotations

from typing import Any

import pytest

from tests.running import KEY, Running
from tests.spec.expectations import (
    AGENT,
    NO_INDEX,
    NO_MESSAGE_ID,
    TOO_LARGE,
    assert_accepted,
    assert_answer,
    assert_refused,
    batch,
    error,
    record,
)

PATHS = ["/v1/batch", "/v1/import", "/v1/b"]

# As it stands in the specification.
EXAMPLE = b"""{
  "batch": [
	  {
		  "anonymousId": "cf09e649-fd0b-46b6-9fc1-53ab9cd05c47",
		  "messageId": "317b11a8-8cd3-40ad-b3fb-622835c42cfd",
		  "sentAt": "2020-03-02T18:29:53.661Z",
		  "timestamp": "2020-03-02T18:29:27.333Z",
		  "type": "track",
		  "writeKey": "test1",
		  "event": "example 1 event"
	  },
	  {
		  "anonymousId": "cf09e649-fd0b-46b6-9fc1-53ab9cd05c47",
		  "messageId": "317b11a8-8cd3-40ad-b3fb-123d417b11a8",
		  "sentAt": "2020-03-02T18:29:53.661Z",
		  "timestamp": "2020-03-02T18:29:27.333Z",
		  "type": "track",
		  "writeKey": "test1",
		  "event": "example 1 event"
	  }
  ],
  "context": {
    "page": {
      "path": "/mycart/home",
      "referrer": "https://www.example.com/",
      "title": "Example - Shopping Cart",
      "url": "https://www.example.com/mycart/home"
    },
    "userAgent": "Mozilla/5.0 (Windows NT 6.1; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/80.0.3987.122 Safari/537.36"
  },
  "integrations": {
    "All": false,
    "Mixpanel": true
  }
}"""  # noqa: E501, E101


def event(message_id: str, kind: str = "page", **members: Any) -> dict[str, Any]:
    return {"messageId": message_id, "type": kind, "userId": "u", **members}


def test_example_is_queued_with_what_it_injects(trackside: Running) -> None:
    response = trackside.post("/v1/batch", EXAMPLE, key=None)
    injected = {
        "page": {
            "path": "/mycart/home",
            "referrer": "https://www.example.com/",
            "title": "Example - Shopping Cart",
            "url": "https://www.example.com/mycart/home",
        },
        "userAgent": "Mozilla/5.0 (Windows NT 6.1; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/80.0.3987.122 Safari/537.36",
    }
    common = {
        "anonymousId": "cf09e649-fd0b-46b6-9fc1-53ab9cd05c47",
        "event": "example 1 event",
        "type": "track",
        "writeKey": "test1",
        "sentAt": "2020-03-02T18:29:53.661Z",
        "originalTimestamp": "2020-03-02T18:29:27.333Z",
        "timestamp": "2023-11-14T22:12:53.795Z",  # 26.328 s before the time of receipt, as before sentAt
        "receivedAt": "2023-11-14T22:13:20.123Z",
        "context": {**injected, "ip": "127.0.0.1"},
        "integrations": {"All": False, "Mixpanel": True},
    }
    first = {**common, "messageId": "317b11a8-8cd3-40ad-b3fb-622835c42cfd"}
    second = {**common, "messageId": "317b11a8-8cd3-40ad-b3fb-123d417b11a8"}
    assert_accepted(trackside, response, first, second)


@pytest.mark.parametrize("path", PATHS)
def test_several_events_are_submitted_with_one_request(trackside: Running, path: str) -> None:
    events = [
        event(f"{path} 1", "identify", traits={"name": "Arthur"}),
        event(f"{path} 2", "track", event="e"),
        event(f"{path} 3", "page", section="Blog"),
        event(f"{path} 4", "screen", name="Home"),
        event(f"{path} 5", "group", groupId="g"),
        event(f"{path} 6", "alias", previousId="p"),
    ]
    response = trackside.post(path, {"batch": events})
    assert_accepted(trackside, response, *(record(each["type"], each) for each in events))


def test_events_follow_the_standard_formats(trackside: Running) -> None:
    events = [
        event("no-event", "track"),
        event("no-group", "group"),
        event("no-previous", "alias"),
        event("", "identify"),
        event("no-user", "screen", userId=None),
        event("good", "page"),
    ]
    response = trackside.post("/v1/batch", {"batch": events})
    errors = [
        error(0, "no-event", "event is required", "event"),
        error(1, "no-group", "groupId is required", "groupId"),
        error(2, "no-previous", "previousId is required, or anonymousId with userId", "previousId"),
        error(3, "", NO_MESSAGE_ID, "messageId"),
        error(4, "no-user", "userId or anonymousId is required", "userId"),
    ]
    assert_answer(response, 207, batch("required", *errors))
    assert trackside.queued() == [record("page", events[5])]


def test_events_keep_their_order(trackside: Running) -> None:
    events = [event(f"order {number}") for number in range(200)]
    response = trackside.post("/v1/batch", {"batch": events})
    assert_accepted(trackside, response, *(record("page", each) for each in events))


def test_context_of_the_batch_is_merged_beneath_each_events_own(trackside: Running) -> None:
    events = [
        event("beneath 1"),
        event("beneath 2", context={"page": {"path": "/own", "title": None}, "app": "mine", "locale": "de-DE"}),
    ]
    context = {
        "page": {"path": "/batch", "url": "https://example.com", "title": "T"},
        "app": {"name": "A"},
        "ip": "::1",
    }
    response = trackside.post("/v1/batch", {"batch": events, "context": context})
    merged = {
        "page": {"path": "/own", "title": None, "url": "https://example.com"},
        "app": "mine",
        "locale": "de-DE",
        "ip": "::1",
        "userAgent": AGENT,
    }
    first = record("page", events[0], context={**context, "userAgent": AGENT})
    assert_accepted(trackside, response, first, record("page", events[1], context=merged))


def test_integrations_of_the_batch_are_merged_beneath_each_events_own(trackside: Running) -> None:
    events = [event("all 1"), event("all 2", integrations={"All": True, "S": {"a": 1}, "none": False})]
    integrations = {"All": False, "Mixpanel": True, "S": {"a": 2, "b": 3}, "none": {"x": 1}}
    response = trackside.post("/v1/batch", {"batch": events, "integrations": integrations})
    merged = {"All": True, "Mixpanel": True, "S": {"a": 1, "b": 3}, "none": False}
    first = record("page", events[0], integrations=integrations)
    assert_accepted(trackside, response, first, record("page", events[1], integrations=merged))


def test_timestamp_of_the_batch_fills_in_where_an_event_has_none(trackside: Running) -> None:
    own, other = "2015-11-10T00:45:23.412Z", "2016-01-01T00:00:00.000Z"
    events = [event("time 1"), event("time 2", timestamp=own), event("time 3", timestamp=None)]
    response = trackside.post("/v1/batch", {"batch": events, "timestamp": other})
    records = [record("page", each, timestamp=time) for each, time in zip(events, (other, own, other), strict=True)]
    assert_accepted(trackside, response, *records)


def test_sent_at_of_the_batch_fills_in_where_an_event_has_none(trackside: Running) -> None:
    # The sender's clock is an hour fast, by what the batch says; by what the second event says, it is right.
    events = [
        event("sent 1", timestamp="2023-11-14T23:13:10.000Z"),
        event("sent 2", timestamp="2023-11-14T22:13:10.000Z", sentAt="2023-11-14T22:13:20.123Z"),
    ]
    response = trackside.post("/v1/batch", {"batch": events, "sentAt": "2023-11-14T23:13:20.000Z"})
    first = record(
        "page",
        events[0],
        timestamp="2023-11-14T22:13:10.123Z",
        originalTimestamp="2023-11-14T23:13:10.000Z",
        sentAt="2023-11-14T23:13:20.000Z",
    )
    second = record("page", events[1], originalTimestamp="2023-11-14T22:13:10.000Z")
    assert_accepted(trackside, response, first, second)


def test_write_key_of_the_batch_fills_in_where_an_event_has_none(trackside: Running) -> None:
    events = [event("key 1"), event("key 2", writeKey="own"), event("key 3", writeKey="")]
    response = trackside.post("/v1/batch", {"batch": events, "writeKey": "of-the-batch"})
    keys = ("of-the-batch", "own", "of-the-batch")
    records = [record("page", each, writeKey=key) for each, key in zip(events, keys, strict=True)]
    assert_accepted(trackside, response, *records)


@pytest.mark.parametrize(
    "absent",
    [
        {"context": None, "integrations": None, "sentAt": None, "timestamp": None, "writeKey": None},
        {"context": {}, "integrations": {}, "sentAt": "", "timestamp": "", "writeKey": ""},
    ],
)
def test_what_a_batch_injects_is_optional(trackside: Running, absent: dict[str, Any]) -> None:
    sent = event(f"{absent['context']}")
    response = trackside.post("/v1/batch", {"batch": [sent], **absent})
    queued: dict[str, Any] = {"integrations": {}} if absent["integrations"] == {} else {}
    assert_accepted(trackside, response, record("page", {**sent, **queued}))


@pytest.mark.parametrize(
    ("name", "value", "message", "code"),
    [
        ("context", "a string", "context must be an object", "wrong_type"),
        ("context", [1], "context must be an object", "wrong_type"),
        ("integrations", 5, "integrations must be an object", "wrong_type"),
        ("sentAt", "yesterday", "sentAt must be an ISO 8601 time", "invalid_timestamp"),
        ("sentAt", 7, "sentAt must be an ISO 8601 time", "wrong_type"),
        ("timestamp", "never", "timestamp must be an ISO 8601 time", "invalid_timestamp"),
        ("writeKey", 5, "writeKey must be a string", "wrong_type"),
        ("batch", {"messageId": "m"}, "batch must be an array", "wrong_type"),
        ("batch", "events", "batch must be an array", "wrong_type"),
        ("batch", None, "batch must be an array", "wrong_type"),
    ],
)
def test_batch_that_cannot_be_read_is_refused_whole(
    trackside: Running, name: str, value: Any, message: str, code: str
) -> None:
    response = trackside.post("/v1/batch", {"batch": [event("good")], name: value})
    assert_refused(trackside, response, 400, batch(code, {**error(0, "", message, name), **NO_INDEX}))


def test_batch_without_its_events_is_refused(trackside: Running) -> None:
    told = batch("required", {**error(0, "", "batch is required", "batch"), **NO_INDEX})
    assert_refused(trackside, trackside.post("/v1/batch", {"context": {}}), 400, told)


@pytest.mark.parametrize("body", ["[]", '"batch"', "5", "null", "true"])
def test_batch_that_is_no_object_is_refused(trackside: Running, body: str) -> None:
    told = {**error(0, "", "A batch must be a JSON object", ""), **NO_INDEX}
    assert_refused(trackside, trackside.post("/v1/batch", body), 400, batch("not_an_object", told))


@pytest.mark.parametrize("path", PATHS)
def test_empty_batch_is_accepted(trackside: Running, path: str) -> None:
    assert_accepted(trackside, trackside.post(path, {"batch": []}))


def test_batch_may_bring_fifteen_kb_of_context_and_integrations(trackside: Running) -> None:
    context = {"x": "y" * (15_360 - len('{"x": ""}') - len('{"All": true}'))}
    sent = event("injected")
    response = trackside.post("/v1/batch", {"batch": [sent], "context": context, "integrations": {"All": True}})
    filled = {**context, "ip": "127.0.0.1", "userAgent": AGENT}
    assert_accepted(trackside, response, record("page", sent, context=filled, integrations={"All": True}))
    over = {"x": context["x"] + "y"}
    response = trackside.post("/v1/batch", {"batch": [sent], "context": over, "integrations": {"All": True}})
    assert_refused(trackside, response, 413, batch("request_too_large", {**TOO_LARGE, **NO_INDEX}))


def test_missing_key_is_told_for_each_event_that_has_none(trackside: Running) -> None:
    events = [event("1"), event("2", writeKey=KEY)]
    response = trackside.post("/v1/batch", {"batch": events}, key=None)
    assert_answer(response, 207, batch("invalid_write_key", error(0, "1", "Invalid or missing writekey", "")))
    assert trackside.queued() == [record("page", events[1])]

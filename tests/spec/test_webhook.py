"""The specification's "Webhook Endpoint"."""

from __future__ import annotations

from typing import Any

import pytest

from tests.running import Running
from tests.spec.expectations import MISSING_KEY, assert_accepted, assert_answer, assert_refused, batch, error, record

PATHS = ["/v1/webhook", "/v1/w"]


def event(message_id: str, kind: str = "track", **members: Any) -> dict[str, Any]:
    return {"messageId": message_id, "type": kind, "userId": "u", "event": "e", **members}


@pytest.mark.parametrize("path", PATHS)
def test_write_key_of_the_query_is_set(trackside: Running, path: str) -> None:
    sent = event(path)
    response = trackside.post(f"{path}?writeKey=abcdefg", sent, key=None)
    assert_accepted(trackside, response, record("track", sent, writeKey="abcdefg"))


@pytest.mark.parametrize("path", PATHS)
def test_write_key_of_the_query_overwrites_that_of_the_data(trackside: Running, path: str) -> None:
    sent = event(f"{path} over", writeKey="of-the-data")
    response = trackside.post(f"{path}?writeKey=abcdefg", sent, key="of-the-header")
    assert_accepted(trackside, response, record("track", sent, writeKey="abcdefg"))


def test_write_key_of_the_query_overwrites_those_of_a_batch(trackside: Running) -> None:
    events = [event("over 1", writeKey="its-own"), event("over 2")]
    sent = {"batch": events, "writeKey": "of-the-batch"}
    response = trackside.post("/v1/webhook?writeKey=abcdefg", sent, key="of-the-header")
    assert_accepted(trackside, response, *(record("track", each, writeKey="abcdefg") for each in events))


def test_write_key_of_the_query_may_be_percent_encoded(trackside: Running) -> None:
    sent = event("encoded")
    response = trackside.post("/v1/webhook?a=b&writeKey=%C3%BCber%20%2B%26&c", sent, key=None)
    assert_accepted(trackside, response, record("track", sent, writeKey="über +&"))


@pytest.mark.parametrize("query", ["", "?", "?writeKey=", "?writekey=k", "?key=k"])
@pytest.mark.parametrize("path", PATHS)
def test_missing_key_is_the_documented_error(trackside: Running, path: str, query: str) -> None:
    assert_refused(trackside, trackside.post(f"{path}{query}", event("m"), key=None), 400, MISSING_KEY)


def test_key_of_the_data_counts_where_the_query_has_none(trackside: Running) -> None:
    sent = event("own", writeKey="of-the-data")
    assert_accepted(trackside, trackside.post("/v1/webhook", sent, key=None), record("track", sent))


@pytest.mark.parametrize("kind", ["identify", "track", "page", "screen", "group", "alias"])
def test_one_event_of_any_kind_is_received(trackside: Running, kind: str) -> None:
    sent = event(f"one {kind}", kind, groupId="g", previousId="p")
    response = trackside.post("/v1/webhook?writeKey=k", sent)
    assert_accepted(trackside, response, record(kind, sent, writeKey="k"))


def test_array_of_events_is_received(trackside: Running) -> None:
    events = [event("array 1"), event("array 2", "page")]
    response = trackside.post("/v1/webhook?writeKey=k", events)
    assert_accepted(trackside, response, *(record(each["type"], each, writeKey="k") for each in events))


def test_batch_is_received_with_what_it_injects(trackside: Running) -> None:
    events = [event("batch 1"), event("batch 2", "page")]
    sent = {"batch": events, "context": {"locale": "en-US"}, "integrations": {"All": False}}
    response = trackside.post("/v1/webhook?writeKey=k", sent)
    queued: list[dict[str, Any]] = [
        {**each, "context": {"locale": "en-US"}, "integrations": {"All": False}} for each in events
    ]
    assert_accepted(trackside, response, *(record(each["type"], each, writeKey="k") for each in queued))


@pytest.mark.parametrize("body", ["[]", '{"batch": []}'])
def test_no_events_are_accepted(trackside: Running, body: str) -> None:
    assert_accepted(trackside, trackside.post("/v1/webhook?writeKey=k", body))


def test_bad_event_of_an_array_is_refused_alone(trackside: Running) -> None:
    events = [event("good 1"), event("bad", "click"), event("good 2")]
    response = trackside.post("/v1/webhook?writeKey=k", events)
    told = error(1, "bad", "type must be one of identify, track, page, screen, group, alias", "type")
    assert_answer(response, 207, batch("unknown_type", told))
    assert trackside.queued() == [record("track", events[0], writeKey="k"), record("track", events[2], writeKey="k")]


def test_missing_key_of_an_array_is_told_for_each_event(trackside: Running) -> None:
    response = trackside.post("/v1/webhook", [event("1"), event("2")], key=None)
    errors = [error(index, str(index + 1), "Invalid or missing writekey", "") for index in range(2)]
    assert_refused(trackside, response, 400, batch("invalid_write_key", *errors))


@pytest.mark.parametrize("body", ['"event"', "5", "null", "true"])
def test_body_that_is_neither_an_object_nor_an_array_is_refused(trackside: Running, body: str) -> None:
    told = {"Error": "Bad Request", "Message": "An event must be a JSON object", "Details": ""}
    response = trackside.post("/v1/webhook?writeKey=k", body)
    whole = {**told, "code": "not_an_object", "message": "An event must be a JSON object"}
    assert_refused(trackside, response, 400, whole)

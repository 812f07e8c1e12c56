"""The specification's "Track"."""

from __future__ import annotations

from typing import Any

import pytest

from tests.running import Running
from tests.spec.expectations import assert_accepted, assert_refused, record, required, single

# As it stands in the specification, but for its syntax and the messageId that it lacks.
EXAMPLE = {
    "userId": "1234qwerty",
    "event": "Added File",
    "properties": {
        "fileTitle": "Life, the Universe, and Everything",
        "fileSize": "42kb",
        "fileType": "PDF",
    },
    "timestamp": "2015-11-10T00:45:23.412Z",
    "type": "track",
}


@pytest.mark.parametrize("path", ["/v1/t", "/v1/track"])
def test_example_is_queued(trackside: Running, path: str) -> None:
    sent = {**EXAMPLE, "messageId": path}
    assert_accepted(trackside, trackside.post(path, sent), record("track", sent))


def test_event_name_of_the_table_is_the_event_of_the_example(trackside: Running) -> None:
    sent = {"messageId": "eventName", "userId": "u", "eventName": "Added File"}
    queued = {"messageId": "eventName", "userId": "u", "event": "Added File"}
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", queued))


@pytest.mark.parametrize("event", [None, ""])
def test_event_name_is_read_where_the_event_is_empty(trackside: Running, event: str | None) -> None:
    sent = {"messageId": f"empty {event}", "userId": "u", "event": event, "eventName": "Added File"}
    queued = {"messageId": f"empty {event}", "userId": "u", "event": "Added File"}
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", queued))


def test_event_goes_before_event_name_which_is_kept(trackside: Running) -> None:
    sent = {"messageId": "both", "userId": "u", "event": "Added File", "eventName": "Other"}
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent))


@pytest.mark.parametrize("members", [{}, {"event": ""}, {"event": None}, {"eventName": ""}, {"eventName": None}])
def test_event_is_required(trackside: Running, members: dict[str, Any]) -> None:
    sent = {"messageId": "m", "userId": "u", **members}
    assert_refused(trackside, trackside.post("/v1/track", sent), 400, required("event"))


@pytest.mark.parametrize("name", ["event", "eventName"])
@pytest.mark.parametrize("value", [5, True, {"name": "e"}, ["e"]])
def test_event_must_be_a_string(trackside: Running, name: str, value: Any) -> None:
    body = single("event must be a string", "event", "wrong_type")
    assert_refused(trackside, trackside.post("/v1/track", {"messageId": "m", "userId": "u", name: value}), 400, body)


@pytest.mark.parametrize("absent", [{}, {"properties": None}, {"properties": ""}])
def test_properties_are_optional(trackside: Running, absent: dict[str, Any]) -> None:
    sent = {"messageId": f"{absent}", "userId": "u", "event": "e"}
    assert_accepted(trackside, trackside.post("/v1/track", {**sent, **absent}), record("track", sent))


def test_properties_are_free_form(trackside: Running) -> None:
    properties: dict[str, Any] = {"revenue": 19.99, "products": [{"sku": "1", "price": None}], "": {}, "event": "mine"}
    sent: dict[str, Any] = {"messageId": "free", "userId": "u", "event": "e", "properties": properties}
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent))


@pytest.mark.parametrize("value", ["revenue", 42, False, ["revenue"], [[]]])
def test_properties_must_be_an_object(trackside: Running, value: Any) -> None:
    body = single("properties must be an object", "properties", "wrong_type")
    sent = {"messageId": "m", "userId": "u", "event": "e", "properties": value}
    assert_refused(trackside, trackside.post("/v1/track", sent), 400, body)

"""The specification's "Context Object Fields"."""

from __future__ import annotations

from typing import Any, cast

import pytest
from trackside.v1 import event_pb2
from trackside.v1.context_pb2 import Context

from tests.running import KEY, NOW_TEXT, Running, collect, proto
from tests.spec.expectations import AGENT, assert_accepted, record

DOCUMENTED: dict[str, Any] = {
    "active": True,
    "app": {"name": "App", "version": "1.2.3", "build": "456"},
    "campaign": {"name": "Spring", "source": "google", "medium": "cpc", "term": "shoes", "content": "ad-1"},
    "device": {
        "id": "B5372DB0",
        "manufacturer": "Apple",
        "model": "iPhone7,2",
        "name": "maguro",
        "type": "ios",
        "version": "17",
    },
    "ip": "8.8.8.8",
    "library": {"name": "analytics.js", "version": "2.11.1"},
    "locale": "en-US",
    "location": {
        "city": "San Francisco",
        "country": "United States",
        "latitude": 40.2964197,
        "longitude": -76.9411617,
        "region": "California",
        "speed": 0.5,
    },
    "network": {"bluetooth": False, "carrier": "T-Mobile US", "cellular": True, "wifi": False},
    "os": {"name": "iPhone OS", "version": "8.1.3"},
    "page": {
        "hash": "#top",
        "path": "/academy/",
        "referrer": "https://example.com",
        "search": "?q=1",
        "title": "Academy",
        "url": "https://example.com/academy/",
    },
    "referrer": {"type": "dataxu", "name": "r", "url": "https://example.com/r", "link": "https://example.com/l"},
    "screen": {"density": 2, "height": 568, "width": 320},
    "timezone": "America/New_York",
    "groupId": "acme",
    "traits": {"email": "peter@example.com", "age": 42, "nested": {"list": [1, None]}},
    "userAgent": "Mozilla/5.0",
}


def event(message_id: str, context: Any) -> dict[str, Any]:
    return {"messageId": message_id, "userId": "u", "event": "e", "context": context}


@pytest.mark.parametrize("field", DOCUMENTED)
def test_documented_field_is_kept(trackside: Running, field: str) -> None:
    sent = event(field, {field: DOCUMENTED[field]})
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent))


def test_all_documented_fields_are_kept_together(trackside: Running) -> None:
    sent = event("all", DOCUMENTED)
    response = trackside.post("/v1/track", sent)
    assert_accepted(trackside, response, record("track", sent))


def test_typed_context_of_the_proto_has_the_documented_fields_and_no_others() -> None:
    assert {field.json_name for field in Context.DESCRIPTOR.fields} == DOCUMENTED.keys()
    for field in Context.DESCRIPTOR.fields:
        if field.message_type is not None and field.json_name != "traits":
            assert {part.json_name for part in field.message_type.fields} == DOCUMENTED[field.json_name].keys()


def test_documented_fields_come_out_of_the_typed_form_as_out_of_json(trackside: Running) -> None:
    context = Context()
    _fill(context, DOCUMENTED)
    collected = event_pb2.Event(message_id="typed", user_id="u", track=event_pb2.Track(event="e"), context=context)
    response = collect(trackside, [proto.Entry(event=collected)], write_key=KEY)
    assert list(response.outcomes) == [proto.OUTCOME_ACCEPTED]
    assert trackside.queued() == [record("track", event("typed", DOCUMENTED))]


def _fill(message: Any, values: dict[str, Any]) -> None:
    for field in message.DESCRIPTOR.fields:
        value = values[field.json_name]
        if field.json_name == "traits":
            message.traits.update(value)
        elif isinstance(value, dict):
            _fill(getattr(message, field.name), cast("dict[str, Any]", value))
        else:
            setattr(message, field.name, value)


def test_address_and_agent_are_those_of_the_request_where_the_event_has_none(trackside: Running) -> None:
    sent = event("filled", {"locale": "en-US"})
    filled = {"locale": "en-US", "ip": "127.0.0.1", "userAgent": AGENT}
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent, context=filled))


def test_address_and_agent_of_the_event_go_before_those_of_the_request(trackside: Running) -> None:
    sent = event("own", {"ip": "8.8.8.8", "userAgent": "its own"})
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent, context=sent["context"]))


@pytest.mark.parametrize("context", [{"page": "a string"}, {"active": "yes"}, {"ip": None}, {"screen": [1, 2]}])
def test_what_is_inside_the_context_is_the_senders(trackside: Running, context: dict[str, Any]) -> None:
    sent = event(str(context), context)
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent))


def test_context_may_have_fields_nobody_named(trackside: Running) -> None:
    sent = event("unnamed", {"consent": {"categoryPreferences": {"Advertising": True}}, "protocols": []})
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent, timestamp=NOW_TEXT))

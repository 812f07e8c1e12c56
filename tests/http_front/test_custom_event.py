"""A custom event: any JSON object, with MetaRouter's metadata in the body, in a header or in the query."""

from __future__ import annotations

import gzip
import json
import uuid
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.http_front.wire import connected, request
from tests.running import KEY, Running, basic
from tests.spec.expectations import (
    MISSING_KEY,
    SUCCESS,
    TOO_LARGE,
    assert_accepted,
    assert_answer,
    assert_refused,
    kept_refused,
    record,
    required,
    single,
)

PATH = "/v1/custom/event"
BODY = {"event": "my event fields", "json": {"whatever": [1, "you", None]}, "messageId": "of the body", "type": "x"}


def metadata(event_id: str, **members: Any) -> dict[str, Any]:
    return {"writeKey": "custom-key", "eventName": "page view", "eventID": event_id, "userID": "98765", **members}


def track(sent: dict[str, Any], properties: Any) -> dict[str, Any]:
    """The record of a custom event with this metadata."""
    names = {"eventName": "event", "eventID": "messageId", "anonymousID": "anonymousId", "userID": "userId"}
    members = {names.get(name, name): value for name, value in sent.items()}
    return record("track", {**members, "properties": properties})


def send(trackside: Running, body: Any, query: Any = (), **headers: str) -> Any:
    return trackside.post(f"{PATH}?{urlencode(query)}" if query else PATH, body, key=None, headers=headers)


def in_body(trackside: Running, sent: dict[str, Any], body: dict[str, Any]) -> Any:
    return send(trackside, {"before": 1, "_metarouter": sent, **body})


def in_header(trackside: Running, sent: dict[str, Any], body: dict[str, Any]) -> Any:
    return send(trackside, {"before": 1, **body}, **{"X-Event-Metadata": json.dumps(sent)})


def in_query(trackside: Running, sent: dict[str, Any], body: dict[str, Any]) -> Any:
    return send(trackside, {"before": 1, **body}, sent)


PLACES = {"body": in_body, "header": in_header, "query": in_query}
places = pytest.mark.parametrize("place", PLACES)


@places
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"timestamp": "2021-08-17T15:10:33.000Z"},
        {"anonymousID": "456e4567-e89b-12d3-a456-426614174000"},
        {"eventName": 'ü "&" +', "userID": "a b"},
    ],
)
def test_custom_event_is_a_track_event(trackside: Running, place: str, more: dict[str, str]) -> None:
    sent = metadata(f"{place} {more}", **more)
    response = PLACES[place](trackside, sent, BODY)
    assert_accepted(trackside, response, track(sent, {"before": 1, **BODY}))


@places
def test_anonymous_id_alone_is_enough(trackside: Running, place: str) -> None:
    sent = {**metadata(f"anonymous {place}"), "anonymousID": "a"}
    del sent["userID"]
    assert_accepted(trackside, PLACES[place](trackside, sent, {}), track(sent, {"before": 1}))


@places
@pytest.mark.parametrize("absent", [{}, {"eventID": ""}, {"eventID": None}])
def test_event_id_and_timestamp_are_made_where_they_are_absent(
    trackside: Running, place: str, absent: dict[str, Any]
) -> None:
    if place == "query" and None in absent.values():
        absent = {"eventID": ""}
    sent = {name: value for name, value in metadata("").items() if name != "eventID"} | absent
    for _ in range(2):
        assert_answer(PLACES[place](trackside, sent, BODY), 200, SUCCESS)
    first, second = trackside.queued()
    assert uuid.UUID(first["messageId"]).version == uuid.UUID(second["messageId"]).version == 4
    assert first["messageId"] != second["messageId"]
    assert first == track({**sent, "eventID": first["messageId"]}, {"before": 1, **BODY})


def test_event_that_is_sent_again_with_its_id_is_a_duplicate(trackside: Running) -> None:
    for place in PLACES.values():
        assert_answer(place(trackside, metadata("again"), {}), 200, SUCCESS)
    assert trackside.queued() == [track(metadata("again"), {"before": 1})]


def test_first_place_that_has_the_metadata_counts_whole(trackside: Running) -> None:
    header = {"X-Event-Metadata": json.dumps(metadata("of the header", anonymousID="h", userID="h"))}
    query = metadata("of the query", anonymousID="q", userID="q", timestamp="2020-01-01T00:00:00Z")
    own = metadata("of the body 2")
    response = send(trackside, {"_metarouter": own, "a": 1}, query, **header)
    assert_accepted(trackside, response, track(own, {"a": 1}))
    response = send(trackside, {"a": 1}, query, **header)
    assert_accepted(trackside, response, track(json.loads(header["X-Event-Metadata"]), {"a": 1}))
    # What is missing where it is found is not taken from elsewhere.
    incomplete = {"writeKey": "k", "userID": "u"}
    assert_refused(trackside, send(trackside, {"_metarouter": incomplete}, query, **header), 400, required("eventName"))
    header = {"X-Event-Metadata": json.dumps(incomplete)}
    assert_refused(trackside, send(trackside, {}, query, **header), 400, required("eventName"))


def test_metadata_of_null_is_absent(trackside: Running) -> None:
    sent = metadata("null")
    response = send(trackside, {"_metarouter": None, "a": 1}, sent)
    assert_accepted(trackside, response, track(sent, {"a": 1}))
    response = send(trackside, {"a": 2}, {**sent, "eventID": "empty header"}, **{"X-Event-Metadata": ""})
    assert_accepted(trackside, response, track({**sent, "eventID": "empty header"}, {"a": 2}))


def test_header_may_name_the_metadata(trackside: Running) -> None:
    sent = metadata("named in the header")
    response = send(trackside, {"a": 1}, **{"X-Event-Metadata": json.dumps({"_metarouter": sent})})
    assert_accepted(trackside, response, track(sent, {"a": 1}))


@pytest.mark.parametrize(
    ("event_name", "queued"),
    [
        ("Größe ü".encode(), "Größe ü"),
        ("Größe ü".encode("latin-1"), "Größe ü"),
        ("名前 \U0001f600".encode(), "名前 \U0001f600"),
        (rb"Gr\u00f6\u00dfe", "Größe"),
        (rb"half \ud83d", "half \ufffd"),
    ],
)
def test_header_is_read_as_browsers_and_others_write_it(trackside: Running, event_name: bytes, queued: str) -> None:
    metadata = b'{"writeKey":"k","userID":"u","other":NaN,"eventName":"%b"}' % event_name
    with connected(trackside.http_address) as wire:
        head = b"POST /v1/custom/event HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n"
        wire.send(b"%bX-Event-Metadata: %b\r\n\r\n{}" % (head, metadata))
        assert wire.answer().json == SUCCESS
    assert [record["event"] for record in trackside.queued()] == [queued]


def test_metadata_of_the_root_alone_counts(trackside: Running) -> None:
    sent = metadata("root")
    body = {"inner": {"_metarouter": metadata("inner")}}
    assert_accepted(trackside, send(trackside, {"_metarouter": sent, **body}), track(sent, body))
    response = send(trackside, body)
    assert (response.status_code, response.json()["Details"]) == (400, "_metarouter")
    assert trackside.queued() == []


PROPERTIES = r'"z":1.0,"a":12345678901234567890,"n":-0.0e+1,"t":"\u00e9\/","deep":{"b":[1.50,{"_metarouter":1}],"a":{}}'


@pytest.mark.parametrize("name", ["_metarouter", r"_\u006detarouter"])
@pytest.mark.parametrize("form", ['{{"{0}":{1},{2}}}', '{{{2},"{0}":{1}}}', '{{ {2} ,\n "{0}" : {1} }}'])
def test_properties_are_as_they_were_sent(trackside: Running, name: str, form: str) -> None:
    sent = json.dumps(metadata(f"lossless {name} {form}"))
    assert_answer(send(trackside, form.format(name, sent, PROPERTIES)), 200, SUCCESS)
    (line,) = trackside.lines()
    assert f'"properties":{{{PROPERTIES}}}'.encode() in line


def test_properties_of_a_body_without_metadata_are_its_text(trackside: Running) -> None:
    body = '{ "é" : 1.0, ' + PROPERTIES + " }"
    assert_answer(send(trackside, body, metadata("text")), 200, SUCCESS)
    (line,) = trackside.lines()
    assert f'"properties":{body}'.encode() in line


def test_integers_as_ids_become_strings(trackside: Running) -> None:
    sent = metadata("integers", userID=98765, anonymousID=5)
    response = in_body(trackside, sent, {})
    assert_accepted(trackside, response, track({**sent, "userID": "98765", "anonymousID": "5"}, {"before": 1}))


def test_other_names_of_the_metadata_are_passed_over(trackside: Running) -> None:
    sent = metadata("others")
    response = in_body(trackside, {**sent, "receivedAt": "1999", "type": "page", "ip": "203.0.113.9"}, {})
    assert_accepted(trackside, response, track(sent, {"before": 1}))


@places
def test_write_key_is_required(trackside: Running, place: str) -> None:
    for key in ("", None):
        if place == "query" and key is None:
            continue
        assert_refused(trackside, PLACES[place](trackside, metadata("m", writeKey=key), {}), 400, MISSING_KEY)
    sent = metadata("m")
    del sent["writeKey"]
    assert_refused(trackside, PLACES[place](trackside, sent, {}), 400, MISSING_KEY)
    response = trackside.post(PATH, {"_metarouter": sent}, key=KEY)
    assert_refused(trackside, response, 400, MISSING_KEY)


@places
def test_event_name_is_required(trackside: Running, place: str) -> None:
    sent = metadata("m", eventName="")
    assert_refused(trackside, PLACES[place](trackside, sent, BODY), 400, required("eventName"))
    del sent["eventName"]
    assert_refused(trackside, PLACES[place](trackside, sent, BODY), 400, required("eventName"))


@places
def test_user_id_or_anonymous_id_is_required(trackside: Running, place: str) -> None:
    sent = metadata("nobody", userID="")
    told = single("userID or anonymousID is required", "userID", "required")
    assert_refused(trackside, PLACES[place](trackside, sent, BODY), 400, told)
    kept = kept_refused(trackside, "nobody")
    assert json.loads(kept["payload"])["event"] == "page view"
    assert kept["reason"] == "required"


@pytest.mark.parametrize("name", ["writeKey", "eventName", "eventID", "timestamp", "anonymousID", "userID"])
@pytest.mark.parametrize("value", [True, 1.5, [], {}])
def test_value_of_a_wrong_type_is_told_by_metarouters_name(trackside: Running, name: str, value: Any) -> None:
    noun = "an ISO 8601 time" if name == "timestamp" else "a string"
    response = in_body(trackside, metadata("m", **{name: value}), {})
    assert_refused(trackside, response, 400, single(f"{name} must be {noun}", name, "wrong_type"))


@places
def test_time_that_is_none_is_refused(trackside: Running, place: str) -> None:
    response = PLACES[place](trackside, metadata("m", timestamp="yesterday"), {})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_timestamp")
    assert response.json()["Details"] == "timestamp"
    assert trackside.queued() == []


@pytest.mark.parametrize("body", [{}, BODY, {"_metarouter": None}])
@pytest.mark.parametrize("query", [{}, {"writekey": "k", "_metarouter": "{}"}])
def test_metadata_is_required(trackside: Running, body: dict[str, Any], query: dict[str, str]) -> None:
    sentence = "_metarouter is required, in the body, in the header X-Event-Metadata, or as parameters of the query"
    response = trackside.post(f"{PATH}?{urlencode(query)}", body, key=KEY)
    assert_refused(trackside, response, 400, single(sentence, "_metarouter", "required"))


@pytest.mark.parametrize("value", ["[]", '"{}"', "5", "true"])
def test_metadata_of_the_body_must_be_an_object(trackside: Running, value: str) -> None:
    response = send(trackside, '{"_metarouter":%s}' % value, metadata("m"))  # noqa: UP031
    assert_refused(trackside, response, 400, single("_metarouter must be a JSON object", "_metarouter", "wrong_type"))


@pytest.mark.parametrize(
    "value", ["[]", '"{}"', "5", "{", "writeKey=k", "null", '{"_metarouter":[]}', "{} {}", "[" * 5_000]
)
def test_metadata_of_the_header_must_be_an_object(trackside: Running, value: str) -> None:
    response = send(trackside, {}, metadata("m"), **{"X-Event-Metadata": value})
    told = single("X-Event-Metadata must be a JSON object", "X-Event-Metadata", "wrong_type")
    assert_refused(trackside, response, 400, told)


def test_two_headers_are_no_metadata(trackside: Running) -> None:
    line = f"X-Event-Metadata: {json.dumps(metadata('m'))}"
    with connected(trackside.http_address) as wire:
        wire.send(request(PATH, b"{}", line, line))
        answer = wire.answer()
    assert (answer.status, answer.json["Details"]) == (400, "X-Event-Metadata")
    assert trackside.queued() == []


@pytest.mark.parametrize("body", ["[]", '[{"_metarouter":{}}]', "5", '"text"', "null", "true"])
def test_body_that_is_no_object_is_refused(trackside: Running, body: str) -> None:
    told = single("An event must be a JSON object", "", "not_an_object")
    assert_refused(trackside, send(trackside, body, metadata("m")), 400, told)


@pytest.mark.parametrize("body", ["", "{", '{"a":1,}', "a=b"])
def test_body_that_is_not_json_is_refused(trackside: Running, body: str) -> None:
    response = send(trackside, body, metadata("m"))
    assert (response.status_code, response.json()["code"]) == (400, "malformed_json")
    assert trackside.queued() == []


def test_nan_and_half_a_surrogate_pair_are_mended(trackside: Running) -> None:
    sent = metadata("mended")
    body = '{"_metarouter":%s,"a":NaN,"b":"\\ud83d"}' % json.dumps(sent)  # noqa: UP031
    assert_accepted(trackside, send(trackside, body), track(sent, {"a": None, "b": "\ufffd"}))


EVENT_TOO_LARGE = {**TOO_LARGE, "code": "event_too_large", "message": "Error reading request body"}


def of_size(size: int, **members: Any) -> dict[str, Any]:
    """A body of this many bytes."""
    return {**members, "x": "x" * (size - len(json.dumps({**members, "x": ""})))}


@pytest.mark.parametrize("event_id", ["15 KB", ""])
def test_custom_event_may_have_15_kb_with_its_metadata(trackside: Running, event_id: str) -> None:
    sent = metadata(event_id)
    assert_answer(send(trackside, of_size(15_360, _metarouter=sent)), 200, SUCCESS)
    (queued,) = trackside.queued()
    assert queued["properties"] == {"x": of_size(15_360, _metarouter=sent)["x"]}
    assert_refused(trackside, send(trackside, of_size(15_361, _metarouter=sent)), 413, EVENT_TOO_LARGE)


@pytest.mark.parametrize("place", ["header", "query"])
def test_metadata_outside_the_body_counts_too(trackside: Running, place: str) -> None:
    sent = metadata(f"15 KB {place}", anonymousID="a" * 1_000)
    body = of_size(14_200)
    assert_accepted(trackside, PLACES[place](trackside, sent, body), track(sent, {"before": 1, **body}))
    for size in (14_400, 15_361):
        assert_refused(trackside, PLACES[place](trackside, sent, of_size(size)), 413, EVENT_TOO_LARGE)


@pytest.mark.parametrize(("levels", "status"), [(199, 200), (201, 400)])
def test_nesting_of_the_properties_is_bounded(trackside: Running, levels: int, status: int) -> None:
    sent = metadata(f"nested {levels}")
    response = send(trackside, '{"a":' + "[" * levels + "]" * levels + "}", sent)
    assert response.status_code == status
    assert response.json().get("code") == (None if status == 200 else "nested_too_deep")
    assert len(trackside.lines()) == (status == 200)


def test_compressed_body_is_read(trackside: Running) -> None:
    sent = metadata("compressed")
    body = gzip.compress(json.dumps({"_metarouter": sent, "a": 1}).encode())
    for headers in ({"Content-Encoding": "gzip"}, {}):
        assert_answer(trackside.post(PATH, body, key=None, headers=headers), 200, SUCCESS)
    assert trackside.queued() == [track(sent, {"a": 1})]


def test_metadata_goes_before_basic_authentication(trackside: Running) -> None:
    sent = metadata("basic")
    response = trackside.post(PATH, {"_metarouter": sent}, key="of-the-header")
    assert_accepted(trackside, response, track(sent, {}))


def test_unknown_key_is_not_told_whole(trackside: Running) -> None:
    response = trackside.http.post(PATH, content=b"{}", headers=basic(KEY))
    assert KEY not in response.text
    assert trackside.queued() == []


def test_header_is_allowed_in_a_preflight(trackside: Running) -> None:
    asked = {
        "Origin": "https://example.com",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-event-metadata",
    }
    response = trackside.http.options(PATH, headers=asked)
    assert response.status_code == 200
    allowed = response.headers["Access-Control-Allow-Headers"].lower().replace(" ", "").split(",")
    assert "x-event-metadata" in allowed

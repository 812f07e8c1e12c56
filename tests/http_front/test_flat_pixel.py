"""RudderStack's pixel: an event in flat parameters of the query."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.running import KEY, Running, basic
from tests.spec.expectations import (
    MISSING_KEY,
    MISSING_MESSAGE_ID,
    TOO_LARGE,
    assert_refused_pixel,
    kept_refused,
    record,
    required,
    single,
)

PATHS = {"/pixel/v1/track": "track", "/pixel/v1/page": "page"}
paths = pytest.mark.parametrize(("path", "kind"), PATHS.items())


def get(trackside: Running, path: str, query: Any, key: str | None = None) -> Any:
    text = query if isinstance(query, str) else urlencode(query)
    return trackside.http.get(f"{path}?{text}", headers=basic(key))


def parameters(message_id: str, **members: str) -> dict[str, str]:
    return {"writeKey": KEY, "messageId": message_id, "anonymousId": "a", "event": "e", **members}


def sent(message_id: str, **members: Any) -> dict[str, Any]:
    return {"messageId": message_id, "anonymousId": "a", "event": "e", **members}


def accepted(trackside: Running, response: Any, *records: dict[str, Any]) -> None:
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/gif")
    assert "Trackside-Error" not in response.headers
    assert response.headers["Cache-Control"] == "no-store"
    assert trackside.queued() == list(records)


@paths
def test_parameters_of_rudderstacks_documentation_are_read(trackside: Running, path: str, kind: str) -> None:
    query = {
        **parameters(f"documented {kind}", userId="u", name="Home"),
        "context.library.name": "Rudderstack AMP SDK",
        "context.library.version": "1.0.0",
        "context.locale": "en-US",
        "context.userAgent": "agent",
        "context.screen.width": "1000",
        "context.page.path": "/home?a=b&c",
        "context.page.title": "ü +",
        "properties.path": "/home",
        "properties.deep.er": "",
    }
    context = {
        "library": {"name": "Rudderstack AMP SDK", "version": "1.0.0"},
        "locale": "en-US",
        "userAgent": "agent",
        "screen": {"width": "1000"},
        "page": {"path": "/home?a=b&c", "title": "ü +"},
    }
    properties = {"path": "/home", "deep": {"er": ""}}
    event = sent(f"documented {kind}", userId="u", name="Home", context=context, properties=properties)
    accepted(trackside, get(trackside, path, query), record(kind, event))


@paths
def test_ampersand_may_be_written_as_html_has_it(trackside: Running, path: str, kind: str) -> None:
    query = urlencode(parameters(f"html {kind}")).replace("&", "&amp;")
    accepted(trackside, get(trackside, path, query), record(kind, sent(f"html {kind}")))


@paths
def test_every_value_is_a_string(trackside: Running, path: str, kind: str) -> None:
    query = parameters(f"strings {kind}", **{"properties.n": "1.0", "properties.b": "true", "properties.o": "{}"})
    event = sent(f"strings {kind}", properties={"n": "1.0", "b": "true", "o": "{}"})
    accepted(trackside, get(trackside, path, query), record(kind, event))


@paths
def test_first_of_two_parameters_counts(trackside: Running, path: str, kind: str) -> None:
    query = urlencode(parameters(f"twice {kind}")) + "&properties.a=1&properties.a=2&writeKey=another&&=x&"
    accepted(trackside, get(trackside, path, query), record(kind, sent(f"twice {kind}", properties={"a": "1"})))


@paths
def test_member_that_nobody_named_is_kept(trackside: Running, path: str, kind: str) -> None:
    query = parameters(f"unnamed {kind}", **{"_": "123", "receivedAt": "1999", "x.y": "z"})
    accepted(trackside, get(trackside, path, query), record(kind, sent(f"unnamed {kind}", _="123", x={"y": "z"})))


@paths
def test_key_of_the_query_goes_before_that_of_the_header(trackside: Running, path: str, kind: str) -> None:
    query = parameters(f"key {kind}")
    accepted(trackside, get(trackside, path, query, key="of-the-header"), record(kind, sent(f"key {kind}")))
    del query["writeKey"]
    query["messageId"] += " again"
    accepted(trackside, get(trackside, path, query, key=KEY), record(kind, sent(f"key {kind} again")))


@paths
def test_missing_key_is_the_documented_error(trackside: Running, path: str, kind: str) -> None:
    query = parameters("m", writeKey="")
    assert_refused_pixel(trackside, get(trackside, path, query), 400, MISSING_KEY)


@paths
def test_rules_are_those_of_the_kind(trackside: Running, path: str, kind: str) -> None:
    assert_refused_pixel(trackside, get(trackside, path, parameters("")), 400, MISSING_MESSAGE_ID)
    nobody = single("userId or anonymousId is required", "userId", "required")
    refused = get(trackside, path, parameters(f"nobody {kind}", anonymousId=""))
    assert_refused_pixel(trackside, refused, 400, nobody)
    assert kept_refused(trackside, f"nobody {kind}")["reason"] == "required"
    response = get(trackside, path, parameters("m", timestamp="x"))
    assert (response.status_code, response.headers["Trackside-Error"].partition(";")[0]) == (400, "invalid_timestamp")
    wrong = single(f"type must be {kind}, as the route says", "type", "type_mismatch")
    assert_refused_pixel(trackside, get(trackside, path, parameters("m", type="alias")), 400, wrong)
    context = single("context must be an object", "context", "wrong_type")
    assert_refused_pixel(trackside, get(trackside, path, parameters("m", context="x")), 400, context)


def test_event_of_a_track_is_required(trackside: Running) -> None:
    assert_refused_pixel(
        trackside, get(trackside, "/pixel/v1/track", parameters("m", event="")), 400, required("event")
    )


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("properties.a=1&properties.a.b=2", "a"),
        ("properties.a.b=2&properties.a=1", "a"),
        ("properties.a.b=2&properties=1", "properties"),
        ("x=1&x.y.z=2", "x"),
        ("&".join((f"{'x' * 1_000}=1", f"{'x' * 1_000}.y=2")), "x" * 100),
    ],
)
@paths
def test_member_that_is_a_value_and_an_object_is_refused(
    trackside: Running, path: str, kind: str, query: str, name: str
) -> None:
    told = single(f"{name} must be an object, as another parameter has it", name, "wrong_type")
    assert_refused_pixel(trackside, get(trackside, path, f"{urlencode(parameters('m'))}&{query}"), 400, told)


@paths
def test_event_may_have_15_kb(trackside: Running, path: str, kind: str) -> None:
    event = sent(f"15 KB {kind}")
    size = 15_360 - len(str({**event, "x": ""}).replace(" ", "")) - len(" " * event["messageId"].count(" "))
    query = parameters(f"15 KB {kind}", x="x" * size)
    accepted(trackside, get(trackside, path, query), record(kind, {**event, "x": "x" * size}))
    too_large = {**TOO_LARGE, "code": "event_too_large", "message": "Error reading request body"}
    query["x"] += "x"
    assert_refused_pixel(trackside, get(trackside, path, query), 413, too_large)


@paths
def test_parameters_are_bounded(trackside: Running, path: str, kind: str) -> None:
    too_large = {**TOO_LARGE, "code": "event_too_large", "message": "Error reading request body"}
    for query in ("a=b&" * 1_000, "&" * 40_000, "&amp;" * 1_000):
        assert_refused_pixel(trackside, get(trackside, path, query + urlencode(parameters("m"))), 413, too_large)


@paths
def test_nesting_is_bounded(trackside: Running, path: str, kind: str) -> None:
    levels = 199
    query = parameters(f"nested {kind}", **{f"properties.{'.'.join('a' * levels)}": "1"})
    assert get(trackside, path, query).status_code == 200
    assert len(trackside.lines()) == 1
    for more in (levels + 2, 20_000):
        response = get(trackside, path, parameters("m", **{f"properties.{'.'.join('a' * more)}": "1"}))
        assert (response.status_code, response.headers["Trackside-Error"].partition(";")[0]) == (400, "nested_too_deep")
    assert trackside.queued() == []

"""What systems that send webhooks do besides: they verify the address, and some send forms."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from tests.http_front.wire import chunked, connected, head
from tests.running import KEY, Running, basic
from tests.spec.expectations import (
    SUCCESS,
    TOO_LARGE,
    assert_accepted,
    assert_answer,
    assert_refused,
    batch,
    error,
    record,
    single,
)

PATHS = ["/v1/webhook", "/v1/w"]
FORM = "application/x-www-form-urlencoded"
ONE_FIELD = single("The body is not valid JSON", "A form must have one field, whose value is JSON", "malformed_json")


def quote_bytes(text: str) -> str:
    return quote(text, safe="")


def quote_all(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def event(message_id: str, **members: Any) -> dict[str, Any]:
    return {"messageId": message_id, "type": "page", "userId": "ü & = + %", **members}


def send(trackside: Running, body: str, content_type: str = FORM, path: str = "/v1/webhook") -> Any:
    return trackside.post(f"{path}?writeKey={KEY}", body, key=None, headers={"Content-Type": content_type})


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("query", ["", "?writeKey=k", "?hub.mode=subscribe&hub.challenge=12345&hub.verify_token=t"])
@pytest.mark.parametrize("slashes", ["", "/"])
def test_address_is_verified_and_nothing_is_collected(trackside: Running, path: str, query: str, slashes: str) -> None:
    for method in ("GET", "HEAD", "OPTIONS"):
        response = trackside.http.request(method, f"{path}{slashes}{query}", headers=basic(KEY))
        assert response.status_code == 200
        assert response.content == (b"" if method == "HEAD" else b'{"Success": true}')
        assert "12345" not in str(response.headers)
    with_body = trackside.http.request("GET", path, content=json.dumps(event("with GET")), headers=basic(KEY))
    assert_answer(with_body, 200, SUCCESS)
    assert trackside.queued() == []


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("spell", [quote_plus, quote_bytes, quote_all])
@pytest.mark.parametrize("name", ["payload", "", "data%5B%5D", "%7B"])
@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; charset=utf-8", FORM.upper()])
def test_form_with_one_field_is_read(
    trackside: Running, path: str, spell: Any, name: str, content_type: str, request: pytest.FixtureRequest
) -> None:
    sent = event(request.node.name, properties={"text": "a + b & c = d % e"})
    body = f"{name}={spell(json.dumps(sent, ensure_ascii=False))}"
    assert_accepted(trackside, send(trackside, body, content_type, path), record("page", sent))


def test_form_keeps_the_spelling_of_what_was_sent(trackside: Running) -> None:
    properties = '{"b":1.0,"a":12345678901234567890,"c":"\\u00e9"}'
    body = '{"type":"page","messageId":"spelling","userId":"u","properties":' + properties + "}"
    assert send(trackside, f"payload={quote(body)}").json() == SUCCESS
    (line,) = trackside.lines()
    assert properties.encode() in line


@pytest.mark.parametrize("frame", ["&{}", "{}&", "{}\r\n", " {}"])
def test_field_may_have_nothing_beside_it(trackside: Running, frame: str) -> None:
    sent = event(f"beside {frame!r}")
    body = frame.format(f"payload={quote(json.dumps(sent))}")
    assert_accepted(trackside, send(trackside, body), record("page", sent))


def test_form_may_have_an_array_or_a_batch(trackside: Running) -> None:
    events = [event("array 1"), event("array 2")]
    assert_accepted(
        trackside, send(trackside, f"a={quote(json.dumps(events))}"), *(record("page", each) for each in events)
    )
    events = [event("batch 1"), event("batch 2")]
    assert_accepted(
        trackside, send(trackside, f"a={quote(json.dumps({'batch': events}))}"), *(record("page", e) for e in events)
    )
    response = send(trackside, f"a={quote(json.dumps([event('good'), event('bad', userId='')]))}")
    assert_answer(response, 207, batch("required", error(1, "bad", "userId or anonymousId is required", "userId")))
    assert [queued["messageId"] for queued in trackside.queued()] == ["good"]


def test_form_in_chunks_is_read(trackside: Running) -> None:
    sent = event("chunks")
    body = f"payload={quote(json.dumps(sent))}".encode()
    parts = [body[start : start + 7] for start in range(0, len(body), 7)]
    with connected(trackside.http_address) as wire:
        wire.send(head("/v1/w", "Transfer-Encoding: chunked", f"Content-Type: {FORM}") + chunked(*parts))
        assert wire.answer().json == SUCCESS
    assert [queued["messageId"] for queued in trackside.queued()] == ["chunks"]


def test_nan_in_a_form_is_null(trackside: Running) -> None:
    body = quote('{"type":"page","messageId":"nan","userId":"u","properties":{"a":NaN,"b":"\\ud83d"}}')
    assert send(trackside, f"payload={body}").json() == SUCCESS
    assert [queued["properties"] for queued in trackside.queued()] == [{"a": None, "b": "\ufffd"}]


@pytest.mark.parametrize("content_type", [FORM, "text/plain", "application/json"])
@pytest.mark.parametrize("before", ["", " \r\n", "\ufeff"])
def test_json_is_read_whatever_the_content_type(trackside: Running, content_type: str, before: str) -> None:
    sent = event(f"json {content_type} {before!r}", properties={"query": "a=b&c=d"})
    assert_accepted(trackside, send(trackside, before + json.dumps(sent), content_type), record("page", sent))


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "", "multipart/form-data"])
def test_form_of_another_content_type_is_no_form(trackside: Running, content_type: str) -> None:
    response = send(trackside, f"payload={quote(json.dumps(event('m')))}", content_type)
    assert response.json()["code"] == "malformed_json"
    assert trackside.queued() == []


@pytest.mark.parametrize("path", ["/v1/page", "/v1/batch"])
def test_other_routes_read_no_form(trackside: Running, path: str) -> None:
    response = send(trackside, f"payload={quote(json.dumps(event('m')))}", FORM, path)
    assert (response.status_code, response.json()["code"]) == (400, "malformed_json")
    assert trackside.queued() == []


@pytest.mark.parametrize("body", ["a={}&b={}", "a=1&b", "a={}&" * 100_000, "&" * 400_000 + "a=&b"])
def test_form_of_several_fields_is_refused(trackside: Running, body: str) -> None:
    assert_refused(trackside, send(trackside, body), 400, ONE_FIELD)


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ("payload=", "It is empty"),
        ("payload=%7B", "Input data was truncated"),
        ("payload=<a/>", "JSON is malformed: invalid character (byte 0)"),
        ("payload=%ff", "not UTF-8 at byte 0"),
        ("payload=%zz", "JSON is malformed: invalid character (byte 0)"),
    ],
)
def test_field_that_is_not_json_is_refused(trackside: Running, body: str, details: str) -> None:
    told = single("The body is not valid JSON", details, "malformed_json")
    assert_refused(trackside, send(trackside, body), 400, told)


@pytest.mark.parametrize("body", ["payload=5", "payload=%22a%22", "payload=null"])
def test_field_that_is_no_event_is_refused(trackside: Running, body: str) -> None:
    told = single("An event must be a JSON object", "", "not_an_object")
    assert_refused(trackside, send(trackside, body), 400, told)


def test_limit_of_an_event_counts_the_decoded_value(trackside: Running) -> None:
    sent = event("15 KB", filling="")
    sent["filling"] = "ü" * ((15_360 - len(json.dumps(sent, ensure_ascii=False).encode())) // 2)
    text = json.dumps(sent, ensure_ascii=False)
    text += " " * (15_360 - len(text.encode()))
    over = text.rstrip()[:-1] + " " * (15_361 - len(text.rstrip().encode())) + "}"
    assert_accepted(trackside, send(trackside, f"payload={quote(text)}"), record("page", sent))
    too_large = {**TOO_LARGE, "code": "event_too_large", "message": "Error reading request body"}
    assert_refused(trackside, send(trackside, f"payload={quote(over)}"), 413, too_large)


def test_large_form_is_decoded_in_steps(trackside: Running) -> None:
    events = [event(f"large {number}", x="é" * 100) for number in range(300)]
    text = json.dumps(events, ensure_ascii=False)
    for filling in range(3):  # so that the steps end before, in and behind an escape
        body = f"payload={'+' * filling}{quote_all(text)}"
        assert len(body) > 3 * 65_536
        assert send(trackside, body).json() == SUCCESS
    assert [queued["messageId"] for queued in trackside.queued()] == [each["messageId"] for each in events]

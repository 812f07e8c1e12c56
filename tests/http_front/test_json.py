"""What a body may and may not be as JSON: each has its documented answer, and none is a 500."""

from __future__ import annotations

import codecs
import json
from typing import Any

import pytest

from tests.http_front.wire import page
from tests.running import Running
from tests.spec.expectations import (
    NO_INDEX,
    assert_accepted,
    assert_answer,
    assert_refused,
    batch,
    error,
    record,
    single,
)

MALFORMED = "The body is not valid JSON"
TOO_DEEP = "Objects and arrays nest deeper than 200 levels"


def nested(levels: int) -> str:
    """An array this many levels deep."""
    return "[" * levels + "]" * levels


NOT_JSON = {
    "": "It is empty",
    "   ": "It is empty",
    "{": "Input data was truncated",
    '{"a"': "Input data was truncated",
    '{"a":': "Input data was truncated",
    '{"a":1,}': "JSON is malformed: trailing comma in object (byte 7)",
    "{'a': 1}": "JSON is malformed: object keys must be strings (byte 1)",
    "{a: 1}": "JSON is malformed: object keys must be strings (byte 1)",
    '{"a": 1} {"b": 2}': "JSON is malformed: trailing characters (byte 10)",
    '{"a": True}': "JSON is malformed: invalid character (byte 6)",
    '{"a": 01}': "JSON is malformed: invalid number (byte 7)",
    '{"a": +1}': "JSON is malformed: invalid character (byte 6)",
    '{"a": .5}': "JSON is malformed: invalid character (byte 6)",
    '{"a": 0x10}': "JSON is malformed: expected ',' or '}' (byte 7)",
    '{"a": "\n"}': "JSON is malformed: invalid character (byte 7)",
    '{"a": "\0"}': "JSON is malformed: invalid character (byte 7)",
    '{"a": "\\x"}': "JSON is malformed: invalid escaped character (byte 8)",
    '{"a": "\\u12"}': "JSON is malformed: invalid character in unicode escape (byte 12)",
    '{"a": 1 // more\n}': "JSON is malformed: expected ',' or '}' (byte 8)",
    '{"a": 1]': "JSON is malformed: expected ',' or '}' (byte 7)",
    "userId=u&event=e": "JSON is malformed: invalid character (byte 0)",
    "<event/>": "JSON is malformed: invalid character (byte 0)",
}


@pytest.mark.parametrize(("body", "details"), NOT_JSON.items())
def test_body_that_is_not_json_is_refused_with_the_place(trackside: Running, body: str, details: str) -> None:
    assert_refused(trackside, trackside.post("/v1/page", body), 400, single(MALFORMED, details, "malformed_json"))
    whole = {"Error": "Bad Request", "Message": MALFORMED, "Details": details, **NO_INDEX}
    assert_refused(trackside, trackside.post("/v1/batch", body), 400, batch("malformed_json", whole))


@pytest.mark.parametrize("body", ["[]", "5", '"text"', "null", "true", "[{}]", "1e999"])
def test_body_that_is_no_object_is_refused(trackside: Running, body: str) -> None:
    told = single("An event must be a JSON object", "", "not_an_object")
    assert_refused(trackside, trackside.post("/v1/page", body), 400, told)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"messageId":"\xff"}', 14),
        (b'{"messageId":"\xc3"}', 14),
        (b'{"messageId":"\xed\xa0\x80"}', 14),  # a surrogate, encoded
        (b'{"messageId":"\xc0\xaf"}', 14),  # an overlong slash
        ("é".encode("latin-1"), 0),
        ('{"messageId":"m"}'.encode("utf-16"), 0),
    ],
)
def test_body_that_is_not_utf8_is_refused_with_the_place(trackside: Running, body: bytes, place: int) -> None:
    told = single(MALFORMED, f"not UTF-8 at byte {place}", "malformed_json")
    assert_refused(trackside, trackside.post("/v1/page", body), 400, told)


def test_utf_32_is_refused(trackside: Running) -> None:
    response = trackside.post("/v1/page", '{"messageId":"m"}'.encode("utf-32-le"))
    assert (response.status_code, response.json()["code"]) == (400, "malformed_json")


@pytest.mark.parametrize("path", ["/v1/page", "/v1/batch", "/v1/webhook"])
def test_byte_order_mark_is_passed_over(trackside: Running, path: str) -> None:
    sent = {"messageId": f"mark {path}", "userId": "u", "type": "page"}
    body: Any = {"batch": [sent]} if path == "/v1/batch" else sent
    response = trackside.post(path, codecs.BOM_UTF8 + json.dumps(body).encode())
    assert_accepted(trackside, response, record("page", sent))


def test_of_members_with_one_name_the_last_counts(trackside: Running) -> None:
    body = b'{"messageId":"1","userId":"a","x":1,"messageId":"twice","userId":"b","\\u0078":2}'
    response = trackside.post("/v1/page", body)
    assert_accepted(trackside, response, record("page", {"messageId": "twice", "userId": "b", "x": 2}))


def test_members_twice_inside_free_form_values_are_kept_as_they_were_sent(trackside: Running) -> None:
    properties = b'{"a":1,"a":2, "b":{"c":[],"c":null}}'
    response = trackside.post("/v1/page", b'{"messageId":"inside","userId":"u","properties":%b}' % properties)
    assert_answer(response, 200, {"Success": True})
    (line,) = trackside.lines()
    assert properties in line


@pytest.mark.parametrize("levels", [10_000, 100_000])
@pytest.mark.parametrize("path", ["/v1/page", "/v1/batch", "/v1/webhook"])
def test_nesting_past_every_limit_is_refused(trackside: Running, path: str, levels: int) -> None:
    body = f'{{"messageId":"m","userId":"u","type":"page","properties":{{"x":{nested(levels)}}}}}'
    response = trackside.post(path, f'{{"batch":[{body}]}}' if path == "/v1/batch" else body)
    if len(body) > 15_360 and path == "/v1/page":
        assert (response.status_code, response.json()["code"]) == (413, "event_too_large")
    else:
        told = {"Error": "Bad Request", "Message": TOO_DEEP, "Details": ""}
        whole = batch("nested_too_deep", {**told, **NO_INDEX})
        assert_answer(response, 400, whole if path == "/v1/batch" else single(TOO_DEEP, "", "nested_too_deep"))
    assert trackside.queued() == []


def test_nesting_within_the_limit_is_accepted_and_past_it_refused(trackside: Running) -> None:
    for member in ("properties", "context", "integrations"):
        value = f'{{"x":{nested(199)}}}'
        body = f'{{"messageId":"deep {member}","userId":"u","{member}":{value}}}'
        assert_answer(trackside.post("/v1/page", body), 200, {"Success": True})
        (queued,) = trackside.queued()
        assert json.dumps(queued[member]["x"]) == nested(199)
        body = body.replace(nested(199), nested(200))
        assert_refused(trackside, trackside.post("/v1/page", body), 400, single(TOO_DEEP, member, "nested_too_deep"))


def test_deep_event_does_not_take_its_neighbours_along(trackside: Running) -> None:
    deep = f'{{"messageId":"deep","userId":"u","type":"page","properties":{{"x":{nested(500)}}}}}'
    good = {"messageId": "beside", "userId": "u", "type": "page"}
    response = trackside.post("/v1/batch", f'{{"batch":[{deep},{json.dumps(good)}]}}')
    assert_answer(response, 207, batch("nested_too_deep", error(0, "deep", TOO_DEEP, "properties")))
    assert trackside.queued() == [record("page", good)]


@pytest.mark.parametrize("text", [r"\ud83d", r"\ude00", r"\ud83d\ud83d", r"a\ud83dz", r"\ude00\ud83d"])
@pytest.mark.parametrize("path", ["/v1/page", "/v1/batch", "/v1/webhook"])
def test_lone_surrogate_becomes_the_replacement_character(trackside: Running, path: str, text: str) -> None:
    message_id = f"{path} {text[1:]}".replace("\\", "+")
    body = f'{{"messageId":"{message_id}{text}","userId":"{text}","type":"page","properties":{{"{text}":"{text}"}}}}'
    response = trackside.post(path, f'{{"batch":[{body}]}}' if path == "/v1/batch" else body)
    mended = "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in json.loads(f'"{text}"'))
    sent = {"messageId": message_id + mended, "userId": mended, "properties": {mended: mended}}
    assert_accepted(trackside, response, record("page", sent))


def test_pair_of_surrogates_is_kept_as_it_was_sent(trackside: Running) -> None:
    response = trackside.post("/v1/page", rb'{"messageId":"pair","userId":"u","x":"\ud83d\ude00"}')
    assert_answer(response, 200, {"Success": True})
    (line,) = trackside.lines()
    assert rb'"x":"\ud83d\ude00"' in line


@pytest.mark.parametrize("member", ["messageId", "userId", "writeKey", "event", "x"])
def test_nul_that_is_escaped_is_kept(trackside: Running, member: str) -> None:
    sent = {"messageId": f"nul {member}", "userId": "u", "event": "e", member: "a\0b" + member}
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent))


def test_nul_tells_two_message_ids_apart(trackside: Running) -> None:
    for message_id in ("a\0b", "a\0c", "a"):
        sent = {"messageId": message_id, "userId": "u"}
        assert_accepted(trackside, trackside.post("/v1/page", sent), record("page", sent))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("path", ["/v1/page", "/v1/batch"])
def test_number_that_json_lacks_becomes_null(trackside: Running, path: str, value: str) -> None:
    body = (
        f'{{"messageId":"{path} {value}","userId":"u","type":"page","name":{value},"x":[{value},"{value}"],'
        f'"properties":{{"price":{value},"text":"{value}"}}}}'
    )
    response = trackside.post(path, f'{{"batch":[{body}]}}' if path == "/v1/batch" else body)
    queued = {"x": [None, value], "properties": {"price": None, "text": value}}
    assert_accepted(trackside, response, record("page", {"messageId": f"{path} {value}", "userId": "u", **queued}))


def test_spelling_of_numbers_and_strings_is_kept(trackside: Running) -> None:
    properties = (
        rb'{"big":123456789012345678901234567890,"one":1.0,"zero":-0.0,"huge":1e400,"e":1E+2,"s":"\u00e9\/\u0041"}'
    )
    response = trackside.post("/v1/page", b'{"messageId":"kept","userId":"u","properties":' + properties + b"}")
    assert_answer(response, 200, {"Success": True})
    (line,) = trackside.lines()
    assert b'"properties":' + properties in line


def test_bad_event_does_not_take_its_neighbours_along(trackside: Running) -> None:
    bad = [
        "5",
        "null",
        "[]",
        '"event"',
        "{}",
        '{"messageId":5,"type":"page","userId":"u"}',
        '{"messageId":"m","type":"page","userId":"u","context":"no"}',
        '{"messageId":"m","type":"page","userId":"u","timestamp":"no"}',
        '{"messageId":"m","type":["page"],"userId":"u"}',
        '{"messageId":"m","type":"page","userId":"u","filling":"%s"}' % ("x" * 15_360),
    ]
    good = [page(f"neighbour {number}", type="page").decode() for number in range(len(bad) + 1)]
    mixed = [text for pair in zip(good, [*bad, ""], strict=True) for text in pair if text]
    response = trackside.post("/v1/batch", f'{{"batch":[{",".join(mixed)}]}}')
    assert response.status_code == 207
    assert [told["Index"] for told in response.json()["Errors"]] == list(range(1, 2 * len(bad), 2))
    assert [queued["messageId"] for queued in trackside.queued()] == [f"neighbour {n}" for n in range(len(good))]

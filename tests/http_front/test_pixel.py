"""A pixel's query in every spelling, and the image that is its answer."""

from __future__ import annotations

import base64
import codecs
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from tests.http_front.wire import AUTHORIZATION, connected
from tests.running import KEY, Running, basic
from tests.spec.expectations import (
    MISSING_MESSAGE_ID,
    NO_MESSAGE_ID,
    TOO_LARGE,
    assert_refused_pixel,
    kept_refused,
    record,
    single,
)

NOT_BASE64 = single("The pixel's data parameter must be base64 of a JSON object", "data", "malformed_base64")

NO_USER = "userId or anonymousId is required"

# Its base64 has a plus, a slash and padding.
TEXT = '{"messageId":"%s","userId":"u","x":"??>~~~ÿþ"}'


def standard(data: bytes) -> str:
    return base64.b64encode(data).decode()


def url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


SPELLINGS: dict[str, Callable[[bytes], str]] = {
    "standard": standard,
    "URL-safe": url_safe,
    "standard, unpadded": lambda data: standard(data).rstrip("="),
    "URL-safe, unpadded": lambda data: url_safe(data).rstrip("="),
    "percent-encoded": lambda data: quote(standard(data), safe=""),
    "form-encoded": lambda data: quote_plus(standard(data)),
    "a plus as an encoded space": lambda data: standard(data).replace("+", "%20"),
    "wholly percent-encoded": lambda data: "".join(f"%{byte:02x}" for byte in standard(data).encode()),
    "with line ends as MIME has them": lambda data: quote(base64.encodebytes(data).decode().replace("\n", "\r\n")),
    "both alphabets": lambda data: standard(data).replace("+", "-"),
    "padding that is too much": lambda data: standard(data) + "===",
}


def get(trackside: Running, query: str, kind: str = "page") -> Any:
    return trackside.http.get(f"/v1/pixel/{kind}?{query}", headers=basic(KEY))


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("filling", ["", "x", "xx"])
def test_data_is_read_in_every_spelling(trackside: Running, spelling: str, filling: str) -> None:
    text = TEXT % f"{spelling}{filling}"
    data = SPELLINGS[spelling](text.encode())
    with connected(trackside.http_address) as wire:  # a client would mend the query
        wire.send(f"GET /v1/pixel/page?data={data} HTTP/1.1\r\nHost: x\r\n{AUTHORIZATION}\r\n\r\n".encode())
        answer = wire.answer()
    assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
    (queued,) = trackside.queued()
    sent = json.loads(text)
    assert {name: queued[name] for name in sent} == sent


def test_letters_that_differ_are_in_these_spellings() -> None:
    assert {"+", "/", "="} <= set("".join(standard((TEXT % ("m" + "x" * n)).encode()) for n in range(3)))


def test_plus_that_arrived_as_a_space_is_a_plus(trackside: Running) -> None:
    data = standard((TEXT % "space").encode())
    assert "+" in data
    assert get(trackside, f"data={data.replace('+', ' ')}").status_code == 200
    assert [queued["messageId"] for queued in trackside.queued()] == ["space"]


def test_other_parameters_are_passed_over(trackside: Running) -> None:
    data = standard((TEXT % "others").encode())
    assert get(trackside, f"cachebuster=1&data={data}&data=more&d").status_code == 200
    assert [queued["messageId"] for queued in trackside.queued()] == ["others"]


def test_byte_order_mark_is_passed_over(trackside: Running) -> None:
    data = url_safe(codecs.BOM_UTF8 + (TEXT % "mark").encode())
    assert get(trackside, f"data={data}").status_code == 200
    assert [queued["messageId"] for queued in trackside.queued()] == ["mark"]


@pytest.mark.parametrize("spelling", ["standard", "URL-safe", "percent-encoded"])
def test_event_may_have_fifteen_kb(trackside: Running, spelling: str) -> None:
    encode = SPELLINGS[spelling]
    sent = {"messageId": f"15 KB {spelling}", "userId": "u", "x": ""}
    sent["x"] = "?>~" * ((15_360 - len(json.dumps(sent))) // 3)
    sent["x"] += "x" * (15_360 - len(json.dumps(sent)))
    text = json.dumps(sent).encode()
    assert len(text) == 15_360
    assert get(trackside, f"data={encode(text)}").headers["Content-Type"] == "image/gif"
    assert trackside.queued() == [record("page", sent)]
    over = {**TOO_LARGE, "code": "event_too_large", "message": "Error reading request body"}
    assert_refused_pixel(trackside, get(trackside, f"data={encode(text[:-2] + b'y' + text[-2:])}"), 413, over)


@pytest.mark.parametrize("query", ["", "dat=e30", "data=*", "data=e", "data=%zz", "data=%C3%A9"])
def test_data_that_is_not_base64_is_refused(trackside: Running, query: str) -> None:
    assert_refused_pixel(trackside, get(trackside, query), 400, NOT_BASE64)


@pytest.mark.parametrize("query", ["data=", "data", "data=&data=e30"])
def test_empty_data_is_no_json(trackside: Running, query: str) -> None:
    told = single("The body is not valid JSON", "It is empty", "malformed_json")
    assert_refused_pixel(trackside, get(trackside, query), 400, told)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"{", single("The body is not valid JSON", "Input data was truncated", "malformed_json")),
        (b"[]", single("An event must be a JSON object", "", "not_an_object")),
        (b'{"userId":"\xff"}', single("The body is not valid JSON", "not UTF-8 at byte 11", "malformed_json")),
        (b'{"userId":"u"}', MISSING_MESSAGE_ID),
    ],
)
def test_data_that_is_no_event_is_refused(trackside: Running, data: bytes, told: dict[str, Any]) -> None:
    assert_refused_pixel(trackside, get(trackside, f"data={url_safe(data)}"), 400, told)


@pytest.mark.parametrize("ampersand", ["&amp;", "&", "&&", "&amp;&amp;"])
@pytest.mark.parametrize("before", ["a=b", "a", "amp;data=x", "data2=e30"])
@pytest.mark.parametrize("after", ["", "c=d"])
def test_ampersand_may_be_written_as_html_has_it(trackside: Running, ampersand: str, before: str, after: str) -> None:
    name = f"html {ampersand} {before} {after}"
    data = quote(standard((TEXT % name).encode()), safe="")
    query = ampersand.join(filter(None, [before, f"data={data}", after]))
    with connected(trackside.http_address) as wire:
        wire.send(f"GET /v1/pixel/page?{query} HTTP/1.1\r\nHost: x\r\n{AUTHORIZATION}\r\n\r\n".encode())
        answer = wire.answer()
    assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
    assert "trackside-error" not in answer.headers
    assert [queued["messageId"] for queued in trackside.queued()] == [name]


def test_data_that_is_empty_before_an_ampersand_of_html_is_empty(trackside: Running) -> None:
    told = single("The body is not valid JSON", "It is empty", "malformed_json")
    assert_refused_pixel(trackside, get(trackside, "data=&amp;data=e30"), 400, told)


@pytest.mark.parametrize(("number", "status"), [(999, 200), (1_000, 400)])
def test_a_thousand_parameters_are_read(trackside: Running, number: int, status: int) -> None:
    data = standard((TEXT % f"parameter {number}").encode())
    assert get(trackside, "a=b&" * number + f"data={data}").status_code == status
    assert len(trackside.queued()) == (status == 200)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({"userId": "u"}, f"required; {NO_MESSAGE_ID}; messageId"),
        (
            {"messageId": "m", "userId": "u", "type": "a\r\nX-Y: é"},
            "type_mismatch; type must be page, as the route says; type",
        ),
        ({"messageId": "m", "userId": "u", "timestamp": "x"}, None),
    ],
)
def test_reason_is_one_line_of_printable_letters(trackside: Running, sent: dict[str, str], reason: str | None) -> None:
    response = trackside.pixel("page", sent)
    said = response.headers["Trackside-Error"]
    assert response.status_code == 400
    assert said.isascii()
    assert said.isprintable()
    assert reason in (None, said)
    assert trackside.queued() == []


def test_query_without_data_is_kept_with_the_refused(trackside: Running) -> None:
    assert_refused_pixel(trackside, get(trackside, "dat=of+this+pixel"), 400, NOT_BASE64)
    deadline = time.monotonic() + 10
    while "dat=of+this+pixel" not in [kept["payload"] for kept in trackside.refused()]:
        assert time.monotonic() < deadline


def test_refused_pixel_is_kept(trackside: Running) -> None:
    assert_refused_pixel(
        trackside, trackside.pixel("page", {"messageId": "refused"}), 400, single(NO_USER, "userId", "required")
    )
    assert kept_refused(trackside, "refused")["payload"] == '{"type":"page","messageId":"refused"}'


def test_event_sent_again_by_another_pixel_is_a_duplicate(trackside: Running) -> None:
    sent = {"messageId": "again", "userId": "u"}
    for _ in range(2):
        assert trackside.pixel("page", sent).headers["Content-Type"] == "image/gif"
    assert trackside.queued() == [record("page", sent)]


def test_image_is_one_transparent_pixel(trackside: Running) -> None:
    image = trackside.pixel("page", {"messageId": "image", "userId": "u"}).content
    trackside.lines()
    assert image[:6] == b"GIF89a"
    width, height = int.from_bytes(image[6:8], "little"), int.from_bytes(image[8:10], "little")
    assert (width, height) == (1, 1)
    colours = 2 << (image[10] & 7)
    assert image[10] & 0x80
    rest = image[13 + 3 * colours :]
    assert rest[:4] == b"\x21\xf9\x04\x01"  # a graphic control extension: a colour is transparent
    transparent = rest[6]
    assert rest[8:18] == b"\x2c" + bytes(4) + b"\x01\x00\x01\x00\x00"  # one image of the whole size, without a table
    code_size, length = rest[18], rest[19]
    assert codes(rest[20 : 20 + length], code_size) == [transparent]
    assert rest[20 + length :] == b"\x00\x3b"  # no more data, the end


def codes(data: bytes, code_size: int) -> list[int]:
    """The colours of LZW data that is too short for its table to grow."""
    clear, end, width = 1 << code_size, (1 << code_size) + 1, code_size + 1
    bits, read = int.from_bytes(data, "little"), list[int]()
    for _ in range(len(data) * 8 // width):
        code = bits & (1 << width) - 1
        bits >>= width
        read.append(code)
        if code == end:
            break
    assert read[0] == clear
    assert read[-1] == end
    return read[1:-1]

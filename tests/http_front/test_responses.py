"""What every answer has, whatever its status: a JSON object that is not empty, and the headers that browsers need."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from trackside.v1 import collector_service_pb2 as proto

from http_front.errors import ANSWERS
from tests.http_front.gate import address, gated
from tests.http_front.wire import Answer, connected, head, page, request
from tests.running import Running, collector

BATCH = b'{"batch":[%b,5]}' % page("partly", type="page")
REQUESTS = {
    "200": request("/v1/page", page("answered")),
    "207": request("/v1/batch", BATCH),
    "400": request("/v1/page", b"{}"),
    "400 of a batch": request("/v1/batch", b'{"batch":[5]}'),
    "400 of a head": head("/v1/page", "Transfer-Encoding : chunked"),
    "400 of a chunk": head("/v1/page", "Transfer-Encoding: chunked") + b"x\r\n",
    "400 of a request's line": b"nonsense\r\n\r\n",
    "400 of an address": b"GET //\x00 HTTP/1.1\r\n\r\n",
    "404": request("/nowhere"),
    "405": request("/v1/page", method="DELETE"),
    "408": head("/v1/page", "Content-Length: 9"),
    "408 of a head": b"POST",
    "413": request("/v1/page", page("m", x="y" * 15_360)),
    "413 of a batch": request("/v1/batch", b" " * 512_001),
    "413 of a bomb": request("/v1/batch", gzip.compress(b" " * 9_000_000), "Content-Encoding: gzip"),
    "413 of a head": head("/v1/page", "X-Any: " + "x" * 50_000),
    "415": request("/v1/page", b"{}", "Content-Encoding: none"),
    "417": request("/v1/page", b"{}", "Expect: more"),
}


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with collector(tmp_path_factory.mktemp("hasty"), body_timeout=0.3) as running:
        yield running


def check(answer: Answer, status: int) -> None:
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-expose-headers"] == "Retry-After, Trackside-Error, Trackside-Duplicate"
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert ("retry-after" in answer.headers) == (status in (429, 503))
    body = answer.json
    assert isinstance(body, dict)
    if status == 200:
        assert body == {"Success": True}
        return
    # SDKs of the analytics-python family resend for ever without these two.
    assert body["code"] == body["code"].lower() != ""
    assert body["message"] == (body["Errors"][0] if "Errors" in body else body)["Message"] != ""


@pytest.mark.parametrize("name", REQUESTS)
def test_answer_is_a_json_object_that_any_page_may_read(hasty: Running, name: str) -> None:
    with connected(hasty.http_address) as wire:
        wire.send(REQUESTS[name])
        check(wire.answer(), int(name.split()[0]))
    hasty.lines()


def check_image(answer: Answer, status: int, reason: str) -> None:
    assert (answer.status, answer.headers["content-type"]) == (status, "image/gif")
    assert answer.headers["trackside-error"].partition(";")[0] == reason
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert ("retry-after" in answer.headers) == (status in (429, 503))
    assert answer.body.startswith(b"GIF89a")
    assert int(answer.headers["content-length"]) == len(answer.body)


def test_429_and_503_of_a_pixel_are_images(trackside: Running, tmp_path: Path) -> None:
    def pixel(**event: str) -> bytes:
        data = base64.b64encode(json.dumps({"messageId": "m", "userId": "u", **event}).encode()).decode()
        return request(f"/v1/pixel/page?data={quote_plus(data)}", method="GET")

    behind_gate = gated(trackside, tmp_path, front_pending_bytes=1, service_timeout=1)
    with behind_gate as (gate, http), connected(address(http)) as first, connected(address(http)) as second:
        first.send(pixel())
        assert gate.arrived.acquire(timeout=5)
        second.send(pixel())
        check_image(second.answer(), 429, "too_many_requests")
        check_image(first.answer(), 503, "service_unavailable")  # the service has taken too long


def test_pixel_of_an_event_that_is_too_large_is_an_image(trackside: Running) -> None:
    trackside.lines()
    data = base64.urlsafe_b64encode(page("m", x="y" * 15_360)).decode()
    with connected(trackside.http_address) as wire:
        wire.send(request(f"/v1/pixel/page?data={data}", method="GET"))
        check_image(wire.answer(), 413, "event_too_large")
        wire.send(request("/v1/pixel/page", method="GET"))
        check_image(wire.answer(), 400, "malformed_base64")
        wire.send(request("/v1/pixel/page", b"unwanted", method="GET"))
        check_image(wire.answer(), 400, "malformed_base64")
    assert trackside.lines() == []


def test_429_and_503_say_when_to_come_again(trackside: Running, tmp_path: Path) -> None:
    behind_gate = gated(trackside, tmp_path, front_pending_bytes=1, service_timeout=1)
    with behind_gate as (gate, http), connected(address(http)) as first, connected(address(http)) as second:
        first.send(request("/v1/page", page("never passed")))
        assert gate.arrived.acquire(timeout=5)
        second.send(request("/v1/page", page("m")))
        check(second.answer(), 429)
        check(first.answer(), 503)  # the service has taken too long


def test_every_reason_of_a_refusal_has_its_answer() -> None:
    reasons = set(proto.Reason.values()) - {proto.REASON_UNSPECIFIED}
    assert ANSWERS.keys() == reasons
    said = {"field": "", "description": "It is so"}
    for answer in ANSWERS.values():
        assert answer.status in (400, 413)
        assert answer.message.format(**said)

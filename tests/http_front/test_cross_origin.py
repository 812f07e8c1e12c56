"""What a page on another origin may send and read (tests/sdks/test_cross_origin.py asks a real browser)."""

from __future__ import annotations

import pytest

from tests.http_front.wire import Answer, connected, page, request
from tests.running import Running

PREFLIGHT = ("Origin: https://shop.example", "Access-Control-Request-Method: POST")
KNOWN = {"authorization", "content-type", "content-encoding", "x-retry-count", "anonymousid", "rsa-recovered"}


def answer(trackside: Running, *lines: str, path: str = "/v1/page", body: bytes = b"", method: str = "POST") -> Answer:
    with connected(trackside.http_address) as wire:
        wire.send(request(path, body, *lines, method=method))
        return wire.answer()


def preflight(trackside: Running, *lines: str) -> Answer:
    return answer(trackside, *PREFLIGHT, *lines, method="OPTIONS")


def allowed_headers(trackside: Running, requested: str) -> str:
    return preflight(trackside, f"Access-Control-Request-Headers: {requested}").headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
        "https://my_shop.xn--bcher-kva.example:8443",
        "chrome-extension://abcdefghijklmnop",
        "capacitor://localhost",
        "file://",
        "null",
        f"https://{'x' * 253}:65535",
    ],
)
@pytest.mark.parametrize(
    ("path", "body", "method", "status"),
    [
        ("/v1/page", b"{}", "POST", 400),
        ("/v1/page", b'{"messageId":"cors","userId":"u"}', "POST", 200),
        ("/v1/pixel/page", b"", "GET", 400),
        ("/v1/batch", b"", "OPTIONS", 200),
        ("/nowhere", b"", "GET", 404),
        ("/sourceConfig", b"", "GET", 200),
    ],
)
def test_origin_is_echoed_and_may_send_credentials(
    trackside: Running, origin: str, path: str, body: bytes, method: str, status: int
) -> None:
    told = answer(trackside, f"Origin: {origin}", path=path, body=body, method=method)
    assert told.status == status
    assert told.headers["access-control-allow-origin"] == origin
    assert told.headers["access-control-allow-credentials"] == "true"
    assert told.headers["vary"] == "origin"
    trackside.lines()


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("Origin:",),
        ("Origin: https://shop.example/path",),
        ("Origin: https://shop.example https://other.example",),
        ("Origin: https://shop.example", "Origin: https://other.example"),
        ("Origin: shop.example",),
        ("Origin: NULL",),
        ("Origin: https://sh\xf6p.example",),
        ('Origin: https://"><script>',),
        ("Origin: https://" + "x" * 263,),
        ("Origin: " + "x" * 33 + "://shop.example",),
        ("Origin: https://" + "x" * 40_000,),
    ],
)
def test_without_an_origin_every_page_may_read_and_none_sends_credentials(
    trackside: Running, lines: tuple[str, ...]
) -> None:
    told = answer(trackside, *lines, body=b"{}")
    assert told.status == 400
    assert told.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in told.headers
    assert told.headers["vary"] == "origin"


@pytest.mark.parametrize(
    "requested",
    [
        "content-type",
        "content-type,x-next-year",
        "content-type, x-next-year ,\tx-other",
        "!#$%&'*+-.^_`|~09AZaz",
        ",".join(f"x-{number}" for number in range(64)),
        "x" * 2_048,
    ],
)
def test_requested_headers_are_allowed_by_name(trackside: Running, requested: str) -> None:
    assert allowed_headers(trackside, requested) == requested


@pytest.mark.parametrize(
    "requested",
    [
        "",
        "a b",
        "a,,b",
        "a,",
        "a:b",
        "x-\xe9",
        "<script>",
        ",".join(f"x-{number}" for number in range(65)),
        "x" * 2_049,
    ],
)
def test_list_that_is_none_or_too_long_gets_the_headers_that_sdks_send(trackside: Running, requested: str) -> None:
    allowed = set(allowed_headers(trackside, requested).lower().split(", "))
    assert allowed >= KNOWN
    assert "*" not in allowed


def test_star_is_never_allowed_as_it_stands_for_nothing_with_credentials(trackside: Running) -> None:
    assert "*" not in preflight(trackside).headers["access-control-allow-headers"]


def test_page_of_a_public_network_may_send_to_a_private_one(trackside: Running) -> None:
    asked = preflight(trackside, "Access-Control-Request-Private-Network: true")
    assert asked.headers["access-control-allow-private-network"] == "true"
    for lines in ((), ("Access-Control-Request-Private-Network: yes",)):
        assert "access-control-allow-private-network" not in preflight(trackside, *lines).headers


@pytest.mark.parametrize("lines", [(), ("Origin: https://shop.example",), ("Origin: null",)])
def test_page_may_read_why_a_pixel_was_refused(trackside: Running, lines: tuple[str, ...]) -> None:
    told = answer(trackside, *lines, path="/v1/pixel/page", method="GET")
    assert told.status == 400
    exposed = told.headers["access-control-expose-headers"].split(", ")
    assert "Trackside-Error" in exposed
    assert "trackside-error" in told.headers


def test_event_of_another_origin_is_queued(trackside: Running) -> None:
    assert answer(trackside, "Origin: null", body=page("of another origin")).status == 200
    assert [record["messageId"] for record in trackside.queued()] == ["of another origin"]

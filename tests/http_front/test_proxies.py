"""Who the client is, and the address that it asked, behind proxies that are trusted and others."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from http_front.config import FrontConfig
from tests.http_front.wire import connected, page, request
from tests.running import Running, answering, collector, front_alone, in_thread

INSIDE = "10.0.0.0/8, 2001:db8:cafe::/48,::ffff:192.168.0.0/112 ,127.0.0.1"
MANY = 4_000
SETTINGS = "/v1/projects/KEY/settings"

_numbers = itertools.count()


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A collector that is asked by a trusted proxy."""
    with collector(tmp_path_factory.mktemp("proxied"), trusted_proxies=INSIDE) as running:
        yield running


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A collector with a trusted proxy, which is asked by somebody else."""
    with collector(tmp_path_factory.mktemp("direct"), trusted_proxies="10.0.0.0/8,::1") as running:
        yield running


def client(running: Running, *lines: str) -> str | None:
    """The address of the client, as an event of it is queued."""
    with connected(running.http_address) as wire:
        wire.send(request("/v1/page", page(f"m{next(_numbers)}"), *lines))
        assert wire.answer().status == 200
    (queued,) = running.queued()
    return queued.get("context", {}).get("ip")


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.0.0.1", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        ("1.1.1.1,203.0.113.9,10.0.0.1,10.1.1.1,192.168.0.7,2001:db8:cafe::1", "203.0.113.9"),
        ("10.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:4711, 10.0.0.1:80", "203.0.113.9"),
        ("2001:DB8::1, 10.0.0.1", "2001:db8::1"),
        ("[2001:db8::1], [2001:db8:cafe::1]", "2001:db8::1"),
        ("[2001:db8::1]:443, [2001:db8:cafe::1]:443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("::FFFF:203.0.113.9", "203.0.113.9"),
        ("0:0:0:0:0:ffff:cb00:7109", "203.0.113.9"),
        ("[::ffff:203.0.113.9]:443, ::ffff:10.0.0.1", "203.0.113.9"),
        ("::ffff:0:203.0.113.9", "::ffff:0:cb00:7109"),
        (", 203.0.113.9,, ,10.0.0.1,", "203.0.113.9"),
        ("10.0.0.2, 10.0.0.1", "10.0.0.2"),
        ("", "127.0.0.1"),
        (" , ", "127.0.0.1"),
        ("203.0.113.9, " + ", ".join(["10.0.0.1"] * 31), "203.0.113.9"),
        (", ".join(["10.0.0.1"] * MANY), "10.0.0.1"),
        (", ".join(["1.1.1.1"] * MANY), "1.1.1.1"),
    ],
)
def test_client_is_the_rightmost_address_outside_the_networks(proxied: Running, forwarded: str, address: str) -> None:
    assert client(proxied, f"X-Forwarded-For: {forwarded}") == address


@pytest.mark.parametrize(
    "forwarded",
    [
        "203.0.113.9, _hidden, 10.0.0.1",
        "203.0.113.9, unknown",
        "[], 10.0.0.1",
        "203.0.113.9, 010.0.0.1",
        "203.0.113.9, 10.0.0.256",
        "203.0.113.9, \xe9",
        "203.0.113.9, " + "1" * 40_000,
        "203.0.113.9, 1.2.3.4" + " " * 60 + "5",
    ],
)
def test_nothing_left_of_a_text_that_is_no_address_is_believed(proxied: Running, forwarded: str) -> None:
    assert client(proxied, f"X-Forwarded-For: {forwarded}") is None


def test_headers_of_the_same_name_are_one_list(proxied: Running) -> None:
    lines = ("X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: 10.0.0.1")
    assert client(proxied, *lines) == "203.0.113.9"


@pytest.mark.parametrize("name", ["Forwarded", "X-Real-IP", "CF-Connecting-IP"])
def test_other_headers_are_not_believed(proxied: Running, name: str) -> None:
    assert client(proxied, f"{name}: for=203.0.113.9", f"{name}: 203.0.113.9") == "127.0.0.1"


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_a_direct_caller_cannot_choose_its_address(direct: Running, name: str) -> None:
    """Loopback counts as any other: it is no proxy where it is not listed."""
    assert client(direct, f"{name}: 203.0.113.9, 10.0.0.1") == "127.0.0.1"


@pytest.mark.parametrize(
    ("header", "line", "address"),
    [
        ("Forwarded", "Forwarded: for=203.0.113.9", "203.0.113.9"),
        (
            "forwarded",
            "Forwarded: for=1.1.1.1, For=203.0.113.9;proto=https, by=10.0.0.2; for = 10.0.0.1",
            "203.0.113.9",
        ),
        ("Forwarded", 'Forwarded: proto=http;for="[2001:db8::1]:4711", for="10.0.0.1:80"', "2001:db8::1"),
        ("Forwarded", 'Forwarded: for="[::ffff:203.0.113.9]"', "203.0.113.9"),
        ("Forwarded", 'Forwarded: for="1.1.1.1, for=203.0.113.9', "203.0.113.9"),
        ("Forwarded", 'Forwarded: for=203.0.113.9;host="a,b"', None),
        ("Forwarded", 'Forwarded: for=203.0.113.9;host="a, for=9.9.9.9"', None),
        ("Forwarded", 'Forwarded: for=203.0.113.9;host="a, for=9.9.9.9, b"', None),
        ("Forwarded", 'Forwarded: for=203.0.113.9;host="a, for=9.9.9.9;b=\\"c"', None),
        ("Forwarded", 'Forwarded: host="a;for=9.9.9.9";for=203.0.113.9', "203.0.113.9"),
        ("Forwarded", 'Forwarded: for=203.0.113.9;host="a;for=9.9.9.9"', "203.0.113.9"),
        ("Forwarded", "Forwarded: for=9.9.9.9;for=203.0.113.9", None),
        ("Forwarded", "Forwarded: ;for=203.0.113.9;;proto=https;", "203.0.113.9"),
        ("Forwarded", "Forwarded: for=203.0.113.9 9.9.9.9", None),
        ("Forwarded", "Forwarded: for=203.0.113.9, for=_hidden", None),
        ("Forwarded", "Forwarded: for=203.0.113.9, for=unknown;by=10.0.0.1", None),
        ("Forwarded", "Forwarded: for=203.0.113.9, proto=https", None),
        ("Forwarded", "Forwarded: xfor=203.0.113.9", None),
        ("Forwarded", "X-Forwarded-For: 203.0.113.9", "127.0.0.1"),
        ("X-Real-IP", "X-Real-IP: 203.0.113.9", "203.0.113.9"),
        ("X-Real-IP", "X-Forwarded-For: 203.0.113.9", "127.0.0.1"),
        ("CF-Connecting-IP", "cf-connecting-ip: 2001:db8::1", "2001:db8::1"),
    ],
)
def test_a_setting_says_which_header_is_believed(tmp_path: Path, header: str, line: str, address: str | None) -> None:
    with collector(tmp_path, trusted_proxies=INSIDE, client_address_header=header) as running:
        assert client(running, line) == address


@pytest.mark.parametrize(("trusted", "address"), [("unix", "203.0.113.9"), ("127.0.0.1", None)])
def test_a_unix_socket_is_a_proxy_where_it_is_listed(
    trackside: Running, tmp_path: Path, trusted: str, address: str | None
) -> None:
    path = str(tmp_path / "http")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    front = FrontConfig(service=f"unix:{trackside.data_dir / 'grpc'}", trusted_proxies=trusted)
    transport = httpx.HTTPTransport(uds=path)
    with in_thread(answering(front, listener)), httpx.Client(transport=transport, base_url="http://here") as http:
        headers = {"X-Forwarded-For": "203.0.113.9"}
        sent = http.post("/v1/page", content=page(f"over {trusted}", writeKey="k"), headers=headers)
    assert sent.status_code == 200
    (queued,) = trackside.queued()
    assert queued["context"].get("ip") == address


@pytest.mark.parametrize(("setting", "address"), [("full", "127.0.0.1"), ("truncated", "127.0.0.0")])
def test_client_of_ipv4_on_an_address_of_ipv6_has_its_own_address(tmp_path: Path, setting: str, address: str) -> None:
    listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    port = listener.getsockname()[1]
    with collector(tmp_path, client_address=setting) as running:
        front = FrontConfig(service=f"unix:{running.data_dir / 'grpc'}")
        with in_thread(answering(front, listener)):
            for host, expected in (("127.0.0.1", address), ("::1", {"full": "::1", "truncated": "::"}[setting])):
                with connected((host, port)) as wire:
                    wire.send(request("/v1/page", page(f"over {host}")))
                    assert wire.answer().status == 200
                assert [queued["context"]["ip"] for queued in running.queued()] == [expected]


def told(http: httpx.Client, **headers: str) -> tuple[str, str]:
    """Where the settings endpoint tells an SDK to send."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = http.get(SETTINGS, headers={"Host": "inner:8080", **named}).json()
    destination = answer["integrations"]["Segment.io"]
    return destination["protocol"], destination["apiHost"]


@pytest.mark.parametrize(
    ("protocol", "host", "address"),
    [
        ("https", "events.example", ("https", "events.example/v1")),
        ("http", "events.example:8443", ("http", "events.example:8443/v1")),
        ("HTTPS", "[2001:db8::1]:443", ("https", "[2001:db8::1]:443/v1")),
        ("https,http", "events.example, inner", ("https", "events.example/v1")),
        ("on", "", ("http", "inner:8080/v1")),
        ("", "", ("http", "inner:8080/v1")),
        ('"><script>', "a<script>", ("http", "inner:8080/v1")),
        ("ws", "a/b", ("http", "inner:8080/v1")),
        ("javascript", "a" * 256, ("http", "inner:8080/v1")),
        ("https", "[2001:db8::1", ("https", "inner:8080/v1")),
        ("https", ":443", ("https", "inner:8080/v1")),
        ("https", "a:b:c", ("https", "inner:8080/v1")),
        ("https", "user@events.example", ("https", "inner:8080/v1")),
    ],
)
def test_sdks_are_told_the_address_that_a_trusted_proxy_was_asked(
    proxied: Running, protocol: str, host: str, address: tuple[str, str]
) -> None:
    assert told(proxied.http, X_Forwarded_Proto=protocol, X_Forwarded_Host=host) == address


def test_a_direct_caller_cannot_choose_the_address_that_sdks_are_told(direct: Running, trackside: Running) -> None:
    for running in (direct, trackside):
        said = told(running.http, X_Forwarded_Proto="https", X_Forwarded_Host="evil.example")
        assert said == ("http", "inner:8080/v1")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://events.example", ("https", "events.example/v1")),
        ("https://events.example/", ("https", "events.example/v1")),
        ("http://127.0.0.1:8080", ("http", "127.0.0.1:8080/v1")),
        ("https://example.com/events/", ("https", "example.com/events/v1")),
    ],
)
@pytest.mark.parametrize("trusted", ["", "127.0.0.1"])
def test_public_url_goes_before_what_any_header_says(url: str, address: tuple[str, str], trusted: str) -> None:
    with front_alone("unix:nowhere", public_url=url, trusted_proxies=trusted) as http:
        assert told(http, X_Forwarded_Proto="http", X_Forwarded_Host="other.example") == address


def test_no_more_than_32_addresses_are_read(proxied: Running) -> None:
    hops = ",".join(f"10.1.{number >> 8}.{number & 255}" for number in range(4_000 - 32, 4_000))
    assert client(proxied, f"X-Forwarded-For: 203.0.113.9,{hops}") == "10.1.15.128"

"""The sender's address and agent, which stand in the context of events that have none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.running import Running, collector
from tests.spec.expectations import AGENT, assert_accepted, record


@pytest.fixture(scope="module")
def truncating(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    directory = tmp_path_factory.mktemp("truncating")
    with collector(directory, trusted_proxies="127.0.0.1", client_address="truncated") as running:
        yield running


@pytest.fixture(scope="module")
def discreet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with collector(tmp_path_factory.mktemp("discreet"), client_address="off") as running:
        yield running


def post(running: Running, name: str, context: dict[str, Any] | None = None, **headers: str | bytes) -> dict[str, Any]:
    """The context of the record that an event becomes."""
    sent = {"messageId": name, "userId": "u", "context": context}
    named = {header.replace("_", "-"): value for header, value in headers.items()}
    assert running.post("/v1/page", sent, headers=named).status_code == 200
    (queued,) = running.queued()
    return queued.get("context", {})


def test_address_and_agent_of_the_request_fill_in(trackside: Running) -> None:
    assert post(trackside, "filled") == {"ip": "127.0.0.1", "userAgent": AGENT}


def test_own_address_and_agent_stay(trackside: Running) -> None:
    assert post(trackside, "own", {"ip": "1.2.3.4", "userAgent": "a"}) == {"ip": "1.2.3.4", "userAgent": "a"}
    assert post(trackside, "own agent", {"userAgent": "a"}) == {"ip": "127.0.0.1", "userAgent": "a"}


def test_headers_of_a_proxy_are_not_believed_where_none_is_trusted(trackside: Running) -> None:
    assert post(trackside, "forged", X_Forwarded_For="1.2.3.4", X_Real_IP="1.2.3.4", Forwarded="for=1.2.3.4") == {
        "ip": "127.0.0.1",
        "userAgent": AGENT,
    }


@pytest.mark.parametrize(
    ("agent", "filled"),
    [
        ("Mozilla/5.0 (X11)", "Mozilla/5.0 (X11)"),
        ("x" * 2_000, "x" * 1_024),
        ("é".encode(), "é"),
        (b"caf\xe9", "caf\ufffd"),
        ('"quoted\\"', '"quoted\\"'),
    ],
)
def test_agent_is_what_the_request_says(trackside: Running, agent: str | bytes, filled: str) -> None:
    assert post(trackside, f"agent {agent}", User_Agent=agent) == {"ip": "127.0.0.1", "userAgent": filled}


def test_request_without_an_agent_fills_in_none(trackside: Running) -> None:
    assert post(trackside, "no agent", User_Agent="") == {"ip": "127.0.0.1"}


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("::1", "::"),
        ("::ffff:203.0.113.9", "203.0.113.0"),
        ("::ffff:cb00:7109", "203.0.113.0"),
        ("fe80::1%eth0", "fe80::"),
        ("", "127.0.0.0"),
    ],
)
def test_address_is_truncated_where_that_is_set(truncating: Running, forwarded: str, address: str) -> None:
    context = post(truncating, f"truncated {forwarded}", X_Forwarded_For=forwarded)
    assert context == {"ip": address, "userAgent": AGENT}


def test_own_address_is_not_truncated(truncating: Running) -> None:
    assert post(truncating, "own", {"ip": "1.2.3.4"}) == {"ip": "1.2.3.4", "userAgent": AGENT}


def test_address_is_left_out_where_that_is_set(discreet: Running) -> None:
    assert post(discreet, "off") == {"userAgent": AGENT}
    assert post(discreet, "own", {"ip": "1.2.3.4"}) == {"ip": "1.2.3.4", "userAgent": AGENT}


def test_pixel_and_webhook_and_batch_fill_in_as_well(trackside: Running) -> None:
    sent = {"messageId": "pixel", "userId": "u"}
    assert trackside.pixel("page", sent).status_code == 200
    assert trackside.queued() == [record("page", sent)]
    for path, body in (("/v1/webhook", "hook"), ("/v1/batch", "batch")):
        event = {"messageId": body, "userId": "u", "type": "page"}
        assert_accepted(trackside, trackside.post(path, {"batch": [event]}), record("page", event))

"""A connection whose last answer was given is closed, whatever its client does."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.http_front.wire import Wire, connected, flood, head, page, request
from tests.running import Running, collector
from tests.spec.expectations import SUCCESS


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    limits: dict[str, Any] = {"body_timeout": 0.3, "service_timeout": 20, "keep_alive_timeout": 0.5}
    with collector(tmp_path_factory.mktemp("hasty"), **limits) as running:
        yield running


def assert_released(running: Running, wire: Wire, seconds: float) -> None:
    """The server forgets a connection in this time."""
    port, deadline = wire.socket.getsockname()[1], time.monotonic() + seconds
    while any(connection.info.client_port == port for connection in set(running.connections)):
        assert time.monotonic() < deadline
        assert running.http.get("/health").json() == SUCCESS


@pytest.mark.parametrize("pieces", [[b"POST /v1/pa"], [b"POST /v1/page HTTP/1.1\r\nHost: x\r\n", b"bad\r\n\r\n"]])
def test_connection_is_released_after_a_fault_in_a_head_that_came_in_pieces(
    hasty: Running, pieces: list[bytes]
) -> None:
    with connected(hasty.http_address) as wire:
        for piece in pieces:
            wire.send(piece)
            assert hasty.http.get("/health").json() == SUCCESS
        assert wire.answer().status in (400, 408)
        assert wire.ended()
        assert_released(hasty, wire, 10)


def test_connection_is_released_after_a_body_that_did_not_come(hasty: Running) -> None:
    with connected(hasty.http_address) as wire:
        wire.send(head("/v1/page", "Content-Length: 9"))
        assert wire.answer().status == 408
        assert wire.ended()
        assert_released(hasty, wire, 15)


def test_connection_whose_client_does_not_read_its_answers_is_released(hasty: Running) -> None:
    data = request("/nowhere", method="GET") * 1_000
    with connected(hasty.http_address) as wire:
        wire.socket.settimeout(2)
        with pytest.raises((TimeoutError, ConnectionResetError)):
            flood(wire, data, 64 << 20)
        assert_released(hasty, wire, 10)


def test_connection_is_released_when_both_sides_have_ended(trackside: Running) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(request("/v1/page", page("both"), "Connection: close"))
        assert wire.answer().json == SUCCESS
        assert wire.ended()
        wire.socket.shutdown(socket.SHUT_WR)
        assert_released(trackside, wire, 1)
    assert [queued["messageId"] for queued in trackside.queued()] == ["both"]


def test_connection_is_released_after_a_fault_in_a_body(trackside: Running) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(head("/v1/page", "Transfer-Encoding: chunked") + b"no size\r\n")
        assert wire.answer().status == 400
        assert wire.ended()
        assert_released(trackside, wire, 20)

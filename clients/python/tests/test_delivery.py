"""What becomes of events whatever the server does: each is settled once, and queued once or not at all."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event
from trackside_client import Client, Lost

from .launching import Serve, Server


class Results:
    """What the callbacks of a client received."""

    def __init__(self) -> None:
        self._more = threading.Condition()
        self.accepted: list[tuple[str, bool]] = []
        self.refused: list[tuple[str, proto.Refusal]] = []
        self.lost: list[tuple[str, Lost]] = []
        self.callbacks: dict[str, Any] = {
            "on_accepted": self._accept,
            "on_refused": self._refuse,
            "on_lost": self._lose,
        }

    def wait_for(self, accepted: int) -> None:
        with self._more:
            assert self._more.wait_for(lambda: len(self.accepted) >= accepted, timeout=60)

    def _accept(self, event: Event, duplicate: bool) -> None:
        with self._more:
            self.accepted.append((event.message_id, duplicate))
            self._more.notify_all()

    def _refuse(self, event: Event, why: proto.Refusal) -> None:
        self.refused.append((event.message_id, why))

    def _lose(self, event: Event, why: Lost) -> None:
        self.lost.append((event.message_id, why))


@pytest.fixture
def results() -> Results:
    return Results()


def queued(server: Server) -> Counter[str]:
    return Counter(record["messageId"] for record in server.records())


def once(message_ids: list[str]) -> Counter[str]:
    assert len(set(message_ids)) == len(message_ids)
    return Counter(message_ids)


def test_an_event_that_is_sent_twice_is_accepted_then_a_duplicate(serve: Serve, results: Results) -> None:
    server = serve()
    with Client(server.target, write_key="k", calls=1, **results.callbacks) as client:
        client.track("u", "E", message_id="m")
        client.track("u", "E", message_id="m")
    assert results.accepted == [("m", False), ("m", True)]
    assert queued(server) == {"m": 1}


def test_the_write_key_travels_as_metadata_and_an_unknown_one_is_refused(serve: Serve, results: Results) -> None:
    server = serve("--enforce", "right")
    with Client(server.target, write_key="right") as client:
        message_id = client.track("u", "E")
    with Client(server.target, write_key="wrong", **results.callbacks) as client:
        client.track("u", "E")
    ((_, why),) = results.refused
    assert (why.reason, why.field) == (proto.REASON_INVALID_WRITE_KEY, "writeKey")
    assert queued(server) == {message_id: 1}


def test_events_are_sent_again_until_the_queue_can_be_written(serve: Serve, results: Results) -> None:
    server = serve()
    with Client(server.target, write_key="k", **results.callbacks) as client:
        server.command("break")
        refused = client.track("u", "E", extra={"type": "mine"})
        sent = [client.track("u", f"E{n}") for n in range(10)]
        assert client.flush(timeout=0.5) == 10
        assert [message_id for message_id, _ in results.refused] == [refused]
        server.command("mend")
        assert client.flush() == 0
    assert results.accepted == [(message_id, False) for message_id in sent]
    assert queued(server) == once(sent)


def test_events_are_given_up_with_the_last_status_after_retry_for(serve: Serve, results: Results) -> None:
    server = serve()
    server.command("break")
    with Client(server.target, write_key="k", retry_for=0, **results.callbacks) as client:
        message_id = client.track("u", "E")
        assert client.flush() == 0
    assert [(lost, why.code) for lost, why in results.lost] == [(message_id, grpc.StatusCode.UNAVAILABLE)]


def test_an_overloaded_server_gets_every_event_in_the_end(serve: Serve, results: Results) -> None:
    server = serve("TRACKSIDE_MAX_PENDING_BYTES=1")
    sent: list[str] = []
    with Client(server.target, write_key="k", batch_events=1, calls=8, **results.callbacks) as client:
        slowest = 0.0
        while slowest < 1 and len(sent) < 2_000:  # the server says one second where it refuses for overload
            started = time.monotonic()
            sent += [client.track("u", "E") for _ in range(100)]
            assert client.flush() == 0
            slowest = time.monotonic() - started
        assert slowest >= 1
    assert queued(server) == once(sent)
    assert Counter(message_id for message_id, _ in results.accepted) == once(sent)


def test_a_call_past_its_deadline_is_sent_again(serve: Serve, results: Results) -> None:
    server = serve()
    with Client(server.target, write_key="k", call_timeout=0.3, calls=1, **results.callbacks) as client:
        client.track("u", "First")
        assert client.flush() == 0
        server.command("pause")
        sent = client.track("u", "Second")
        assert client.flush(timeout=1) == 1
        server.command("resume")
        assert client.flush() == 0
    assert queued(server)[sent] == 1
    assert not results.lost


def test_a_restart_in_the_middle_loses_nothing(serve: Serve, results: Results) -> None:
    server = serve()
    with Client(server.target, write_key="k", batch_events=10, **results.callbacks) as client:
        sent = [client.track("u", "E", {"n": n}) for n in range(500)]
        server.command("restart")
        sent += [client.track("u", "E", {"n": n}) for n in range(500)]
        assert client.flush() == 0
    assert queued(server) == once(sent)
    assert Counter(message_id for message_id, _ in results.accepted) == once(sent)


def test_10_000_events_are_conserved_through_kills_of_the_server(serve: Serve, results: Results) -> None:
    server = serve()

    def kill_five_times() -> None:
        for accepted in range(1_500, 9_000, 1_500):
            results.wait_for(accepted)
            server.command("kill")
            server.command("start")

    options: dict[str, Any] = {"batch_events": 20, "queue_events": 1_000, "full_wait": 60, **results.callbacks}
    with ThreadPoolExecutor(1) as threads, Client(server.target, write_key="k", **options) as client:
        killed = threads.submit(kill_five_times)
        sent = [client.track(f"u-{n}", "E", {"n": n}) for n in range(10_000)]
        killed.result()
        assert client.flush() == 0
    assert queued(server) == once(sent)
    assert Counter(message_id for message_id, _ in results.accepted) == once(sent)
    assert not results.lost


def test_close_gives_up_what_is_left_with_the_last_status_and_the_target(results: Results) -> None:
    client = Client("127.0.0.1:1", **results.callbacks)
    sent = [client.track("u", "E") for _ in range(300)]
    assert client.close(timeout=0.5) == 300
    assert sorted(message_id for message_id, _ in results.lost) == sorted(sent)
    for _, why in results.lost:
        assert why.code is grpc.StatusCode.UNAVAILABLE
        assert why.description.startswith("the client was closed; the last status of 127.0.0.1:1 was UNAVAILABLE: ")
    assert client.close() == 0


@pytest.mark.parametrize("arguments", [["--tls"], ["--mutual-tls"]])
def test_tls_with_and_without_a_certificate_of_the_client(serve: Serve, results: Results, arguments: list[str]) -> None:
    server = serve(*arguments)
    ca, cert, key = [Path(server.ready[name]).read_bytes() for name in ("ca", "cert", "key")]
    known = grpc.ssl_channel_credentials(ca, key, cert)
    unknown = grpc.ssl_channel_credentials(ca)
    with Client(server.target, write_key="k", tls=known) as client:
        sent = [client.track("u", "E")]
    with Client(server.target, write_key="k", tls=unknown, retry_for=0, **results.callbacks) as client:
        other = client.track("u", "E")
        assert client.flush() == 0
    expected = [other] if arguments == ["--tls"] else []
    assert [message_id for message_id, _ in results.accepted] == expected
    assert queued(server) == once(sent + expected)


def test_an_event_that_the_caller_built_is_completed(serve: Serve) -> None:
    server = serve()
    with Client(server.target) as client:
        event = Event(user_id="u", write_key="own")
        event.page.name = "Home"
        message_id = client.collect(event)
    (record,) = server.records()
    assert (record["messageId"], record["writeKey"]) == (message_id, "own")
    assert record["timestamp"] == event.timestamp.ToJsonString()

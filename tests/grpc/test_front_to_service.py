"""A front and the services that it calls: over TLS, several of them in turn, and the loss of one."""

from __future__ import annotations

import itertools
import json
import logging
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import httpx
import pytest

from http_front import grpc_connection
from tests.cli.conftest import serve as serve
from tests.cli.serving import Serve, until
from tests.grpc.names import name_server
from tests.grpc.serving import Process, Service, free_port, processes, queued, service
from tests.grpc.test_tls import CERTIFICATES, Files
from tests.running import basic, front_alone

_numbers = itertools.count()
AUTHORITY = CERTIFICATES / "authority.pem"


def send(front: httpx.Client, message_id: str = "", url: str = "") -> int:
    """Send one event; the answer's status."""
    event = {"messageId": message_id or f"m-{next(_numbers)}", "userId": "user", "event": "Hello"}
    return front.post(f"{url}/v1/track", json=event, headers=basic("key"), timeout=30).status_code


def ids(service: Service | Process) -> list[str]:
    """The messageIds in a service's queue, in order."""
    return [json.loads(line)["messageId"] for line in queued(service.data_dir)]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[list[Service]]:
    """Two services, each with a queue of its own."""
    first, second = tmp_path / "first", tmp_path / "second"
    with service(first) as one, service(second) as other:
        yield [one, other]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_front_and_service_run_apart_over_mutual_tls(serve: Serve, host: str) -> None:
    own = {"cert": CERTIFICATES / "server.pem", "key": CERTIFICATES / "server.key", "client-ca": AUTHORITY}
    given = [f"--grpc-{name}={path}" for name, path in own.items()]
    there = serve("--only=service", f"--host={host}", *given, name="service").ready()
    assert there.banner.count("(TLS)") == 1
    shown = {"ca": AUTHORITY, "cert": CERTIFICATES / "client.pem", "key": CERTIFICATES / "client.key"}
    given = [f"--service-{name}={path}" for name, path in shown.items()]
    front = serve("--only=front", f"--host={host}", f"--service={there.grpc}", *given, name="front").ready()
    with httpx.Client() as client:
        assert send(client, url=front.http) == 200


def test_front_without_a_certificate_is_not_served_where_one_is_asked_for(tmp_path: Path) -> None:
    files = Files(tmp_path / "files")
    settings = {"grpc_cert": files.path("cert.pem"), "grpc_key": files.path("key.pem")}
    with (
        service(tmp_path, **settings, grpc_client_ca=files.path("clients.pem")) as running,
        front_alone(running.address, service_ca=AUTHORITY) as front,
    ):
        assert send(front) == 503
        assert front.get("/health").status_code == 503


def test_certificate_of_the_front_is_read_again_when_it_changes(tmp_path: Path) -> None:
    there, here = Files(tmp_path / "there"), Files(tmp_path / "here")
    settings = {"grpc_cert": there.path("cert.pem"), "grpc_key": there.path("key.pem")}
    here.put("other-client.pem", "other-client.key")
    shown = {"service_ca": AUTHORITY, "service_cert": here.path("cert.pem"), "service_key": here.path("key.pem")}
    with (
        service(tmp_path, **settings, grpc_client_ca=there.path("clients.pem")) as running,
        front_alone(running.address, **shown) as front,
    ):
        assert send(front) == 503
        here.put("client.pem", "client.key")
        until(lambda: send(front) == 200)


def test_services_take_turns(two: list[Service]) -> None:
    with front_alone(",".join(service.address for service in two)) as front:
        for number in range(4):
            assert send(front, str(number)) == 200
    assert [ids(service) for service in two] == [["0", "2"], ["1", "3"]]


def test_name_is_resolved(two: list[Service]) -> None:
    with front_alone(f"dns:///{two[0].address.replace('127.0.0.1', 'localhost')}") as front:
        assert send(front) == 200


def test_service_that_is_not_there_costs_no_request_and_two_lines_of_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "http_front")
    away = Process(tmp_path / "away")
    away.kill()
    with service(tmp_path / "there") as there, front_alone(f"{away.address},{there.address}") as front:
        assert [send(front) for _ in range(6)] == [200] * 6
        assert len(ids(there)) == 6
        away.start()
        until(lambda: send(front) == 200 and ids(away.ready()))
    away.close()
    said = [record.getMessage() for record in caplog.records if away.address in record.getMessage()]
    assert len(said) == 2
    assert said[0].startswith(f"the service at {away.address} does not answer: UNAVAILABLE")
    assert said[1] == f"the service at {away.address} answers again"


def test_request_finds_the_one_service_that_is_there_among_many(tmp_path: Path) -> None:
    targets = [f"unix:{tmp_path / str(number)}" for number in range(5)]
    with service(tmp_path / "there") as there, front_alone(",".join([*targets, there.address])) as front:
        # Each begins with another target.
        assert [send(front, str(number)) for number in range(6)] == [200] * 6
        assert ids(there) == [str(number) for number in range(6)]


def test_no_service_at_all_is_503(tmp_path: Path) -> None:
    with front_alone(f"127.0.0.1:{free_port()},127.0.0.1:{free_port()}") as front:
        assert send(front) == 503
        assert front.get("/health").status_code == 503


def test_service_whose_queue_cannot_be_written_is_passed_over(two: list[Service]) -> None:
    broken, well = two
    with front_alone(",".join(service.address for service in two)) as front:
        assert [send(front), send(front)] == [200, 200]
        (broken.data_dir / "queue.db").rename(broken.data_dir / "away")
        until(lambda: [send(front) for _ in range(4)] == [200] * 4)
        assert front.get("/health").status_code == 200
        (broken.data_dir / "away").rename(broken.data_dir / "queue.db")
        before = len(ids(broken))
        until(lambda: send(front) == 200 and len(ids(broken)) > before)
    assert len(ids(well)) > 1


SENDERS = 8


def under_load(front: httpx.Client, end: Callable[[], object]) -> list[str]:
    """Send events from several senders at once, and `end` a service amid them; the messageIds. All are answered 200."""
    sent = [str(number) for number in range(SENDERS * 60)]
    with ThreadPoolExecutor(SENDERS) as threads:
        answers = threads.map(partial(send, front), sent)
        assert {next(answers) for _ in range(len(sent) // 3)} == {200}
        end()
        assert set(answers) == {200}
    return sent


def test_loss_of_a_service_under_load_fails_no_request(tmp_path: Path) -> None:
    """What was in flight is sent to the other. Two SQLite queues do not know of each other, so of the events that were
    not answered yet, those that the lost service had queued are in both."""
    with processes(tmp_path, ["lost", "kept"]) as (lost, kept):
        with front_alone(f"{lost.address},{kept.address}") as front:
            sent = under_load(front, lost.kill)
        first, second = ids(lost), ids(kept)
    assert len(first) > SENDERS
    assert set(first) | set(second) == set(sent)
    assert len(set(first)) == len(first)
    assert len(set(second)) == len(second)
    assert len(set(first) & set(second)) <= SENDERS


def test_loss_of_one_of_the_services_that_a_name_stands_for_fails_no_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        grpc_connection, "STREAM_SECONDS", 0.01
    )  # so that both get some in the little time that this takes
    hosts, port = ("127.0.0.1", "127.0.0.2"), free_port()
    with ExitStack() as stack:
        started = [stack.enter_context(processes(tmp_path, [host], host=host, grpc_port=port)) for host in hosts]
        (lost,), (kept,) = started
        front = stack.enter_context(front_alone(f"dns://{stack.enter_context(name_server(*hosts))}/collector:{port}"))
        sent = under_load(front, lost.kill)
        first, second = ids(lost), ids(kept)
    assert min(len(first), len(second)) > SENDERS
    assert set(first) | set(second) == set(sent)
    assert len(set(first) & set(second)) <= SENDERS


def test_service_that_is_stopped_under_load_fails_no_request_and_queues_nothing_twice(tmp_path: Path) -> None:
    with processes(tmp_path, ["stopped", "kept"]) as (stopped, kept):
        with front_alone(f"{stopped.address},{kept.address}") as front:
            sent = under_load(front, lambda: stopped.send(signal.SIGTERM))
        assert stopped.ended() == 0
        assert len(ids(stopped)) > SENDERS
        assert sorted(ids(stopped) + ids(kept)) == sorted(sent)


def test_event_that_a_lost_service_had_not_queued_is_queued_once(tmp_path: Path) -> None:
    with processes(tmp_path, ["hangs", "kept"]) as (hangs, kept):
        with (
            front_alone(f"{hangs.address},{kept.address}", service_timeout=8) as front,
            ThreadPoolExecutor() as threads,
        ):
            assert [send(front, "1"), send(front, "2")] == [200, 200]
            # It takes no more from its sockets, and does not say so: only pings tell.
            hangs.send(signal.SIGSTOP)
            assert list(threads.map(partial(send, front), ["3", "4", "5", "6"])) == [200] * 4
        hangs.kill()
        assert ids(hangs) == ["1"]
        assert sorted(ids(kept)) == ["2", "3", "4", "5", "6"]

"""What dies is started again, what is stopped drains, and nothing is left behind."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import httpx
import pytest

from tests.cli.serving import COMMAND, PATIENCE, Serve, Serving, environment, until
from tests.http_front.wire import chunked, connected, head, page


def send(serving: Serving, message_id: str) -> httpx.Response:
    event = {"messageId": message_id, "userId": "user", "event": "Hello"}
    return httpx.post(f"{serving.http}/v1/track", json=event, auth=("key", ""), timeout=PATIENCE)


def queued(serving: Serving) -> list[str]:
    """The messageIds in the queue."""
    tail = [*COMMAND, "tail", "--from-start"]
    out = subprocess.check_output(tail, cwd=serving.directory, env=environment(), timeout=PATIENCE)
    return [json.loads(line)["messageId"] for line in out.splitlines()]


def refuses(serving: Serving) -> bool:
    """Whether the HTTP port takes no connections any more."""
    try:
        socket.create_connection(("127.0.0.1", httpx.URL(serving.http).port or 0), PATIENCE).close()
    except ConnectionRefusedError:
        return True
    return False


def listening(host: str, port: int) -> socket.socket | None:
    """A socket that holds a port, once nobody else does."""
    try:
        return socket.create_server((host, port))
    except OSError:
        return None


class SlowRequest:
    """A request of which the front has the head and half the body."""

    def __init__(self, serving: Serving, message_id: str) -> None:
        body = json.dumps({"messageId": message_id, "userId": "user", "event": "Slow", "writeKey": "key"}).encode()
        self._rest = body[20:]
        url = httpx.URL(serving.http)
        self._socket = socket.create_connection((url.host, url.port or 0), PATIENCE)
        head = ("POST /v1/track HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", "Expect: 100-continue")
        self._socket.sendall("\r\n".join((*head, "", "")).encode())
        # The front says this when it begins to read the body.
        assert self._socket.recv(100).startswith(b"HTTP/1.1 100 ")
        self._socket.sendall(body[:20])

    def finish(self) -> bytes:
        """Send the rest; the answer's first line."""
        self._socket.sendall(self._rest)
        with self._socket, self._socket.makefile("rb") as answer:
            return answer.readline().rstrip()

    def was_cut(self) -> bool:
        """Wait until the connection ends; whether it did without an answer."""
        with self._socket:
            return self._socket.recv(100) == b""

    def close(self) -> None:
        self._socket.close()


def test_killed_service_is_started_again_while_the_front_answers_503(serve: Serve) -> None:
    serving = serve().ready()
    assert send(serving, "before").status_code == 200
    os.kill(serving.pid("service"), signal.SIGKILL)
    while_away = send(serving, "while away")
    assert while_away.status_code == 503
    assert int(while_away.headers["Retry-After"]) >= 1
    until(lambda: send(serving, "after").status_code == 200)
    assert queued(serving) == ["before", "after"]


def test_killed_front_is_started_again_and_answers_what_waited(serve: Serve) -> None:
    serving = serve().ready()
    os.kill(serving.pid("front-1"), signal.SIGKILL)
    assert send(serving, "while away").status_code == 200
    assert queued(serving) == ["while away"]


def test_other_fronts_answer_while_one_is_away(serve: Serve) -> None:
    serving = serve("--workers=2").ready()
    for away, name in enumerate(("front-1", "front-2")):
        os.kill(serving.pid(name), signal.SIGSTOP)
        assert send(serving, str(away)).status_code == 200
        os.kill(serving.pid(name), signal.SIGCONT)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_answers_what_is_being_answered(serve: Serve, number: signal.Signals) -> None:
    serving = serve().ready()
    slow = SlowRequest(serving, "slow")
    # To the whole group, as Ctrl-C in a terminal does.
    os.killpg(serving.process.pid, number)
    until(lambda: refuses(serving))
    assert httpx.get(f"{serving.admin}/readyz").status_code == 503
    assert slow.finish() == b"HTTP/1.1 200 OK"
    assert serving.ended() == 0
    assert queued(serving) == ["slow"]


@pytest.mark.parametrize("encoding", ["Content-Length: 70", "Transfer-Encoding: chunked"], ids=["short", "long"])
def test_stop_tells_those_who_go_on_sending(serve: Serve, encoding: str) -> None:
    """A connection ends after an answer that says so, whether its client was sending when the signal came or idle."""
    serving = serve("--drain-timeout=600").ready()
    url = httpx.URL(serving.http)
    sent: list[str] = []
    with connected((url.host, url.port or 0)) as one, connected((url.host, url.port or 0)) as other:
        going_on = [one, other]
        for wire in itertools.cycle((one, other)):
            if wire in going_on:
                sent.append(f"{len(sent):08}")
                event = page(sent[-1], event="E").ljust(70)
                wire.send(head("/v1/track", encoding) + (event if "Length" in encoding else chunked(event)))
                answer = wire.answer()
                assert answer.status == 200
                if answer.headers["connection"] == "close":
                    assert wire.ended()
                    going_on.remove(wire)
            if len(sent) == 20:
                serving.process.terminate()
            if not going_on:
                break
    assert serving.ended() == 0
    assert queued(serving) == sent


def test_stop_ends_a_connection_that_was_answered_before_its_body_came(serve: Serve) -> None:
    serving = serve("--drain-timeout=600").ready()
    url = httpx.URL(serving.http)
    with connected((url.host, url.port or 0)) as slow, connected((url.host, url.port or 0)) as idle:
        slow.send(head("/nowhere", "Content-Length: 2") + b"{")
        assert slow.answer().status == 404
        serving.process.terminate()
        assert idle.ended()
        slow.send(b"}")
        assert slow.ended()
    assert serving.ended() == 0


def test_stop_waits_no_longer_than_it_is_told(serve: Serve) -> None:
    serving = serve("--drain-timeout=0.2").ready()
    slow = SlowRequest(serving, "slow")
    serving.process.terminate()
    assert slow.was_cut()
    assert serving.ended() == 0
    assert "killing it" not in serving.log


def test_process_that_does_not_stop_is_killed(serve: Serve) -> None:
    serving = serve("--drain-timeout=0.2").ready()
    os.kill(serving.pid("front-1"), signal.SIGSTOP)
    serving.process.terminate()
    assert serving.ended() == 0
    assert "front-1" in serving.log
    assert "killing it" in serving.log


def test_second_signal_stops_at_once(serve: Serve) -> None:
    serving = serve("--drain-timeout=600").ready()
    slow = SlowRequest(serving, "slow")
    serving.process.send_signal(signal.SIGINT)
    until(lambda: refuses(serving))
    serving.process.send_signal(signal.SIGINT)
    assert serving.ended() == 0
    slow.close()


def test_stop_before_it_is_ready_stops(serve: Serve) -> None:
    serving = serve()
    until(lambda: "front-1 runs as process" in serving.log)
    serving.process.terminate()
    assert serving.ended() == 0


def test_killed_supervisor_leaves_no_process_behind(serve: Serve) -> None:
    serving = serve("--workers=2").ready()
    serving.process.kill()
    # Returns when the last process that holds the pipe has ended.
    assert serving.ended() == -signal.SIGKILL
    assert until(lambda: refuses(serving))


def test_killed_supervisor_does_not_keep_the_front_from_answering(serve: Serve) -> None:
    serving = serve().ready()
    slow = SlowRequest(serving, "slow")
    serving.process.kill()
    until(lambda: refuses(serving))
    assert slow.finish().startswith(b"HTTP/1.1 ")
    serving.ended()
    assert "Traceback" not in serving.log


def test_stopped_collector_leaves_no_file_outside_its_data_directory(serve: Serve) -> None:
    with tempfile.TemporaryDirectory() as directory:
        serving = serve(TMPDIR=directory).ready()
        (made,) = Path(directory).iterdir()
        assert made.stat().st_mode & 0o777 == 0o700
        serving.process.terminate()
        assert serving.ended() == 0
        assert list(Path(directory).iterdir()) == []


def test_folder_named_like_a_process_is_not_run(serve: Serve) -> None:
    package = serve.directory("trackside") / "service"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('this is not it')")
    assert send(serve().ready(), "1").status_code == 200


def test_front_and_service_run_apart_over_tcp(serve: Serve) -> None:
    service = serve("--only=service", name="service").ready()
    assert service.http == ""
    front = serve("--only=front", f"--service={service.grpc}", name="front").ready()
    assert front.grpc == service.grpc
    assert send(front, "1").status_code == 200
    assert queued(service) == ["1"]
    assert not (front.directory / "data").exists()


def page_written_by_the_event_loop(serving: Serving, number: int) -> bool:
    """Whether the service's event loop itself wrote a page of the queue when an event was sent."""
    pid = serving.pid("service")

    def written() -> int:
        return int(re.findall(r"wchar: (\d+)", Path(f"/proc/{pid}/task/{pid}/io").read_text())[0])

    before = written()
    assert send(serving, f"{number}").status_code == 200
    return written() - before >= 16_384


def test_event_loop_never_waits_for_the_disk(serve: Serve) -> None:
    serving = serve().ready()
    assert not any(page_written_by_the_event_loop(serving, number) for number in range(20))


def test_front_that_waits_for_its_service_says_so(serve: Serve) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        front = serve("--only=front", f"--service=127.0.0.1:{nobody.getsockname()[1]}")
        until(lambda: "not ready yet: The front answers 503. Its service: 127.0.0.1:" in front.log)


def test_service_that_cannot_listen_after_a_restart_is_tried_again(serve: Serve) -> None:
    serving = serve().ready()
    host, _, port = serving.grpc.rpartition(":")
    os.kill(serving.pid("service"), signal.SIGKILL)
    with until(lambda: listening(host, int(port))):
        until(lambda: "service died (exit code 78)" in serving.log)
    until(lambda: send(serving, "after").status_code == 200)

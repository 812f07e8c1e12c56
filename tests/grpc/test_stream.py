"""CollectStream: CollectBatch again and again, on one stream."""

from __future__ import annotations

import json
import queue
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1 import collector_service_pb2_grpc as proto_grpc
from trackside.v1.event_pb2 import Event

from tests.cli.serving import PATIENCE
from tests.grpc.serving import ALONE, Service, code, event, processes, queued, service

METHOD = "/trackside.v1.CollectorService/CollectStream"


def batch(*events: Event) -> proto.CollectBatchRequest:
    return proto.CollectBatchRequest(
        entries=[proto.Entry(event=event) for event in events], deliveries=[proto.Delivery(write_key="key")]
    )


class Stream:
    """A stream to a service, which a test holds open."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._messages: queue.SimpleQueue[proto.CollectBatchRequest | None] = queue.SimpleQueue()
        stub: Any = proto_grpc.CollectorServiceStub(channel)
        self.answers: Iterator[proto.CollectBatchResponse] = stub.CollectStream(
            iter(self._messages.get, None), timeout=PATIENCE
        )

    def send(self, *events: Event) -> None:
        self._messages.put(batch(*events))

    def ask(self, *events: Event) -> proto.CollectBatchResponse:
        self.send(*events)
        return next(self.answers)

    def end(self) -> None:
        self._messages.put(None)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Service]:
    with service(tmp_path) as running:
        yield running


def test_each_message_is_answered_in_order(running: Service) -> None:
    with running.channel() as channel:
        stream = Stream(channel)
        assert stream.ask(event("1"), event("2")).outcomes == [proto.OUTCOME_ACCEPTED] * 2
        answer = stream.ask(event("2"), Event(message_id="3", user_id="user"), event("4"))
        assert answer.outcomes == [proto.OUTCOME_DUPLICATE, proto.OUTCOME_REFUSED, proto.OUTCOME_ACCEPTED]
        assert [(refusal.index, refusal.field) for refusal in answer.refusals] == [(1, "type")]
        stream.end()
        assert list(stream.answers) == []
    assert [json.loads(line)["messageId"] for line in queued(running.data_dir)] == ["1", "2", "4"]


def test_messages_that_are_sent_at_once_are_answered_one_after_the_other(running: Service) -> None:
    with running.channel() as channel:
        stream = Stream(channel)
        for number in range(20):
            stream.send(event(str(number)))
        stream.end()
        assert [answer.outcomes for answer in stream.answers] == [[proto.OUTCOME_ACCEPTED]] * 20
    assert [json.loads(line)["messageId"] for line in queued(running.data_dir)] == [str(n) for n in range(20)]


def test_message_that_cannot_be_read_ends_the_stream_and_no_other(
    running: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with running.channel() as channel:
        other = Stream(channel)
        assert other.ask(event("1")).outcomes == [proto.OUTCOME_ACCEPTED]
        answers: Any = cast("Any", channel).stream_stream(METHOD)(iter([b"\xff"]), timeout=PATIENCE)
        assert code(lambda: next(answers)) is grpc.StatusCode.INVALID_ARGUMENT
        assert other.ask(event("2")).outcomes == [proto.OUTCOME_ACCEPTED]
        other.end()
    assert caplog.records == []


def test_service_that_stops_ends_every_stream_with_ok(tmp_path: Path) -> None:
    with processes(tmp_path) as (process,), grpc.insecure_channel(process.address, [ALONE]) as channel:
        streams = [Stream(channel) for _ in range(3)]
        for number, stream in enumerate(streams):
            assert stream.ask(event(str(number))).outcomes == [proto.OUTCOME_ACCEPTED]
        process.send(signal.SIGTERM)
        assert [list(stream.answers) for stream in streams] == [[], [], []]
        assert process.ended() == 0
        for stream in streams:
            stream.end()

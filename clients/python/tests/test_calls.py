"""What the client asks of a server, seen by a small one of the test's own."""

import logging
import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import grpc
import pytest
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1 import collector_service_pb2_grpc as proto_grpc
from trackside.v1.event_pb2 import Event
from trackside_client import Client, Closed, Lost, QueueFull

Answer = Callable[[proto.CollectBatchRequest, grpc.ServicerContext], proto.CollectBatchResponse]


class Recorder(proto_grpc.CollectorServiceServicer):
    """Answers calls as a test says, and keeps their requests."""

    def __init__(self) -> None:
        self.requests: list[proto.CollectBatchRequest] = []
        self.answer: Answer = accept
        self.target = ""

    def CollectBatch(  # noqa: N802 - the name is the proto's
        self, request: proto.CollectBatchRequest, context: grpc.ServicerContext
    ) -> proto.CollectBatchResponse:
        self.requests.append(request)
        return self.answer(request, context)


def accept(request: proto.CollectBatchRequest, _context: grpc.ServicerContext) -> proto.CollectBatchResponse:
    return proto.CollectBatchResponse(outcomes=[proto.OUTCOME_ACCEPTED] * len(request.entries))


def message_ids(request: proto.CollectBatchRequest) -> list[str]:
    return [entry.event.message_id for entry in request.entries]


def ignore(_event: Event, _why: Lost) -> None:
    """For a test that loses events on purpose."""


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    with ThreadPoolExecutor(8) as threads:
        server = grpc.server(threads)
        cast("Any", proto_grpc).add_CollectorServiceServicer_to_server(recorder, server)
        recorder.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        yield recorder
        server.stop(0).wait()


def test_batches_keep_to_their_count_and_their_bytes(recorder: Recorder) -> None:
    with Client(recorder.target, batch_events=50, batch_bytes=20_000) as client:
        for n in range(100):
            client.track("u", "Small", {"n": n})
        for n in range(10):
            client.track("u", "Large", {"text": "x" * 9_000, "n": n})
        client.track("u", "Larger than a batch", {"text": "x" * 30_000})
    assert all(len(request.entries) <= 50 for request in recorder.requests)
    assert all(request.ByteSize() <= 20_000 or len(request.entries) == 1 for request in recorder.requests)
    assert sum(len(request.entries) for request in recorder.requests) == 111


def test_one_call_at_a_time_keeps_the_order(recorder: Recorder) -> None:
    with Client(recorder.target, calls=1, batch_events=7) as client:
        sent = [client.track("u", "E") for _ in range(100)]
    assert [message_id for request in recorder.requests for message_id in message_ids(request)] == sent


def test_a_full_batch_does_not_wait_and_others_wait_for_the_interval(recorder: Recorder) -> None:
    arrived = threading.Semaphore(0)

    def answer(request: proto.CollectBatchRequest, context: grpc.ServicerContext) -> proto.CollectBatchResponse:
        arrived.release()
        return accept(request, context)

    recorder.answer = answer
    with Client(recorder.target, batch_events=3, flush_interval=3600) as client:
        for _ in range(4):
            client.track("u", "E")
        assert arrived.acquire(timeout=10)
        assert not arrived.acquire(timeout=0.2)
        assert client.flush() == 0
    with Client(recorder.target, flush_interval=0.01) as client:
        client.track("u", "E")
        assert arrived.acquire(timeout=10)
        assert arrived.acquire(timeout=10)
    assert [len(request.entries) for request in recorder.requests] == [3, 1, 1]


def test_the_delay_of_retry_info_is_kept_and_the_same_event_is_sent_again(recorder: Recorder) -> None:
    def answer(request: proto.CollectBatchRequest, context: grpc.ServicerContext) -> proto.CollectBatchResponse:
        if len(recorder.requests) > 2:
            return accept(request, context)
        detail = Packed()
        detail.Pack(RetryInfo(retry_delay=Duration(nanos=1_000_000)))
        code = (14, 8)[len(recorder.requests) - 1]  # UNAVAILABLE, RESOURCE_EXHAUSTED
        context.abort_with_status(rpc_status.to_status(Status(code=code, message="later", details=[detail])))
        raise AssertionError

    recorder.answer = answer
    # Without the server's delay, the waits before two resends alone would take longer than this.
    with Client(recorder.target, retry_for=0.14) as client:
        client.track("u", "E")
        assert client.flush() == 0
    first, second, third = recorder.requests
    assert first == second == third


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNIMPLEMENTED]
)
def test_a_status_that_will_not_pass_gives_the_events_up_at_once(recorder: Recorder, code: grpc.StatusCode) -> None:
    def answer(_request: proto.CollectBatchRequest, context: grpc.ServicerContext) -> proto.CollectBatchResponse:
        context.abort(code, "no")

    recorder.answer = answer
    lost: list[tuple[str, Lost]] = []
    with Client(recorder.target, on_lost=lambda event, why: lost.append((event.message_id, why))) as client:
        message_id = client.track("u", "E")
    assert lost == [(message_id, Lost(code, "no"))]
    assert len(recorder.requests) == 1


def test_an_event_that_the_answer_forgot_is_sent_again(recorder: Recorder) -> None:
    def answer(_request: proto.CollectBatchRequest, _context: grpc.ServicerContext) -> proto.CollectBatchResponse:
        return proto.CollectBatchResponse(outcomes=[proto.OUTCOME_ACCEPTED])

    recorder.answer = answer
    with Client(recorder.target, calls=1) as client:
        sent = [client.track("u", "E") for _ in range(2)]
        assert client.flush() == 0
    assert [message_ids(request) for request in recorder.requests] == [sent, sent[1:]]


def test_an_event_whose_outcome_is_unknown_is_sent_again(recorder: Recorder) -> None:
    def answer(request: proto.CollectBatchRequest, context: grpc.ServicerContext) -> proto.CollectBatchResponse:
        if len(recorder.requests) > 1:
            return accept(request, context)
        outcomes = cast("list[proto.Outcome]", [99, proto.OUTCOME_ACCEPTED])
        return proto.CollectBatchResponse(outcomes=outcomes)

    recorder.answer = answer
    with Client(recorder.target, flush_interval=3600) as client:
        sent = [client.track("u", "E") for _ in range(2)]
        assert client.flush() == 0
    assert [message_ids(request) for request in recorder.requests] == [sent, sent[:1]]


def test_a_refusal_reaches_the_event_of_its_index(recorder: Recorder) -> None:
    def answer(_request: proto.CollectBatchRequest, _context: grpc.ServicerContext) -> proto.CollectBatchResponse:
        refusals = [proto.Refusal(index=index, description=f"number {index}") for index in (2, 0)]
        outcomes = [proto.OUTCOME_REFUSED, proto.OUTCOME_ACCEPTED, proto.OUTCOME_REFUSED]
        return proto.CollectBatchResponse(outcomes=outcomes, refusals=refusals)

    recorder.answer = answer
    refused: list[tuple[str, str]] = []
    on_refused: Callable[[Event, Any], None] = lambda event, why: refused.append((event.message_id, why.description))  # noqa: E731
    with Client(recorder.target, flush_interval=3600, on_refused=on_refused) as client:
        sent = [client.track("u", "E") for _ in range(3)]
    assert refused == [(sent[0], "number 0"), (sent[2], "number 2")]


def test_flush_wakes_at_the_last_answer_and_else_at_its_timeout(recorder: Recorder) -> None:
    release = threading.Event()

    def answer(request: proto.CollectBatchRequest, context: grpc.ServicerContext) -> proto.CollectBatchResponse:
        release.wait()
        return accept(request, context)

    recorder.answer = answer
    with ThreadPoolExecutor(3) as threads, Client(recorder.target, flush_interval=3600) as client:
        client.track("u", "E")
        assert client.flush(timeout=0.05) == 1
        flushes = [threads.submit(client.flush, 60) for _ in range(3)]
        release.set()
        assert [flush.result(timeout=30) for flush in flushes] == [0, 0, 0]


def test_close_says_that_no_call_was_answered(recorder: Recorder) -> None:
    release = threading.Event()

    def answer(request: proto.CollectBatchRequest, context: grpc.ServicerContext) -> proto.CollectBatchResponse:
        release.wait()
        return accept(request, context)

    recorder.answer = answer
    lost: list[Lost] = []
    client = Client(recorder.target, on_lost=lambda _event, why: lost.append(why))
    client.track("u", "E")
    assert client.close(timeout=0.2) == 1
    release.set()
    assert lost == [Lost(grpc.StatusCode.CANCELLED, f"the client was closed before {recorder.target} answered")]


def test_a_number_that_is_not_finite_is_null(recorder: Recorder) -> None:
    with Client(recorder.target) as client:
        client.track("u", "NaN", {"list": [0.5, math.nan, (math.inf,)], "text": "NaN", "object": {"n": -math.inf}})
    (request,) = recorder.requests
    text = request.entries[0].event.track.properties_json
    assert text == '{"list":[0.5,null,[null]],"text":"NaN","object":{"n":null}}'


def test_a_closed_client_takes_nothing() -> None:
    refused: list[Any] = []
    client = Client("127.0.0.1:1", on_refused=lambda _event, why: refused.append(why))
    assert client.close() == 0
    for event in ("E", ""):  # one without a name would be refused
        with pytest.raises(Closed):
            client.track("u", event)
    assert refused == []


def test_a_full_queue_fails_at_once_or_waits_for_room(recorder: Recorder) -> None:
    release = threading.Event()

    def answer(request: proto.CollectBatchRequest, context: grpc.ServicerContext) -> proto.CollectBatchResponse:
        release.wait()
        return accept(request, context)

    recorder.answer = answer
    with Client(recorder.target, queue_events=2, full_wait=0) as impatient:
        impatient.track("u", "E")
        impatient.track("u", "E")
        with pytest.raises(QueueFull):
            impatient.track("u", "E")
        release.set()
    release.clear()
    with Client(recorder.target, queue_events=1, full_wait=60) as patient:
        patient.track("u", "E")
        waiting = threading.Thread(target=patient.track, args=("u", "E"))
        waiting.start()
        release.set()
        waiting.join(timeout=30)
        assert not waiting.is_alive()
    assert sum(len(request.entries) for request in recorder.requests) == 4


def test_close_ends_a_call_that_waits_for_room_and_those_that_come_after() -> None:
    client = Client("127.0.0.1:1", queue_events=1, full_wait=60, on_lost=ignore)
    client.track("u", "E")
    ended = threading.Event()

    def wait_for_room() -> None:
        with pytest.raises(Closed):
            client.track("u", "E")
        ended.set()

    waiting = threading.Thread(target=wait_for_room)
    waiting.start()
    assert client.close(timeout=0) == 1
    assert ended.wait(30)
    waiting.join()
    with pytest.raises(Closed):
        client.track("u", "E")


def test_a_callback_that_fails_is_logged_and_does_no_other_harm(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the program's own")

    with Client(recorder.target, calls=1, on_accepted=fail) as client:
        client.track("u", "E")
        assert client.flush() == 0
        client.track("u", "E")
        assert client.flush() == 0
    assert [record.exc_info is not None for record in caplog.records] == [True, True]


def test_a_refusal_is_logged_without_its_content(recorder: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), Client(recorder.target) as client:
        message_id = client.track("secret", "")
    assert caplog.messages == [f"event {message_id} was refused: event: value is required"]


@pytest.mark.parametrize(
    "option",
    [
        {"batch_events": 0},
        {"batch_events": 5_001},
        {"batch_bytes": 4_194_304},
        {"calls": 0},
        {"retry_for": -0.1},
        {"write_key": "kéy"},
    ],
)
def test_an_option_out_of_bounds_is_an_error(option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(option))):
        Client("127.0.0.1:1", **option)


def test_a_value_that_json_does_not_have_is_an_error() -> None:
    with Client("127.0.0.1:1") as client, pytest.raises(TypeError):
        client.track("u", "E", {"file": object()})

"""What every gRPC caller finds: health, the key as metadata, and what it is told when something fails."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import REGISTRY
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1 import collector_service_pb2_grpc as proto_grpc

from service import server
from service.collector import Collector
from service.config import ServiceConfig
from service.queues import Record
from service.refused import RefusedStore
from service.sources import Directory
from tests.cli.serving import PATIENCE, until
from tests.grpc.serving import ALONE, Service, code, collect, event, health, queued, request, service

COLLECTOR = "trackside.v1.CollectorService"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture
def channel(running: Service) -> Iterator[grpc.Channel]:
    with running.channel() as channel:
        yield channel


@pytest.mark.parametrize("name", ["", COLLECTOR])
def test_health_says_that_it_serves(channel: grpc.Channel, name: str) -> None:
    assert health(channel, name) == SERVING


def test_health_of_a_service_that_is_not_there_is_not_found(channel: grpc.Channel) -> None:
    assert code(lambda: health(channel, "trackside.v1.Nothing")) is grpc.StatusCode.NOT_FOUND


def test_health_is_told_as_the_queue_fails_and_recovers(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("failing")
    with service(directory) as running, running.channel() as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        watched = stub.Watch(health_pb2.HealthCheckRequest(service=COLLECTOR), timeout=PATIENCE)
        assert any(answer.status == SERVING for answer in watched)
        (directory / "queue.db").rename(directory / "away")
        assert code(lambda: collect(channel, "1")) is grpc.StatusCode.UNAVAILABLE
        assert next(watched).status == NOT_SERVING
        (directory / "away").rename(directory / "queue.db")
        assert next(watched).status == SERVING
        watched.cancel()


def test_number_of_records_in_the_queue_is_a_metric(running: Service, channel: grpc.Channel) -> None:
    assert collect(channel, "counted") == proto.OUTCOME_ACCEPTED
    until(lambda: REGISTRY.get_sample_value("trackside_queue_records") == len(queued(running.data_dir)))


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer from-metadata",
        f"Basic {base64.b64encode(b'from-metadata:').decode()}",
        f"Basic {base64.b64encode(b'from-metadata').decode()}",
    ],
)
def test_key_may_be_given_once_as_metadata(running: Service, channel: grpc.Channel, authorization: str) -> None:
    stub: Any = proto_grpc.CollectorServiceStub(channel)
    seen = len(queued(running.data_dir))
    entries = [proto.Entry(event=event(authorization)), proto.Entry(event=event(authorization, write_key="its own"))]
    metadata = [("authorization", authorization)]
    response: proto.CollectBatchResponse = stub.CollectBatch(
        proto.CollectBatchRequest(entries=entries), metadata=metadata, timeout=PATIENCE
    )
    # Of the three spellings of one key the first alone is new.
    assert proto.OUTCOME_REFUSED not in response.outcomes
    keys = [json.loads(line)["writeKey"] for line in queued(running.data_dir)[seen:]]
    assert keys == ["from-metadata", "its own"]


def test_message_that_cannot_be_read_is_the_callers_fault(
    channel: grpc.Channel, caplog: pytest.LogCaptureFixture
) -> None:
    call = cast("Any", channel).unary_unary(f"/{COLLECTOR}/Collect")
    assert code(lambda: call(b"\xff", timeout=PATIENCE)) is grpc.StatusCode.INVALID_ARGUMENT
    assert caplog.records == []


class FailingQueue:
    """An engine with a mistake in it."""

    async def put(self, records: Sequence[Record]) -> Collection[int]:
        raise ZeroDivisionError("an inside of the service")

    async def healthy(self) -> bool:
        return True

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("method", ["Collect", "CollectStream"])
async def test_failure_is_told_by_an_id_that_is_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    config = ServiceConfig(data_dir=tmp_path)
    refused = RefusedStore.open(tmp_path, keep=0)
    grpc_server, _, _ = server.build(Collector(config, Directory(None), FailingQueue(), refused), config)
    port = grpc_server.add_insecure_port("127.0.0.1:0")
    await grpc_server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=[ALONE]) as channel:
        stub: Any = proto_grpc.CollectorServiceStub(channel)
        batch = proto.CollectBatchRequest(entries=[proto.Entry(event=event("1", write_key="key"))])
        answer = (
            stub.Collect(request("1"), timeout=PATIENCE)
            if method == "Collect"
            else anext(aiter(stub.CollectStream(iter([batch]), timeout=PATIENCE)))
        )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await answer
    await grpc_server.stop(0)
    refused.close()
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    details = caught.value.details() or ""
    assert "inside" not in details
    assert "Error" not in details
    (record,) = caplog.records
    identifier = details.split()[-1].rstrip(".")
    assert len(identifier) == 16
    assert identifier in record.getMessage()
    assert record.exc_info
    assert record.exc_info[0] is ZeroDivisionError

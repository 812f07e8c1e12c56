"""What callers meet while a service stops."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1 import collector_service_pb2_grpc as proto_grpc

from tests.cli.serving import PATIENCE, until
from tests.grpc.serving import ALONE, code, collect, health, processes, queued, request
from tests.grpc.test_limits import Open
from tests.grpc.wire import NO_ERROR, Connection


def goes_away(channel: grpc.Channel) -> bool:
    """Whether a new call on a channel finds nobody."""
    try:
        collect(channel, "late")
    except grpc.RpcError:
        return True
    return False


def test_call_in_flight_is_answered_and_new_ones_go_elsewhere(tmp_path: Path) -> None:
    with processes(tmp_path) as (process,), grpc.insecure_channel(process.address, [ALONE]) as channel:
        call = Open(channel, "in flight")
        assert health(channel)  # the service has seen what came before on the connection
        process.send(signal.SIGTERM)
        until(lambda: goes_away(channel))
        with grpc.insecure_channel(process.address, [ALONE]) as another:
            assert code(lambda: collect(another, "new")) is grpc.StatusCode.UNAVAILABLE
        assert call.finish() == proto.OUTCOME_ACCEPTED
        assert process.ended() == 0
        assert '"in flight"' in queued(process.data_dir)[-1]


def test_connection_is_told_to_go_away(tmp_path: Path) -> None:
    with processes(tmp_path) as (process,), Connection(process.address) as connection:
        connection.ping()
        assert connection.pong()
        process.send(signal.SIGTERM)
        assert connection.farewell() == NO_ERROR


def test_drain_ends_when_its_time_is_over(tmp_path: Path) -> None:
    with (
        processes(tmp_path, drain_timeout=0.2) as (process,),
        grpc.insecure_channel(process.address, [ALONE]) as channel,
    ):
        call = Open(channel, "never finished")
        assert health(channel)
        process.send(signal.SIGTERM)
        assert process.ended() == 0
        assert code(call.finish) in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


def never_ends(queue: Path) -> None:
    """Let every commit hang from now on: a trigger in the queue's file counts without end."""
    counting = "WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted) SELECT max(n) FROM counted"
    with closing(sqlite3.connect(queue)) as connection:
        connection.execute(f"CREATE TRIGGER hang BEFORE INSERT ON records BEGIN SELECT ({counting}); END")


def test_service_stops_while_a_commit_hangs(tmp_path: Path) -> None:
    with (
        processes(tmp_path, drain_timeout=0.2) as (process,),
        grpc.insecure_channel(process.address, [ALONE]) as channel,
        Connection(process.address) as connection,
    ):
        connection.ping()
        assert connection.pong()
        never_ends(process.data_dir / "queue.db")
        stub: Any = proto_grpc.CollectorServiceStub(channel)
        call = stub.Collect.future(request("never committed"), timeout=PATIENCE)
        assert health(channel)  # other calls are answered while the commit hangs
        process.send(signal.SIGTERM)
        assert connection.farewell() == NO_ERROR
        assert process.ended() == 0
        assert code(call.result) in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
        assert "a commit has not ended within the drain timeout" in process.log
        assert not queued(process.data_dir)

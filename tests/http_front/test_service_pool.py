"""A call that a service loses is sent again, and how often."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from tests.http_front.gate import collect_batch, serving
from tests.running import KEY, Running, basic, front_alone


class Losing:
    """A service that loses its first calls."""

    def __init__(self, service: grpc.Channel, code: grpc.StatusCode, losses: int) -> None:
        self._collect = collect_batch(service)
        self._code, self._left = code, losses
        self.calls = 0

    def relay(self, calls: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        for call in calls:
            self.calls += 1
            if self.calls <= self._left:
                context.abort(self._code, "lost")
            yield self._collect(call)


@pytest.mark.parametrize(
    ("code", "losses", "status", "calls"),
    [
        (grpc.StatusCode.UNAVAILABLE, 1, 200, 2),
        (grpc.StatusCode.UNAVAILABLE, 2, 200, 3),
        (grpc.StatusCode.UNAVAILABLE, 3, 503, 3),
        (grpc.StatusCode.CANCELLED, 2, 200, 3),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 1, 429, 1),
        (grpc.StatusCode.INTERNAL, 1, 503, 1),
    ],
)
def test_call_that_is_lost_is_sent_again_twice_as_a_name_may_stand_for_several_services(
    trackside: Running, tmp_path: Path, code: grpc.StatusCode, losses: int, status: int, calls: int
) -> None:
    losing = Losing(trackside.channel, code, losses)
    event = {"messageId": f"{code.name} {losses}", "userId": "u"}
    with serving(losing.relay, tmp_path) as target, front_alone(target) as http:
        assert http.post("/v1/page", json=event, headers=basic(KEY)).status_code == status
        assert losing.calls == calls
    assert [queued["messageId"] for queued in trackside.queued()] == [event["messageId"]] * (status == 200)

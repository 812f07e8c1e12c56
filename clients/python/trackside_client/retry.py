"""Which failed calls are made again, and after how long."""

import random
from typing import Any, cast

import grpc
from google.rpc.error_details_pb2 import RetryInfo
from grpc import StatusCode
from grpc_status import rpc_status

from trackside_client.options import Lost

_RETRYABLE = {StatusCode.UNAVAILABLE, StatusCode.RESOURCE_EXHAUSTED, StatusCode.DEADLINE_EXCEEDED, StatusCode.CANCELLED}
_FIRST, _LONGEST = 0.1, 5.0  # seconds


def is_retryable(why: Lost) -> bool:
    """Whether the same call may succeed later. gRPC reports a stream that was reset as INTERNAL."""
    return why.code in _RETRYABLE or (why.code is StatusCode.INTERNAL and "RST_STREAM" in why.description)


def failure(call: grpc.Call) -> tuple[Lost, float]:
    """The status of a failed call, and the delay in seconds that the server asks for: 0 if none."""
    info, status = RetryInfo(), cast("Any", rpc_status.from_call(call))
    for detail in status.details if status else ():
        detail.Unpack(info)
    return Lost(call.code(), call.details() or ""), info.retry_delay.ToMicroseconds() / 1e6


def wait(attempt: int, delay: float) -> float:
    """Seconds before the next call, where `attempt` counts resends from 0 and `delay` is the server's."""
    if delay > 0:
        return delay * random.uniform(1, 1.2)
    return min(_FIRST * 2**attempt, _LONGEST) * random.uniform(0.5, 1)

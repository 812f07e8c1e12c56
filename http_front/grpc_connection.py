"""A connection to a service, or to all that one name stands for: requests go over it, each on a stream that is free."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import grpc
from grpc_health.v1 import health_pb2
from trackside.v1 import collector_service_pb2 as proto

from event_model.certificates import Certificates
from event_model.schema import LIMITS

log = logging.getLogger(__name__)

_SERVICE = proto.DESCRIPTOR.services_by_name["CollectorService"].full_name
_HEALTH_SECONDS = 2.0
STREAM_SECONDS = 1.0
"""How long a stream is used: where a name stands for several services, each new one goes to the next of them."""
_CONNECTION = [
    ("grpc.max_send_message_length", LIMITS.message_bytes),
    ("grpc.max_receive_message_length", LIMITS.message_bytes),
    ("grpc.initial_reconnect_backoff_ms", 100),
]
_LOCAL = [*_CONNECTION, ("grpc.max_reconnect_backoff_ms", 100)]
"""To try a socket again costs nothing: else one of several fronts could say 503 for a second after the start."""


class _Stream(NamedTuple):
    """A call of CollectStream that has one request at a time: half of what a call for each takes of gRPC's time."""

    call: grpc.aio.StreamStreamCall[Any, proto.CollectBatchResponse]
    until: float
    """When it is to be given up."""


class Connection:
    """A connection to one target: one service, or all that its name resolves to, in turn."""

    def __init__(self, target: str, certificates: Certificates | None, timeout: float) -> None:
        self.target = target
        self._failing: grpc.StatusCode | None = None
        if target.startswith("unix:"):  # there is one, and that it died is seen at once
            self._channel = grpc.aio.insecure_channel(target, _LOCAL)
        else:
            options = [*_CONNECTION, *_remote(timeout)]
            self._channel = (
                grpc.aio.secure_channel(target, _credentials(certificates), options)
                if certificates
                else grpc.aio.insecure_channel(target, options)
            )
        self._idle: deque[_Stream] = deque()
        self._closed = False
        self._open = self._channel.stream_stream(
            f"/{_SERVICE}/CollectStream",
            request_serializer=bytes,
            response_deserializer=proto.CollectBatchResponse.FromString,
        )
        self._check = self._channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )

    async def collect(self, request: bytes, seconds: float) -> proto.CollectBatchResponse:
        """The answer to a CollectBatchRequest, within so many seconds. Raises AioRpcError."""
        try:
            response = await self._exchange(request, seconds)
        except grpc.aio.AioRpcError as error:
            if error.code() is not self._failing:
                self._failing = error.code()
                log.warning("the service at %s does not answer: %s %s", self.target, error.code().name, error.details())
            raise
        if self._failing:
            self._failing = None
            log.info("the service at %s answers again", self.target)
        return response

    async def _exchange(self, request: bytes, seconds: float) -> proto.CollectBatchResponse:
        """The answer to a request, on a stream that no other uses meanwhile."""
        stream = self._stream()
        response: Any = None
        try:
            async with asyncio.timeout(seconds):
                await self._write(stream, request)
                response = await stream.call.read()
        except TimeoutError:
            raise _failure(grpc.StatusCode.DEADLINE_EXCEEDED, "It took too long.") from None
        finally:
            if self._closed or not isinstance(response, proto.CollectBatchResponse):
                stream.call.cancel()
            else:
                self._idle.append(stream)
        if not isinstance(response, proto.CollectBatchResponse):  # the stream was ended, as a service does that stops
            raise _failure(grpc.StatusCode.UNAVAILABLE, "It stops.")
        return response

    async def _write(self, stream: _Stream, request: bytes) -> None:
        try:
            await stream.call.write(request)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.INTERNAL:  # so gRPC says of a stream that was lost as it was written to
                raise _failure(grpc.StatusCode.UNAVAILABLE, "The stream was lost.") from error
            raise

    def _stream(self) -> _Stream:
        """The stream that was not used for longest, or a new one."""
        while self._idle:
            stream = self._idle.popleft()
            if time.monotonic() < stream.until and not stream.call.done():
                return stream
            stream.call.cancel()
        return _Stream(self._open(), time.monotonic() + STREAM_SECONDS)

    async def serving(self) -> bool:
        """Whether it can take events."""
        try:
            response = await self._check(health_pb2.HealthCheckRequest(), timeout=_HEALTH_SECONDS)
        except grpc.aio.AioRpcError:
            return False
        return response.status == health_pb2.HealthCheckResponse.SERVING

    async def close(self, patience: float = 0) -> None:
        """Close the connection when no call uses it any more, or after `patience` seconds."""
        self._closed = True
        for stream in self._idle:
            stream.call.cancel()
        await self._channel.close(patience)


def _failure(code: grpc.StatusCode, details: str) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details)


def _credentials(files: Certificates) -> grpc.ChannelCredentials:
    certificate, key, authority = files.pem
    return grpc.ssl_channel_credentials(authority, key, certificate)


def _remote(timeout: float) -> Sequence[tuple[str, str | int]]:
    """What a connection between machines needs besides."""
    # A machine that vanishes says nothing: it is noticed in half the time that a call may take, so that what it had
    # can still go to another. The service allows a ping a second.
    ping = int(max(2.0, timeout / 4) * 1000)
    # In turn through all addresses of a name, and past those whose queue cannot be written.
    policy: dict[str, Any] = {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": _SERVICE},
    }
    return [
        ("grpc.keepalive_time_ms", ping),
        ("grpc.keepalive_timeout_ms", ping),
        ("grpc.http2.ping_timeout_ms", ping),  # of the pings that measure the line; while one is out no other goes
        ("grpc.max_reconnect_backoff_ms", 1000),
        ("grpc.min_reconnect_backoff_ms", 2000),  # how long connecting may take
        ("grpc.service_config", json.dumps(policy)),
    ]

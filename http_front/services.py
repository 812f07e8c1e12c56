"""The connections to the services: each call goes to the next of them, and again to another where one is lost."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from typing import Any

import grpc
from grpc_health.v1 import health_pb2
from trackside.v1 import collector_service_pb2 as proto

from event_model.certificates import Certificates
from event_model.schema import LIMITS
from http_front.config import FrontConfig

log = logging.getLogger(__name__)

_SERVICE = proto.DESCRIPTOR.services_by_name["CollectorService"].full_name
# The second is what a call gets that arrives in the very moment in which a service begins to stop. We cancel none.
_LOST = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
_RESENDS = 2  # at least: a name may stand for several services
_LOOK_EVERY = 1.0  # seconds
_HEALTH_SECONDS = 2.0
_CONNECTION = [
    ("grpc.max_send_message_length", LIMITS.message_bytes),
    ("grpc.max_receive_message_length", LIMITS.message_bytes),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]


class Service:
    """A connection to one target: one service, or all that its name resolves to, in turn."""

    def __init__(self, target: str, certificates: Certificates | None, timeout: float) -> None:
        self.target = target
        self._failing: grpc.StatusCode | None = None
        if target.startswith("unix:"):  # there is one, and that it died is seen at once
            self._channel = grpc.aio.insecure_channel(target, _CONNECTION)
        else:
            options = [*_CONNECTION, *_remote(timeout)]
            self._channel = (
                grpc.aio.secure_channel(target, _credentials(certificates), options)
                if certificates
                else grpc.aio.insecure_channel(target, options)
            )
        self._collect = self._channel.unary_unary(
            f"/{_SERVICE}/CollectBatch",
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
            response = await self._collect(request, timeout=seconds)
        except grpc.aio.AioRpcError as error:
            if error.code() is not self._failing:
                self._failing = error.code()
                log.warning("the service at %s does not answer: %s %s", self.target, error.code().name, error.details())
            raise
        if self._failing:
            self._failing = None
            log.info("the service at %s answers again", self.target)
        return response

    async def serving(self) -> bool:
        """Whether it can take events."""
        try:
            response = await self._check(health_pb2.HealthCheckRequest(), timeout=_HEALTH_SECONDS)
        except grpc.aio.AioRpcError:
            return False
        return response.status == health_pb2.HealthCheckResponse.SERVING

    async def close(self, patience: float = 0) -> None:
        """Close the connection when no call uses it any more, or after `patience` seconds."""
        await self._channel.close(patience)


class Services:
    """All the services that `config.service` names. To be made in the event loop that uses it.

    Raises InvalidCertificates.
    """

    def __init__(self, config: FrontConfig) -> None:
        self._targets = [target.strip() for target in config.service.split(",") if target.strip()]
        self._timeout = config.service_timeout
        self._certificates = certificates(config)
        self._looked = time.monotonic()
        self._turn = -1
        self._closing: set[asyncio.Task[None]] = set()
        self._connect()

    def _connect(self) -> None:
        self._services = [Service(target, self._certificates, self._timeout) for target in self._targets]

    async def collect(self, request: bytes) -> proto.CollectBatchResponse:
        """The answer to a CollectBatchRequest, of the service whose turn it is.

        Where that one cannot be reached, or is lost while it has the call, the same goes to the next: whether the lost
        one had queued the events is not known, and a service that shares its queue answers that they are duplicates.
        Raises AioRpcError.
        """
        self._refresh()
        self._turn = turn = (self._turn + 1) % len(self._services)
        last = turn + max(_RESENDS, len(self._services))
        deadline = time.monotonic() + self._timeout
        # Each call goes round on its own: in a rotation that they share, one could meet the lost service every time.
        while True:
            try:
                return await self._service(turn).collect(request, deadline - time.monotonic())
            except grpc.aio.AioRpcError as error:
                if error.code() not in _LOST or turn == last:
                    raise
            turn += 1

    def _service(self, turn: int) -> Service:
        return self._services[turn % len(self._services)]

    async def serving(self) -> bool:
        """Whether one of them can take events."""
        return any(await asyncio.gather(*[service.serving() for service in self._services]))

    def _refresh(self) -> None:
        """Connect anew where the certificates have changed: gRPC reads a client's only once."""
        if self._certificates is None or time.monotonic() - self._looked < _LOOK_EVERY:
            return
        self._looked = time.monotonic()
        if self._certificates.changed():
            for service in self._services:
                closing = asyncio.create_task(service.close(self._timeout))
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)
            self._connect()

    async def close(self) -> None:
        await asyncio.gather(*self._closing, *[service.close() for service in self._services])


def certificates(config: FrontConfig) -> Certificates | None:
    """What the connections are made with; None where they are plain. Raises InvalidCertificates."""
    if config.service_ca is None and config.service_cert is None and config.service_key is None:
        return None
    return Certificates(certificate=config.service_cert, key=config.service_key, authority=config.service_ca)


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
        ("grpc.min_reconnect_backoff_ms", 2000),  # how long connecting may take
        ("grpc.service_config", json.dumps(policy)),
    ]

"""The services: each call goes to the next of them, and again to another where one is lost."""

from __future__ import annotations

import asyncio
import time

import grpc
from trackside.v1 import collector_service_pb2 as proto

from event_model.certificates import Certificates
from http_front.config import FrontConfig
from http_front.grpc_connection import Connection

# The second is what a call gets that arrives in the very moment in which a service begins to stop.
_LOST = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
_RESENDS = 2  # at least: a name may stand for several services
_LOOK_EVERY = 1.0  # seconds


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
        self._connections = [Connection(target, self._certificates, self._timeout) for target in self._targets]

    async def collect(self, request: bytes) -> proto.CollectBatchResponse:
        """The answer to a CollectBatchRequest, of the service whose turn it is.

        Where that one cannot be reached, or is lost while it has the call, the same goes to the next: whether the lost
        one had queued the events is not known, and a service that shares its queue answers that they are duplicates.
        Raises AioRpcError.
        """
        self._refresh()
        self._turn = turn = (self._turn + 1) % len(self._connections)
        last = turn + max(_RESENDS, len(self._connections))
        deadline = time.monotonic() + self._timeout
        # Each call goes round on its own: in a rotation that they share, one could meet the lost service every time.
        while True:
            try:
                return await self._connection(turn).collect(request, deadline - time.monotonic())
            except grpc.aio.AioRpcError as error:
                if error.code() not in _LOST or turn == last:
                    raise
            turn += 1

    def _connection(self, turn: int) -> Connection:
        return self._connections[turn % len(self._connections)]

    async def serving(self) -> bool:
        """Whether one of them can take events."""
        return any(await asyncio.gather(*[connection.serving() for connection in self._connections]))

    def _refresh(self) -> None:
        """Connect anew where the certificates have changed: gRPC reads a client's only once."""
        if self._certificates is None or time.monotonic() - self._looked < _LOOK_EVERY:
            return
        self._looked = time.monotonic()
        if self._certificates.changed():
            for connection in self._connections:
                closing = asyncio.create_task(connection.close(self._timeout))
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)
            self._connect()

    async def close(self) -> None:
        await asyncio.gather(*self._closing, *[connection.close() for connection in self._connections])


def certificates(config: FrontConfig) -> Certificates | None:
    """What the connections are made with; None where they are plain. Raises InvalidCertificates."""
    if config.service_ca is None and config.service_cert is None and config.service_key is None:
        return None
    return Certificates(certificate=config.service_cert, key=config.service_key, authority=config.service_ca)

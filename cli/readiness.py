"""Whether events can be taken."""

from __future__ import annotations

import http.client

import grpc
from grpc_health.v1 import health_pb2

_TIMEOUT = 1.0  # seconds


class ServiceHealth:
    """Asks the service how it is. May be called from any thread."""

    def __init__(self, target: str) -> None:
        self._target = target
        # A service that is started again is seen at once.
        options = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 1000)]
        self._channel = grpc.insecure_channel(target, options)
        self._check = self._channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )

    def complaint(self) -> str | None:
        """Why the service cannot take events, or None."""
        try:
            answer = self._check(health_pb2.HealthCheckRequest(), timeout=_TIMEOUT)
        except grpc.RpcError as error:
            return f"The service at {self._target} does not answer: {error.code().name}."
        if answer.status != health_pb2.HealthCheckResponse.SERVING:
            return "The service cannot write to the queue."
        return None

    def close(self) -> None:
        self._channel.close()


def front_complaint(host: str, port: int) -> str | None:
    """Why the front cannot take events, or None."""
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
    try:
        connection.request("GET", "/health")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return "The front does not answer."
    finally:
        connection.close()
    return None if status == 200 else f"The front answers {status}."

"""The gRPC server: the calls, their errors with google.rpc details, health and reflection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, NoReturn, Protocol, TypeVar, cast

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1 import collector_service_pb2_grpc as proto_grpc

from event_model.authorization import key_of
from event_model.schema import LIMITS
from service import metrics
from service.calls import Context, StreamHandler, handler
from service.collector import Collector, UnknownDelivery
from service.config import ServiceConfig
from service.gathering import Gatherer
from service.queues import Counted, Queue
from service.reflection import add_reflection

log = logging.getLogger(__name__)

R = TypeVar("R")

SERVICE = proto.DESCRIPTOR.services_by_name["CollectorService"].full_name
DOMAIN = "trackside"
RETRY_DELAY = 1  # seconds
_HEALTH_EVERY = 1.0  # seconds
_HEALTH_WITHIN = 5.0
_PING_EVERY_MS = 1000
_AGE_GRACE_MS = 30_000
_ENDED_CALLS = 1_000
_NEVER = 2**31 - 1

_RETRY = {
    proto.RETRY_REASON_OVERLOADED: (code_pb2.RESOURCE_EXHAUSTED, "More waits to be queued than the service allows."),
    proto.RETRY_REASON_QUEUE_UNAVAILABLE: (code_pb2.UNAVAILABLE, "The queue cannot be written."),
}


class Health(Protocol):
    """The asyncio servicer of grpc.health.v1."""

    async def set(self, service: str, status: int) -> None: ...

    async def enter_graceful_shutdown(self) -> None: ...


class Servicer(proto_grpc.CollectorServiceServicer):
    """The calls. What a call started goes on when its caller goes away: the work belongs to the queue."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._gatherer = Gatherer(collector, self._start)
        self._work: set[asyncio.Task[None]] = set()
        batches = proto.CollectBatchRequest.FromString
        self._streams = StreamHandler(batches, self.collect_stream, self._finish)
        self.methods = {
            "Collect": handler(proto.CollectRequest.FromString, self.Collect),
            "CollectBatch": handler(batches, self.CollectBatch),
            "CollectStream": self._streams.method,
        }
        """By name; what gRPC is to call."""

    async def Collect(  # noqa: N802 - the name is the proto's
        self, request: proto.CollectRequest, context: Context
    ) -> proto.CollectResponse:
        verdicts = await self._gatherer.collect(request, _call_key(context))
        if verdicts.refusals:
            await _refuse(context, verdicts.refusals[0])
        if verdicts.retry:
            code, message = _RETRY[verdicts.retry]
            await _abort(context, code, message, error_details_pb2.RetryInfo(retry_delay=_delay()))
        return proto.CollectResponse(outcome=verdicts.outcomes[0])

    async def CollectBatch(  # noqa: N802 - the name is the proto's
        self, request: proto.CollectBatchRequest, context: Context
    ) -> proto.CollectBatchResponse:
        return await self._finish(self._collect_batch(context, _call_key(context), request))

    def collect_stream(
        self, context: Context
    ) -> Callable[[proto.CollectBatchRequest], Awaitable[proto.CollectBatchResponse]]:
        """What answers the messages of a stream, as `CollectBatch` does."""
        return partial(self._collect_batch, context, _call_key(context))

    async def _collect_batch(
        self, context: Context, call_key: str, request: proto.CollectBatchRequest
    ) -> proto.CollectBatchResponse:
        """What `CollectBatch` answers, in a task that does not end with the caller."""
        try:
            verdicts = await self._collector.collect(request.entries, request.deliveries, call_key)
        except UnknownDelivery as error:
            violation = error_details_pb2.BadRequest.FieldViolation(field="entries.delivery", description=str(error))
            await _abort(
                context,
                code_pb2.INVALID_ARGUMENT,
                str(error),
                error_details_pb2.BadRequest(field_violations=[violation]),
            )
        response = proto.CollectBatchResponse(outcomes=verdicts.outcomes, refusals=verdicts.refusals)
        if verdicts.retry:
            response.retry.CopyFrom(proto.Retry(reason=verdicts.retry, delay=_delay()))
        return response

    async def _finish(self, work: Coroutine[Any, Any, R]) -> R:
        """What comes of work that goes on when its caller goes away."""
        # A future of its own, and no shield around the task: the caller knows a turn of the event loop sooner.
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._start(_told(answer, work))
        return await answer

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    def stop(self) -> None:
        """End the streams, so that the server can stop."""
        self._streams.stop()

    async def drain(self) -> None:
        """Return when all that was started is done."""
        await asyncio.gather(*self._work, return_exceptions=True)


async def _told(answer: asyncio.Future[R], work: Coroutine[Any, Any, R]) -> None:
    """Give `answer` what comes of the work, unless nobody waits for it any more."""
    try:
        result = await work
    except asyncio.CancelledError:
        answer.cancel()
        raise
    except Exception as error:
        if not answer.cancelled():
            answer.set_exception(error)
        elif not isinstance(error, grpc.aio.BaseError):  # gRPC's own: nobody is there to be answered
            raise
    else:
        if not answer.cancelled():
            answer.set_result(result)


def _call_key(context: Context) -> str:
    metadata = context.invocation_metadata() or ()
    return next((key_of(str(value)) for name, value in metadata if name == "authorization"), "")


def _delay() -> duration_pb2.Duration:
    return duration_pb2.Duration(seconds=RETRY_DELAY)


async def _refuse(context: Context, refusal: proto.Refusal) -> NoReturn:
    violation = error_details_pb2.BadRequest.FieldViolation(field=refusal.field, description=refusal.description)
    reason = proto.Reason.Name(refusal.reason)
    await _abort(
        context,
        code_pb2.INVALID_ARGUMENT,
        refusal.description,
        error_details_pb2.BadRequest(field_violations=[violation]),
        error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN),
    )


async def _abort(context: Context, code: int, message: str, *details: Message) -> NoReturn:
    status = status_pb2.Status(code=code, message=message)
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    await context.abort_with_status(rpc_status.to_status(status))


async def report_health(collector: Collector, queue: Queue, servicer: Health, before: bool | None) -> bool:
    """Tell the health service what the queue says, and the metrics what waits and, if it is known, how much it holds.

    `before` is what this gave the last time: whether the queue can be written.
    """
    metrics.pending_bytes.set(collector.pending)
    if isinstance(queue, Counted):
        metrics.queue_records.set(queue.depth())
    try:
        async with asyncio.timeout(_HEALTH_WITHIN):
            serving = await queue.healthy()
    except TimeoutError:  # a disk that hangs
        serving = False
    if serving != before:
        state = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ("", SERVICE):
            await servicer.set(name, state)
        if not serving:
            log.error("the queue cannot be written")
        elif before is False:
            log.info("the queue can be written again")
    return serving


async def follow_queue(collector: Collector, queue: Queue, servicer: Health, serving: bool) -> NoReturn:
    """Keep the health service and the metrics at what the queue says."""
    while True:
        await asyncio.sleep(_HEALTH_EVERY)
        serving = await report_health(collector, queue, servicer, serving)


def build(collector: Collector, config: ServiceConfig) -> tuple[grpc.aio.Server, Servicer, Health]:
    """The server with everything registered, listening nowhere yet."""
    server = grpc.aio.server(
        options=[
            ("grpc.so_reuseport", 0),
            # Counted on what a message is when it is decompressed, and as it is decompressed.
            ("grpc.max_receive_message_length", LIMITS.message_bytes),
            ("grpc.max_send_message_length", LIMITS.message_bytes),
            ("grpc.max_concurrent_streams", config.grpc_max_streams),
            # Calls that have ended are counted too until they are cleared away, which a busy loop is late with: with
            # the library's own figure a caller with 64 calls in flight was refused some.
            ("grpc.http2.max_deallocating_streams", _ENDED_CALLS),
            # gRPC ends connections whose callers ping more often than this; by default, than every five minutes.
            ("grpc.http2.min_ping_interval_without_data_ms", _PING_EVERY_MS),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.max_connection_age_ms", int(config.grpc_connection_age * 1000) or _NEVER),
            ("grpc.max_connection_age_grace_ms", _AGE_GRACE_MS),
        ],
    )
    servicer = Servicer(collector)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, servicer.methods),))
    # The stubs of grpcio-health-checking lack its asyncio half.
    health_servicer = cast("Health", health.aio.HealthServicer())  # pyright: ignore
    health_pb2_grpc.add_HealthServicer_to_server(cast("Any", health_servicer), server)
    add_reflection(server, (SERVICE, health.SERVICE_NAME))
    return server, servicer, health_servicer

"""The outermost handler of a call: reads its message, and lets nothing of a failure out."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from operator import methodcaller
from typing import Any, TypeVar, cast

import grpc
from google.protobuf.message import DecodeError, Message

log = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]
M = TypeVar("M", bound=Message)


def handler(read: Callable[[bytes], M], call: Callable[[M, Context], Awaitable[Message]]) -> Any:
    """The handler of `call`, whose messages `read` parses.

    gRPC itself would answer a failure with UNKNOWN and the exception's own words, and a message that cannot be read
    with that too. Here the caller of a call that failed is told INTERNAL and an id, which is in the log beside the
    traceback.
    """

    async def handle(message: bytes, context: Context) -> Message:
        try:
            request = read(message)
        except DecodeError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{error}.")
        try:
            return await call(request, context)
        except grpc.aio.BaseError:  # gRPC's own: the call has ended, by us or by the caller
            raise
        except Exception:
            failure = secrets.token_hex(8)
            log.exception("failure %s of %s", failure, call.__name__)
            await context.abort(grpc.StatusCode.INTERNAL, f"The call failed. The service's log tells why: {failure}.")

    serialize = methodcaller("SerializeToString")
    return cast("Any", grpc.unary_unary_rpc_method_handler(cast("Any", handle), response_serializer=serialize))

"""HTTP answers: their bodies in the specification's single and batch forms, and their bytes on a connection."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Sequence
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Literal, NamedTuple

import msgspec
from sanic import HTTPResponse
from sanic.exceptions import SanicException
from sanic.headers import format_http1_response
from trackside.v1 import collector_service_pb2 as proto

from http1.request_head import RequestHead
from http_front.cors import IMAGE_ERROR, cors_lines
from http_front.errors import ANSWERS, BAD_REQUEST, TITLES, TOO_LARGE, WHOLE_REQUEST

Form = Literal["single", "batch", "image"]
"""An image says in a header why an event was rejected: a mail or a page shows it whatever the status."""

ERRORS = 1_000
"""The most errors that one answer lists."""
_REQUEST: dict[str, Any] = {"Index": None, "MessageId": ""}
"""Of an error that concerns the request and not one event of it."""
_REASON_CHARACTERS = 500
_UNPRINTABLE = re.compile(r"[^ -~]")
_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
RETRIES = {
    proto.RETRY_REASON_OVERLOADED: (429, "Too Many Requests", "More events wait than can be taken, send again later"),
    proto.RETRY_REASON_QUEUE_UNAVAILABLE: (503, "Service Unavailable", "Events cannot be queued now, send again later"),
}
"""The status, title and sentence of each reason to send again."""


class Encoded(NamedTuple):
    """An answer's bytes, but for the header lines that depend on the request and the time."""

    status: int
    head: bytes
    body: bytes

    def with_header(self, name: str, value: int) -> Encoded:
        """The answer with another header line."""
        return self._replace(head=b"%b%b: %d\r\n" % (self.head, name.lower().encode(), value))

    def on(self, request: RequestHead | None, *, keep_alive: bool) -> bytes:
        """The bytes that go over the connection."""
        return b"%bdate: %b\r\nconnection: %b\r\n%b\r\n%b" % (
            self.head,
            _date(int(time.time())),
            b"keep-alive" if keep_alive else b"close",
            cors_lines(request),
            b"" if request and request.method == "HEAD" else self.body,
        )


def encode(response: HTTPResponse) -> Encoded:
    body = response.body or b""
    response.headers["content-length"] = str(len(body))
    head = format_http1_response(response.status, response.processed_headers)
    return Encoded(response.status, head[:-2], body)


@lru_cache(1)
def _date(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()


def success() -> HTTPResponse:
    return json_answer(200, b'{"Success": true}')


def pixel(status: int = 200) -> HTTPResponse:
    """A transparent image of one pixel that nobody keeps."""
    return HTTPResponse(_GIF, status, {"Cache-Control": "no-store"}, "image/gif")


def rejected(
    refusals: Sequence[proto.Refusal], message_ids: Sequence[str | None], form: Form, *, partly: int = 207
) -> HTTPResponse:
    """The answer to a request with rejected events of which none is to be sent again.

    `message_ids` has one for each entry of the request, in order, or None where the entry is the request itself.
    `partly` is the status where other events were accepted.
    """
    told = [refusal for refusal in refusals if refusal.reason in WHOLE_REQUEST][:1] or refusals
    statuses = {ANSWERS[refusal.reason].status for refusal in told}
    all_rejected = TOO_LARGE if statuses == {TOO_LARGE} else BAD_REQUEST
    status = partly if len(refusals) < len(message_ids) else all_rejected
    errors = [_error(refusal, message_ids) for refusal in told[:ERRORS]]
    return _failure(status, errors, len(told), code=code(told[0].reason), form=form)


def retry(reason: proto.RetryReason, delay: int, form: Form) -> HTTPResponse:
    """The answer where events could not be queued for a passing reason. `delay` is in seconds."""
    status, title, message = RETRIES[reason]
    error = {"Error": title, "Message": message, "Details": "", **_REQUEST}
    response = _failure(status, [error], 1, code=title.lower().replace(" ", "_"), form=form)
    response.headers["Retry-After"] = str(delay)
    return response


def http_error(exception: SanicException, path: str, form: Form = "single") -> HTTPResponse:
    """The answer where HTTP itself says no: an unknown route, a wrong method, a broken request."""
    status = HTTPStatus(exception.status_code)
    # Sanic's own sentence has the path without its slashes.
    message = f"There is no route {path[:200]}" if status is HTTPStatus.NOT_FOUND else str(exception)
    response = failure(status, status.phrase, message, "image" if form == "image" else "single")
    response.headers.update({name: str(value) for name, value in (exception.headers or {}).items()})
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = "1"
    return response


def failure(status: int, title: str, message: str, form: Form = "single") -> HTTPResponse:
    error = {"Error": title, "Message": message, "Details": ""}
    return _failure(status, [error], 1, code=title.lower().replace(" ", "_"), form=form)


def _failure(status: int, errors: list[dict[str, Any]], count: int, *, code: str, form: Form) -> HTTPResponse:
    if form == "image":
        response = pixel(status)
        response.headers[IMAGE_ERROR] = _reason(code, errors[0])
        return response
    # SDKs of the analytics-python family resend for ever without the lower-case members.
    lower = {"code": code, "message": errors[0]["Message"]}
    if form == "single":
        single = {name: errors[0][name] for name in ("Error", "Message", "Details")}
        return json_answer(status, msgspec.json.encode({**single, **lower}))
    more = {"ErrorCount": count} if count > len(errors) else {}
    return json_answer(status, msgspec.json.encode({"Success": False, "Errors": errors, **more, **lower}))


def _reason(code: str, error: dict[str, Any]) -> str:
    """The value of a header: the code, the message and the details, with semicolons between them."""
    text = "; ".join(filter(None, (code, error["Message"], error["Details"])))
    return _UNPRINTABLE.sub("?", text)[:_REASON_CHARACTERS].rstrip()


def _error(refusal: proto.Refusal, message_ids: Sequence[str | None]) -> dict[str, Any]:
    answer = ANSWERS[refusal.reason]
    said = {"field": refusal.field, "description": refusal.description}
    message_id = None if refusal.reason in WHOLE_REQUEST else message_ids[refusal.index]
    return {
        "Error": TITLES[answer.status],
        "Message": answer.message.format(**said),
        "Details": answer.details.format(**said),
        **(_REQUEST if message_id is None else {"Index": refusal.index, "MessageId": message_id}),
    }


def code(reason: proto.Reason) -> str:
    return proto.Reason.Name(reason).removeprefix("REASON_").lower()


def json_answer(status: int, body: bytes) -> HTTPResponse:
    return HTTPResponse(body, status, None, "application/json")


_SUCCESS = encode(success())
ACCEPTED: dict[Form, Encoded] = {"single": _SUCCESS, "batch": _SUCCESS, "image": encode(pixel())}
"""The answer to a request whose events are all in the queue."""

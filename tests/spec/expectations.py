"""The specification's answers to the letter, the record that an event becomes, and what a test expects of a request."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

import httpx

from tests.running import KEY, NOW_TEXT, Running

AGENT = f"python-httpx/{httpx.__version__}"
SUCCESS = {"Success": True}


class TooLargeDetails(str):
    """Equals the specification's sentence with any size and limit behind it."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, str)
            and re.fullmatch(r"HTTP request too large: .*\d+.*\d+ are allowed", other) is not None
        )

    __hash__ = str.__hash__


TOO_LARGE = {
    "Error": "Bad Request",
    "Message": "Error reading request body",
    "Details": TooLargeDetails("HTTP request too large: SIZE, LIMIT are allowed"),
}
NO_INDEX = {"Index": None, "MessageId": ""}


def single(message: str, details: str, code: str) -> dict[str, Any]:
    """The body of an error on the route of one event."""
    return {"Error": "Bad Request", "Message": message, "Details": details, "code": code, "message": message}


MISSING_KEY = single("Invalid or missing writekey", "", "invalid_write_key")


def error(index: int, message_id: str, message: str, details: str) -> dict[str, Any]:
    """An entry of `Errors`."""
    return {
        "Error": "Bad Request",
        "Message": message,
        "Details": details,
        "Index": index,
        "MessageId": message_id,
    }


def batch(code: str, *errors: Mapping[str, Any]) -> dict[str, Any]:
    """The body of an error on the route of many events."""
    return {"Success": False, "Errors": list(errors), "code": code, "message": errors[0]["Message"]}


def required(field: str) -> dict[str, Any]:
    """The body of the error that a member is missing."""
    return single(f"{field} is required", field, "required")


NO_MESSAGE_ID = "messageId is required, unless the setting generate_message_id is true, for all sources or for this one"
MISSING_MESSAGE_ID = single(NO_MESSAGE_ID, "messageId", "required")


def record(kind: str, event: Mapping[str, Any], **stamps: Any) -> dict[str, Any]:
    """What the queue holds of an event that a test's client sent with the tests' key, at the time when clocks stand."""
    return {
        "writeKey": KEY,
        "timestamp": NOW_TEXT,
        **event,
        "type": kind,
        "receivedAt": NOW_TEXT,
        "context": {"ip": "127.0.0.1", "userAgent": AGENT, **event.get("context", {})},
        **stamps,
    }


def assert_answer(response: httpx.Response, status: int, body: Any) -> None:
    """This status and this body, as JSON, and readable by any page."""
    assert (response.status_code, response.json()) == (status, body)
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def assert_accepted(trackside: Running, response: httpx.Response, *records: Mapping[str, Any]) -> None:
    """200, and these records and no others in the queue."""
    assert_answer(response, 200, SUCCESS)
    assert trackside.queued() == list(records)


def rejection_of(response: httpx.Response) -> dict[str, Any]:
    """The body of a rejection in the single form; a pixel's is put together from its header."""
    if response.headers["Content-Type"] != "image/gif":
        return response.json()
    assert response.content.startswith(b"GIF89a\x01\x00\x01\x00")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    code, message, *details = response.headers["Trackside-Error"].split("; ")
    return {
        "Error": "Bad Request" if response.status_code in (400, 413) else code.replace("_", " ").title(),
        "Message": message,
        "Details": "; ".join(details),
        "code": code,
        "message": message,
    }


def assert_refused_pixel(trackside: Running, response: httpx.Response, status: int, body: Mapping[str, Any]) -> None:
    """An image with this status, a header that says what the body would, and nothing in the queue."""
    assert response.headers["Content-Type"] == "image/gif"
    assert (response.status_code, rejection_of(response)) == (status, body)
    assert trackside.queued() == []


def assert_refused(trackside: Running, response: httpx.Response, status: int, body: Mapping[str, Any]) -> None:
    """This status and this body, and nothing in the queue."""
    assert_answer(response, status, body)
    assert trackside.queued() == []


def kept_refused(trackside: Running, message_id: str) -> dict[str, Any]:
    """What is kept of a refused event. It is written soon after the answer, by a thread of its own."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for refused in trackside.refused():
            if refused["messageId"] == message_id:
                return refused
    raise AssertionError(f"no refused event {message_id!r} is kept")

"""Every reason for a rejection, with its status and its words in HTTP (specification: Errors, Error responses)."""

from __future__ import annotations

from typing import NamedTuple

from trackside.v1 import collector_service_pb2 as proto

from event_model.schema import LIMITS


class Rejected(Exception):
    """The front cannot translate an event, or a whole request."""

    def __init__(self, reason: proto.Reason, field: str = "", description: str = "") -> None:
        """`field` is the JSON name of the member at fault; `description` is a sentence for people."""
        super().__init__(description)
        self.reason = reason
        self.field = field
        self.description = description


class Answer(NamedTuple):
    """A rejection's words in HTTP. `{field}` and `{description}` are the rejection's own."""

    status: int
    message: str
    details: str = "{field}"


BAD_REQUEST, TOO_LARGE = 400, 413

_TOO_LARGE_DETAILS = "HTTP request too large: {description}"

ANSWERS: dict[proto.Reason, Answer] = {
    proto.REASON_MALFORMED_JSON: Answer(BAD_REQUEST, "The body is not valid JSON", "{description}"),
    proto.REASON_NOT_AN_OBJECT: Answer(BAD_REQUEST, "{description}"),
    proto.REASON_NESTED_TOO_DEEP: Answer(
        BAD_REQUEST, f"Objects and arrays nest deeper than {LIMITS.nesting} levels", "{field}"
    ),
    proto.REASON_MALFORMED_BASE64: Answer(BAD_REQUEST, "The pixel's data parameter must be base64 of a JSON object"),
    proto.REASON_MALFORMED_ENCODING: Answer(BAD_REQUEST, "The body is not what its Content-Encoding says"),
    proto.REASON_INVALID_WRITE_KEY: Answer(BAD_REQUEST, "Invalid or missing writekey", ""),
    proto.REASON_REQUIRED: Answer(BAD_REQUEST, "{description}"),
    proto.REASON_WRONG_TYPE: Answer(BAD_REQUEST, "{description}"),
    proto.REASON_INVALID_VALUE: Answer(BAD_REQUEST, "{description}"),
    proto.REASON_INVALID_TIMESTAMP: Answer(BAD_REQUEST, "{description}"),
    proto.REASON_UNKNOWN_TYPE: Answer(BAD_REQUEST, "{description}"),
    proto.REASON_TYPE_MISMATCH: Answer(BAD_REQUEST, "{description}"),
    proto.REASON_RESERVED_MEMBER: Answer(BAD_REQUEST, "{description}"),
    # The specification's own words.
    proto.REASON_EVENT_TOO_LARGE: Answer(TOO_LARGE, "Error reading request body", _TOO_LARGE_DETAILS),
    proto.REASON_REQUEST_TOO_LARGE: Answer(TOO_LARGE, "Error reading request body", _TOO_LARGE_DETAILS),
}

TITLES = {BAD_REQUEST: "Bad Request", TOO_LARGE: "Bad Request"}
"""`Error` of a rejection. The specification's example of a body that is too large says Bad Request too."""

WHOLE_REQUEST = frozenset([proto.REASON_REQUEST_TOO_LARGE])
"""Reasons that concern the whole request."""

"""A tracking pixel: one event in the query of a GET request (specification: Tracking Pixel)."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote

from trackside.v1 import collector_service_pb2 as proto

from http_front.errors import Rejected

_TO_STANDARD = str.maketrans("-_ ", "+/+", "=\r\n")
"""URL-safe letters, a `+` that arrived as a space, and padding, which is put right afterwards."""


def read_data(query_string: str) -> bytes:
    """The JSON text in the query's `data`: standard or URL-safe base64, padded or not. Raises Rejected."""
    values = [value for name, _, value in (pair.partition("=") for pair in query_string.split("&")) if name == "data"]
    try:
        # `unquote` leaves a plus alone, which in base64 is a letter.
        letters = unquote(values[0]).translate(_TO_STANDARD)
        return base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
    except (IndexError, binascii.Error, ValueError):
        raise Rejected(proto.REASON_MALFORMED_BASE64, "data") from None

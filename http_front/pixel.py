"""A tracking pixel: one event in the query of a GET request (specification: Tracking Pixel)."""

from __future__ import annotations

import base64

from trackside.v1 import collector_service_pb2 as proto

from http_front.errors import Rejected
from http_front.query import parameter

_TO_STANDARD = str.maketrans("-_ ", "+/+", "=\r\n")
"""URL-safe letters, a `+` that arrived as a space, and padding, which is put right afterwards."""


def read_data(query_string: str) -> bytes:
    """The JSON text in the query's `data`: standard or URL-safe base64, padded or not. Raises Rejected."""
    data = parameter(query_string, "data")
    if data is None:
        raise Rejected(proto.REASON_MALFORMED_BASE64, "data")
    letters = data.translate(_TO_STANDARD)
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
    except ValueError:  # binascii.Error is one
        raise Rejected(proto.REASON_MALFORMED_BASE64, "data") from None

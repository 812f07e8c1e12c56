"""The write key in an `Authorization` header or `authorization` metadata (specification: Authentication)."""

from __future__ import annotations

import base64


def key_of(authorization: str) -> str:
    """The key in `Basic`, as user name with or without a colon, or in `Bearer KEY`; empty where there is none."""
    scheme, _, credentials = authorization.partition(" ")
    match scheme.lower():
        case "bearer":
            return credentials.strip()
        case "basic":
            try:
                return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[0]
            except ValueError:
                return ""
        case _:
            return ""

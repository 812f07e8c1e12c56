"""The parameters of a query, read as the fields of a form are."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote_plus

PARAMETERS = 1_000
"""How many are read."""


def parameters(query: str) -> Iterator[tuple[str, str]]:
    """Names and values, in order. `&amp;`, which is how HTML writes `&`, separates them too."""
    for pair in query.replace("&amp;", "&").split("&", PARAMETERS)[:PARAMETERS]:
        name, _, value = pair.partition("=")
        yield unquote_plus(name), unquote_plus(value)


def parameter(query: str, name: str) -> str | None:
    """The first value of a parameter, or None."""
    return next((value for each, value in parameters(query) if each == name), None)

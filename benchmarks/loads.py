"""The loads that are measured, a row each."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from benchmarks import one_client, sdk_requests
from benchmarks.raw_requests import Requests


class Load(NamedTuple):
    """One way to send."""

    title: str
    connections: int
    make: Callable[[], Requests]


def _row(title: str, connections: int, make: Callable[[], Requests]) -> Load:
    return Load(title, connections, cache(make))


_sdk_singles = cache(sdk_requests.singles)

ROWS = {
    "mix-64": _row("SDK mix, 64 connections", 64, _sdk_singles),
    "mix-256": _row("SDK mix, 256 connections", 256, _sdk_singles),
    "sdk-batches": _row("SDK batches, 16 connections", 16, sdk_requests.batches),
    "one-64": _row("one client, 64 connections", 64, one_client.singles),
    "one-64-new-heads": _row("one client, 64 connections, new heads", 64, one_client.new_heads),
    "one-256": _row("one client, 256 connections", 256, one_client.singles),
    "one-1": _row("one client, 1 connection", 1, one_client.singles),
    "batches-500": _row("one client, batches of 500, 8 connections", 8, lambda: one_client.batches(500)),
}
"""By the name that `--rows` takes."""

EQUAL_HEADS, NEW_HEADS = "one-64", "one-64-new-heads"


def empty(connections: int = 64) -> Load:
    """What the ceiling answers."""
    return Load(f"empty, {connections} connections", connections, one_client.empty)

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import Serve, Serving


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts collectors, each in a directory that is called by its name, and stops them afterwards."""
    started: list[Serving] = []

    def start(*arguments: str, name: str = "trackside") -> Serving:
        started.append(Serving(tmp_path / name, *arguments))
        return started[-1]

    yield start
    for serving in reversed(started):
        serving.close()

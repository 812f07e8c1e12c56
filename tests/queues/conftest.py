from __future__ import annotations

from pathlib import Path

import pytest

from .backend import Backend


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'queue.db'}"


@pytest.fixture(params=["sqlite", "sqlite, may block"])
def backend(request: pytest.FixtureRequest) -> Backend:
    engine, _, way = request.param.partition(", ")
    return Backend(request.getfixturevalue(f"{engine}_url"), may_block=bool(way))

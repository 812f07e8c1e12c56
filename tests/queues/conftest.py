from __future__ import annotations

from pathlib import Path

import pytest

from .backend import Backend


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'queue.db'}"


@pytest.fixture(params=["sqlite"])
def backend(request: pytest.FixtureRequest) -> Backend:
    return Backend(request.getfixturevalue(f"{request.param}_url"))

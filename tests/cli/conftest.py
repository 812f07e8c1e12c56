from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.serving import Serve, Serving


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts collectors, and stops them afterwards."""
    serve = Serve(tmp_path)
    yield serve
    serve.close()


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A collector that a module's tests share."""
    serve = Serve(tmp_path_factory.mktemp("serving"))
    yield serve().ready()
    serve.close()

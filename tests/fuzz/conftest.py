from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.running import Running, collector


@pytest.fixture(scope="module")
def trackside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A collector that adds nothing to a context, and to which nothing is a duplicate."""
    with collector(tmp_path_factory.mktemp("fuzz"), client_address="off", duplicate_window=0) as running:
        running.http.headers["User-Agent"] = ""
        yield running

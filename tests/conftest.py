"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.running import Running, collector

pytest.register_assert_rewrite("tests.doors", "tests.spec.expectations")  # Their failed asserts are explained.
collect_ignore = ["grpc_tools", "sdks"]  # They need toolchains: `make test-grpcurl` and `make test-sdks` run them.


@pytest.fixture(scope="module")
def trackside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A collector with the default settings, shared by a module's tests."""
    with collector(tmp_path_factory.mktemp("trackside")) as running:
        yield running

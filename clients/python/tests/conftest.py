from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from .launching import Serve, Server


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers with serve.py's arguments. They end with the test."""
    with ExitStack() as stack:

        def start(*arguments: str) -> Server:
            server = Server(*arguments)
            stack.enter_context(server.process)
            return server

        yield start

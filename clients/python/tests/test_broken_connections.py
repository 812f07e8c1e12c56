"""Calls that end without an answer, because their stream is reset or their connection closed."""

import socket
import struct
import threading
from collections.abc import Iterator

import grpc
import pytest
from trackside_client import Client, Lost

DATA, RST_STREAM, SETTINGS = 0, 3, 4
END_STREAM = 1
INTERNAL_ERROR = 2


class BreakingServer:
    """Speaks just enough HTTP/2 to break every call once its request has arrived."""

    def __init__(self, *, reset: bool) -> None:
        self.calls = threading.Semaphore(0)
        self._reset = reset
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.target = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            with connection, connection.makefile("rwb") as stream:
                stream.read(24)  # HTTP/2's preface
                stream.write(frame(SETTINGS, 0, b""))
                stream.flush()
                while head := stream.read(9):
                    length, kind, flags, stream_id = (
                        struct.unpack(">I", b"\0" + head[:3])[0],
                        *struct.unpack(">BBI", head[3:]),
                    )
                    stream.read(length)
                    if kind == DATA and flags & END_STREAM:
                        self.calls.release()
                        if not self._reset:
                            break
                        stream.write(frame(RST_STREAM, stream_id, struct.pack(">I", INTERNAL_ERROR)))
                        stream.flush()


def frame(kind: int, stream_id: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, 0, stream_id) + payload


@pytest.fixture(params=[True, False], ids=["reset", "closed"])
def server(request: pytest.FixtureRequest) -> Iterator[BreakingServer]:
    server = BreakingServer(reset=request.param)
    yield server
    server.close()


def test_a_call_that_is_cut_off_is_made_again(server: BreakingServer) -> None:
    lost: list[Lost] = []
    client = Client(server.target, on_lost=lambda _event, why: lost.append(why))
    client.track("u", "E")
    for _ in range(3):
        assert server.calls.acquire(timeout=30)
    assert client.close(timeout=0) == 1
    assert lost[0].code in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAVAILABLE)
    assert server.target in lost[0].description

"""The latency of one sender beside connections that pipeline requests. Run `python -m benchmarks.pipelines`."""

from __future__ import annotations

import argparse
import http.client
import socket
import statistics
import time
from concurrent.futures import Future, ThreadPoolExecutor

from benchmarks.servers import trackside

_REQUEST = b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n"
_LAST_REQUEST = _REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
_EVENT = '{"messageId":"%d","userId":"user-1","event":"Neighbour","writeKey":"key"}'
_PATIENCE = 120.0  # seconds without an answer


def pipeline(port: int, requests: int) -> None:
    """Send all requests at once, and read their answers."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as connection,
        ThreadPoolExecutor(1) as sender,
    ):
        sent = sender.submit(connection.sendall, _REQUEST * (requests - 1) + _LAST_REQUEST)
        said = b"".join(iter(lambda: connection.recv(1 << 16), b""))
        sent.result()
    answered = said.count(b"HTTP/1.1 404")
    assert answered == requests, answered


def latencies(port: int, pipelines: list[Future[None]]) -> list[float]:
    """Milliseconds of each event that one sender sends while the pipelines run."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    measured: list[float] = []
    while not all(each.done() for each in pipelines):
        began = time.perf_counter()
        connection.request("POST", "/v1/track", _EVENT % len(measured))
        answer = connection.getresponse()
        answer.read()
        measured.append((time.perf_counter() - began) * 1_000)
        assert answer.status == 200, answer.status
    connection.close()
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--requests", type=int, default=2_000, help="on each connection")
    arguments = parser.parse_args()
    with trackside() as server, ThreadPoolExecutor(arguments.connections) as threads:
        began = time.perf_counter()
        pipelines = [threads.submit(pipeline, server.port, arguments.requests) for _ in range(arguments.connections)]
        measured = latencies(server.port, pipelines)
        seconds = time.perf_counter() - began
        for each in pipelines:
            each.result()
    p99 = statistics.quantiles(measured, n=100, method="inclusive")[98]
    print(f"{arguments.connections} connections, {arguments.requests:,} requests each: {seconds:.1f} s")
    print(
        f"{len(measured)} events beside them: p50 {statistics.median(measured):.1f} ms, p99 {p99:.1f} ms, "
        f"longest {max(measured):.1f} ms"
    )


if __name__ == "__main__":
    main()

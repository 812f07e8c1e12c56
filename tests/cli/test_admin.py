"""The admin port: health, readiness and metrics."""

from __future__ import annotations

import inspect
import os
import re
import signal
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

import cli.metrics
import http_front.metrics
import service.metrics
from tests.cli.serving import PATIENCE, Serve, Serving, until


def send(serving: Serving, message_id: str) -> httpx.Response:
    event = {"messageId": message_id, "userId": "user", "event": "Hello"}
    return httpx.post(f"{serving.http}/v1/track", json=event, auth=("key", ""), timeout=PATIENCE)


def readiness(serving: Serving) -> tuple[int, str]:
    answer = httpx.get(f"{serving.admin}/readyz", timeout=PATIENCE)
    return answer.status_code, answer.json().get("reason", "")


def samples(serving: Serving) -> dict[str, float]:
    """The metrics' values, those with different labels added up."""
    answer = httpx.get(f"{serving.admin}/metrics", timeout=PATIENCE)
    assert answer.status_code == 200
    totals: dict[str, float] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            totals[sample.name] = totals.get(sample.name, 0) + sample.value
    return totals


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/healthz", 200, {"status": "alive"}),
        ("GET", "/readyz", 200, {"status": "ready"}),
        ("GET", "/", 404, {"error": "There is /healthz, /readyz and /metrics here."}),
        ("POST", "/healthz", 405, {"error": "Only GET and HEAD are allowed here."}),
        ("DELETE", "/metrics", 405, {"error": "Only GET and HEAD are allowed here."}),
    ],
)
def test_each_path_answers_json(serving: Serving, method: str, path: str, status: int, body: dict[str, str]) -> None:
    answer = httpx.request(method, f"{serving.admin}{path}", timeout=PATIENCE)
    assert (answer.status_code, answer.json()) == (status, body)


def test_head_has_no_body(serving: Serving) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        answer = httpx.head(f"{serving.admin}{path}", timeout=PATIENCE)
        assert (answer.status_code, answer.content) == (200, b"")


def test_not_ready_while_the_queue_cannot_be_written(serve: Serve) -> None:
    serving = serve().ready()
    queue = serving.directory / "data" / "queue.db"
    queue.rename(queue.with_name("elsewhere.db"))
    until(lambda: readiness(serving) == (503, "The service cannot write to the queue."))
    assert send(serving, "1").status_code == 503
    queue.with_name("elsewhere.db").rename(queue)
    until(lambda: readiness(serving) == (200, ""))
    assert send(serving, "1").status_code == 200


def test_not_ready_while_the_service_is_away(serve: Serve) -> None:
    serving = serve().ready()
    os.kill(serving.pid("service"), signal.SIGSTOP)
    status, reason = readiness(serving)
    os.kill(serving.pid("service"), signal.SIGCONT)
    assert status == 503
    assert reason.endswith("does not answer: DEADLINE_EXCEEDED.")
    until(lambda: readiness(serving) == (200, ""))


def test_every_metric_is_documented_with_its_labels() -> None:
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
    rows = re.findall(r"^\| `(trackside_\w+)` \| ([^|]*)\|", text, re.MULTILINE)
    documented = {name.removesuffix("_total"): set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    modules = (service.metrics, http_front.metrics, cli.metrics)
    made = re.findall(
        r'"(trackside_\w+)",\s+"[^"]+",?(?:\s+\[([^]]*)\])?', "".join(inspect.getsource(module) for module in modules)
    )
    assert documented == {name: set(re.findall(r'"(\w+)"', labels)) for name, labels in made}


def test_metrics_are_those_of_all_processes_together(serve: Serve) -> None:
    serving = serve("--workers=2").ready()
    for number in range(20):
        assert send(serving, f"before {number}").status_code == 200
    os.kill(serving.pid("service"), signal.SIGKILL)
    os.kill(serving.pid("front-1"), signal.SIGKILL)
    until(lambda: send(serving, "after").status_code == 200)
    shown = samples(serving)
    assert shown["trackside_events_total"] == 21
    assert shown["trackside_process_deaths_total"] == 2
    assert shown["trackside_queue_put_seconds_count"] >= 1

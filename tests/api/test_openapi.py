"""The OpenAPI document has every route of the application, and is what is committed and served."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sanic import Sanic

from event_model import schema
from http_front import openapi
from http_front.api_description import description_of
from http_front.app import build
from http_front.config import FrontConfig
from http_front.errors import ANSWERS
from tests.api.documented import assert_documented
from tests.cli.serving import PATIENCE
from tests.running import Running, collector, front_alone

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def app() -> Sanic[Any, Any]:
    return build(FrontConfig(), "described")


@pytest.fixture(scope="module")
def trackside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with collector(tmp_path_factory.mktemp("openapi")) as running:
        yield running


@pytest.fixture(scope="module")
def document(trackside: Running) -> dict[str, Any]:
    return trackside.http.get("/openapi.json").json()


def test_every_route_is_described(app: Sanic[Any, Any]) -> None:
    undescribed = [str(each) for each in openapi.operations(app) if description_of(each.handler) is None]
    assert not undescribed, (
        f"{', '.join(undescribed)}: say in http_front/api_description.py what the route takes and answers, and give "
        "that to its Endpoint as `description`, or to its handler by @described"
    )


def test_document_has_every_route_and_no_other(app: Sanic[Any, Any], document: dict[str, Any]) -> None:
    documented = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    assert documented == {(each.path, each.method) for each in openapi.operations(app)}


def test_document_is_served_as_it_is_committed(trackside: Running) -> None:
    answer = trackside.http.get("/openapi.json")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.json() == json.loads(COMMITTED.read_text("utf-8"))


def test_committed_documents_are_current() -> None:
    script = ROOT / "proto" / "describe.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = {
        value for part in _parts(document) for name, value in part.items() if name == "$ref" and isinstance(value, str)
    }
    assert references
    for reference in references:
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def test_operations_have_ids_of_their_own(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("kind", schema.KINDS.values(), ids=lambda kind: kind.name)
def test_members_are_those_of_the_protos_with_their_comments(document: dict[str, Any], kind: schema.Kind) -> None:
    own = document["components"]["schemas"][kind.name.title()]["properties"]
    names = {member.name for member in (*schema.ENVELOPE, *kind.members)}
    assert set(own) == names | {"type"} | {member.options.alias for member in kind.members if member.options.alias}
    assert all(member["description"] for member in own.values())


def test_every_reason_for_a_rejection_is_documented(document: dict[str, Any]) -> None:
    reasons = document["components"]["schemas"]["Reason"]["oneOf"]
    assert len(reasons) == len(ANSWERS)
    assert all(reason["description"] for reason in reasons)


@pytest.mark.parametrize(
    ("path", "status", "content", "headers"),
    [
        ("/v1/track", 415, b"{}", {"Content-Encoding": "rot13"}),
        ("/v1/batch", 417, b"{}", {"Expect": "200-ok"}),
        ("/v1/track", 413, b" " * 600_000, {}),
        ("/v1/webhook", 413, b" " * 600_000, {}),
        ("/v1/batch", 400, b"{", {}),
        ("/v1/batch", 400, b"{}", {"Host": "a b"}),
        ("/v1/m", 200, b"anything", {}),
    ],
)
def test_answer_that_no_generator_asks_for_is_as_documented(
    trackside: Running, document: dict[str, Any], path: str, status: int, content: bytes, headers: dict[str, str]
) -> None:
    answer = trackside.http.post(path, content=content, headers=headers)
    assert answer.status_code == status
    assert_documented(document, path, answer)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/track"),
        ("POST", "/v1/batch"),
        ("POST", "/v1/webhook"),
        ("GET", "/v1/pixel/track"),
        ("GET", "/health"),
    ],
)
def test_answer_while_the_service_is_away_is_as_documented(
    tmp_path: Path, document: dict[str, Any], method: str, path: str
) -> None:
    body: dict[str, Any] = {"batch": [{}]} if path == "/v1/batch" else {}
    with front_alone(f"unix:{tmp_path / 'nowhere'}") as http:
        answer = http.request(method, path, params={"data": "e30"} if method == "GET" else {}, json=body)
    assert answer.status_code == 503
    assert_documented(document, path, answer)


def _parts(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        yield document  # pyright: ignore[reportUnknownVariableType]
    children: list[Any] = list(document.values() if isinstance(document, dict) else document)  # pyright: ignore
    for child in children:
        if isinstance(child, (dict, list)):
            yield from _parts(child)

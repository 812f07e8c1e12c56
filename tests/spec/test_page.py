"""The specification's "Page"."""

from __future__ import annotations

from typing import Any

import pytest

from tests.running import Running
from tests.spec.expectations import assert_accepted, assert_refused, record, single

# As it stands in the specification, but for its syntax and the messageId that it lacks.
EXAMPLE = {
    "userId": "1234qwerty",
    "section": "Blog",
    "name": "10 Questions with Marvin, the clinically depressed robot",
    "properties": {"referrer": "http://reddit.com/r/AMA"},
    "type": "page",
}


@pytest.mark.parametrize("path", ["/v1/p", "/v1/page"])
def test_example_is_queued(trackside: Running, path: str) -> None:
    sent = {**EXAMPLE, "messageId": path}
    assert_accepted(trackside, trackside.post(path, sent), record("page", sent))


@pytest.mark.parametrize("absent", [{}, {"name": None}, {"name": ""}])
def test_name_is_optional(trackside: Running, absent: dict[str, Any]) -> None:
    sent = {"messageId": f"name {absent}", "userId": "u"}
    assert_accepted(trackside, trackside.post("/v1/page", {**sent, **absent}), record("page", sent))


@pytest.mark.parametrize("value", [5, False, {"name": "n"}, ["n"]])
def test_name_must_be_a_string(trackside: Running, value: Any) -> None:
    body = single("name must be a string", "name", "wrong_type")
    assert_refused(trackside, trackside.post("/v1/page", {"messageId": "m", "userId": "u", "name": value}), 400, body)


@pytest.mark.parametrize("absent", [{}, {"properties": None}, {"properties": ""}])
def test_properties_are_optional(trackside: Running, absent: dict[str, Any]) -> None:
    sent = {"messageId": f"properties {absent}", "userId": "u", "name": "Signup"}
    assert_accepted(trackside, trackside.post("/v1/page", {**sent, **absent}), record("page", sent))


def test_properties_are_free_form(trackside: Running) -> None:
    sent: dict[str, Any] = {
        "messageId": "free",
        "userId": "u",
        "properties": {"revenue": 1.5, "list": [{}, None], "name": "mine"},
    }
    assert_accepted(trackside, trackside.post("/v1/page", sent), record("page", sent))


@pytest.mark.parametrize("value", ["revenue", 42, False, ["revenue"], [[]]])
def test_properties_must_be_an_object(trackside: Running, value: Any) -> None:
    body = single("properties must be an object", "properties", "wrong_type")
    sent = {"messageId": "m", "userId": "u", "properties": value}
    assert_refused(trackside, trackside.post("/v1/page", sent), 400, body)

"""Screen: a type in the specification's list ("General Event Fields"), so it is one here, as page is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.running import Running
from tests.spec.expectations import assert_accepted, assert_refused, record, single


@pytest.mark.parametrize("path", ["/v1/s", "/v1/screen"])
def test_screen_has_routes_as_the_other_types_have(trackside: Running, path: str) -> None:
    sent = {"messageId": path, "userId": "u", "name": "Home", "properties": {"orientation": "portrait"}}
    assert_accepted(trackside, trackside.post(path, sent), record("screen", sent))


@pytest.mark.parametrize("absent", [{}, {"name": None}, {"name": ""}])
def test_name_is_optional(trackside: Running, absent: dict[str, Any]) -> None:
    sent = {"messageId": f"name {absent}", "userId": "u"}
    assert_accepted(trackside, trackside.post("/v1/screen", {**sent, **absent}), record("screen", sent))


@pytest.mark.parametrize("value", [5, False, {"name": "n"}, ["n"]])
def test_name_must_be_a_string(trackside: Running, value: Any) -> None:
    body = single("name must be a string", "name", "wrong_type")
    assert_refused(trackside, trackside.post("/v1/screen", {"messageId": "m", "userId": "u", "name": value}), 400, body)


@pytest.mark.parametrize("absent", [{}, {"properties": None}, {"properties": ""}])
def test_properties_are_optional(trackside: Running, absent: dict[str, Any]) -> None:
    sent = {"messageId": f"properties {absent}", "userId": "u", "name": "Signup"}
    assert_accepted(trackside, trackside.post("/v1/screen", {**sent, **absent}), record("screen", sent))


def test_properties_are_free_form(trackside: Running) -> None:
    sent: dict[str, Any] = {
        "messageId": "free",
        "userId": "u",
        "properties": {"revenue": 1.5, "list": [{}, None], "name": "mine"},
    }
    assert_accepted(trackside, trackside.post("/v1/screen", sent), record("screen", sent))


@pytest.mark.parametrize("value", ["revenue", 42, False, ["revenue"], [[]]])
def test_properties_must_be_an_object(trackside: Running, value: Any) -> None:
    body = single("properties must be an object", "properties", "wrong_type")
    sent = {"messageId": "m", "userId": "u", "properties": value}
    assert_refused(trackside, trackside.post("/v1/screen", sent), 400, body)

"""The specification's "Group"."""

from __future__ import annotations

from typing import Any

import pytest

from tests.running import Running
from tests.spec.expectations import assert_accepted, assert_refused, record, required, single

# As it stands in the specification, but for its syntax and the messageId that it lacks.
EXAMPLE = {
    "userId": "1234qwerty",
    "groupId": "5678dvorak",
    "traits": {"name": "The Hitchhikers", "relativePosition": "[39.1000 N, 84.5167 W]"},
    "type": "group",
}


@pytest.mark.parametrize("path", ["/v1/g", "/v1/group"])
def test_example_is_queued(trackside: Running, path: str) -> None:
    sent = {**EXAMPLE, "messageId": path}
    assert_accepted(trackside, trackside.post(path, sent), record("group", sent))


@pytest.mark.parametrize("members", [{}, {"groupId": ""}, {"groupId": None}])
def test_group_id_is_required(trackside: Running, members: dict[str, Any]) -> None:
    sent = {"messageId": "m", "userId": "u", **members}
    assert_refused(trackside, trackside.post("/v1/group", sent), 400, required("groupId"))


def test_integer_group_id_becomes_its_decimal_string(trackside: Running) -> None:
    sent = {"messageId": "integer", "userId": "u", "groupId": 42}
    assert_accepted(trackside, trackside.post("/v1/group", sent), record("group", sent, groupId="42"))


@pytest.mark.parametrize("value", [True, 1.5, {"id": "g"}, ["g"]])
def test_group_id_must_be_a_string(trackside: Running, value: Any) -> None:
    body = single("groupId must be a string", "groupId", "wrong_type")
    sent = {"messageId": "m", "userId": "u", "groupId": value}
    assert_refused(trackside, trackside.post("/v1/group", sent), 400, body)


@pytest.mark.parametrize("absent", [{}, {"traits": None}, {"traits": ""}])
def test_traits_are_optional(trackside: Running, absent: dict[str, Any]) -> None:
    sent = {"messageId": f"{absent}", "userId": "u", "groupId": "g"}
    assert_accepted(trackside, trackside.post("/v1/group", {**sent, **absent}), record("group", sent))


def test_traits_are_free_form(trackside: Running) -> None:
    sent = {"messageId": "free", "userId": "u", "groupId": "g", "traits": {"employees": 420, "plans": [{"a": None}]}}
    assert_accepted(trackside, trackside.post("/v1/group", sent), record("group", sent))


@pytest.mark.parametrize("value", ["name", 42, False, ["name"], [[]]])
def test_traits_must_be_an_object(trackside: Running, value: Any) -> None:
    body = single("traits must be an object", "traits", "wrong_type")
    sent = {"messageId": "m", "userId": "u", "groupId": "g", "traits": value}
    assert_refused(trackside, trackside.post("/v1/group", sent), 400, body)

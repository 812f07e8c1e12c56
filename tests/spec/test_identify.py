"""The specification's "Identify"."""

from __future__ import annotations

from typing import Any

import pytest

from tests.running import Running
from tests.spec.expectations import assert_accepted, assert_refused, record, single

# As it stands in the specification, but for its syntax and the messageId that it lacks.
EXAMPLE = {
    "userId": "1234qwerty",
    "traits": {
        "name": "Arthur Dent",
        "email": "earthling1@hitchhikersguide.com",
        "hasTowel": True,
    },
    "timestamp": "2015-11-10T00:45:23.412Z",
    "type": "identify",
}


@pytest.mark.parametrize("path", ["/v1/i", "/v1/identify"])
def test_example_is_queued(trackside: Running, path: str) -> None:
    sent = {**EXAMPLE, "messageId": path}
    assert_accepted(trackside, trackside.post(path, sent), record("identify", sent))


@pytest.mark.parametrize("absent", [{}, {"traits": None}, {"traits": ""}])
def test_traits_are_optional(trackside: Running, absent: dict[str, Any]) -> None:
    sent = {"messageId": f"{absent}", "userId": "u"}
    assert_accepted(trackside, trackside.post("/v1/identify", {**sent, **absent}), record("identify", sent))


def test_traits_are_free_form(trackside: Running) -> None:
    sent = {"messageId": "free", "userId": "u", "traits": {"": 0, "a b": [{"c": None}], "é": {"deep": {"er": 1.5}}}}
    assert_accepted(trackside, trackside.post("/v1/identify", sent), record("identify", sent))


@pytest.mark.parametrize("value", ["Arthur", 42, False, ["name"], [[]]])
def test_traits_must_be_an_object(trackside: Running, value: Any) -> None:
    body = single("traits must be an object", "traits", "wrong_type")
    sent = {"messageId": "m", "userId": "u", "traits": value}
    assert_refused(trackside, trackside.post("/v1/identify", sent), 400, body)

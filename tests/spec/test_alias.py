"""The specification's "Alias"."""

from __future__ import annotations

from typing import Any

import pytest

from tests.running import Running
from tests.spec.expectations import assert_accepted, assert_refused, record, single

# As it stands in the specification, but for its syntax and the messageId that it lacks.
EXAMPLE = {
    "previousId": "anonymous_id",
    "userId": "assigned_id_or_email",
    "timestamp": "2015-11-10T00:45:23.412Z",
    "type": "alias",
}
NO_PREVIOUS_ID = single("previousId is required, or anonymousId with userId", "previousId", "required")


@pytest.mark.parametrize("path", ["/v1/a", "/v1/alias"])
def test_example_is_queued(trackside: Running, path: str) -> None:
    sent = {**EXAMPLE, "messageId": path}
    assert_accepted(trackside, trackside.post(path, sent), record("alias", sent))


@pytest.mark.parametrize("members", [{}, {"previousId": ""}, {"previousId": None}])
def test_previous_id_is_required(trackside: Running, members: dict[str, Any]) -> None:
    sent = {"messageId": "m", "userId": "u", **members}
    assert_refused(trackside, trackside.post("/v1/alias", sent), 400, NO_PREVIOUS_ID)


def test_previous_id_may_be_an_anonymous_id(trackside: Running) -> None:
    sent = {"messageId": "anonymous", "userId": "u", "anonymousId": "somebody"}
    response = trackside.post("/v1/alias", sent)
    assert_accepted(trackside, response, record("alias", sent, previousId="somebody"))


def test_user_id_is_optional_where_there_is_an_anonymous_id(trackside: Running) -> None:
    sent = {"messageId": "no-user", "previousId": "p", "anonymousId": "somebody"}
    assert_accepted(trackside, trackside.post("/v1/alias", sent), record("alias", sent))


def test_anonymous_id_alone_is_no_previous_id(trackside: Running) -> None:
    sent = {"messageId": "m", "anonymousId": "somebody"}
    assert_refused(trackside, trackside.post("/v1/alias", sent), 400, NO_PREVIOUS_ID)


def test_user_id_or_anonymous_id_is_required(trackside: Running) -> None:
    body = single("userId or anonymousId is required", "userId", "required")
    assert_refused(trackside, trackside.post("/v1/alias", {"messageId": "m", "previousId": "p"}), 400, body)


def test_integer_previous_id_becomes_its_decimal_string(trackside: Running) -> None:
    sent = {"messageId": "integer", "userId": "u", "previousId": 42}
    assert_accepted(trackside, trackside.post("/v1/alias", sent), record("alias", sent, previousId="42"))


@pytest.mark.parametrize("value", [True, 1.5, {"id": "p"}, ["p"]])
def test_previous_id_must_be_a_string(trackside: Running, value: Any) -> None:
    body = single("previousId must be a string", "previousId", "wrong_type")
    sent = {"messageId": "m", "userId": "u", "previousId": value}
    assert_refused(trackside, trackside.post("/v1/alias", sent), 400, body)

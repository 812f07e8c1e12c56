"""The specification's "Content-Type"."""

from __future__ import annotations

import pytest

from tests.running import KEY, Running, basic
from tests.spec.expectations import assert_accepted, record


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "text/plain;charset=UTF-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json; charset=utf-16",
        "not a type at all",
        "",
    ],
)
def test_body_is_read_as_json_whatever_its_content_type(trackside: Running, content_type: str) -> None:
    sent = {"messageId": f"type {content_type}", "userId": "ü", "event": "e"}
    response = trackside.post("/v1/track", sent, headers={"Content-Type": content_type})
    assert_accepted(trackside, response, record("track", sent))


def test_body_without_a_content_type_is_read_as_json(trackside: Running) -> None:
    request = trackside.http.build_request(
        "POST", "/v1/track", content=b'{"messageId":"none","userId":"u","event":"e"}', headers=basic(KEY)
    )
    assert "Content-Type" not in request.headers
    sent = {"messageId": "none", "userId": "u", "event": "e"}
    assert_accepted(trackside, trackside.http.send(request), record("track", sent))

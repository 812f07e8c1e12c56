"""The specification's "Authentication (optional)"."""

from __future__ import annotations

import base64

import pytest

from tests.running import Running
from tests.spec.expectations import MISSING_KEY, assert_accepted, assert_refused, kept_refused, record

SINGLE_ROUTES = [
    f"/v1/{path}" for path in ("identify", "track", "page", "screen", "group", "alias", "i", "t", "p", "s", "g", "a")
]


def event(message_id: str) -> dict[str, str]:
    """An event that every route of one event takes."""
    return {"messageId": message_id, "userId": "u", "event": "e", "groupId": "g", "previousId": "p"}


def test_basic_user_name_is_the_write_key(trackside: Running) -> None:
    credentials = base64.b64encode(b"my-source:").decode()
    sent = event("basic")
    response = trackside.post("/v1/page", sent, key=None, headers={"Authorization": f"Basic {credentials}"})
    assert_accepted(trackside, response, record("page", sent, writeKey="my-source"))


def test_example_of_the_specification_is_read_though_it_has_no_colon(trackside: Running) -> None:
    sent = event("example")
    response = trackside.post("/v1/page", sent, key=None, headers={"Authorization": "Basic SUxvdmVEYXRhMTIz"})
    assert_accepted(trackside, response, record("page", sent, writeKey="ILoveData123"))


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("basic bXktc291cmNlOg==", "my-source"),
        ("BASIC bXktc291cmNlOg==", "my-source"),
        ("Basic   bXktc291cmNlOg==", "my-source"),
        ("Basic bXktc291cmNlOnBhc3N3b3Jk", "my-source"),  # my-source:password
        ("Basic bXktc291cmNlOmE6Yg==", "my-source"),  # my-source:a:b
        ("Basic w7xiZXI6", "über"),
        ("Bearer my-source", "my-source"),
    ],
)
def test_other_ways_to_write_the_credentials(trackside: Running, header: str, key: str) -> None:
    sent = event(header)
    response = trackside.post("/v1/page", sent, key=None, headers={"Authorization": header})
    assert_accepted(trackside, response, record("page", sent, writeKey=key))


def test_authentication_is_optional_where_the_event_has_its_key(trackside: Running) -> None:
    sent = {**event("own"), "writeKey": "of-the-event"}
    assert_accepted(trackside, trackside.post("/v1/page", sent, key=None), record("page", sent))


def test_authentication_is_optional_where_the_batch_has_its_key(trackside: Running) -> None:
    sent = {**event("batch"), "type": "page"}
    response = trackside.post("/v1/batch", {"batch": [sent], "writeKey": "of-the-batch"}, key=None)
    assert_accepted(trackside, response, record("page", sent, writeKey="of-the-batch"))


def test_key_of_the_event_goes_before_the_batch_and_that_before_the_header(trackside: Running) -> None:
    own = {**event("1"), "type": "page", "writeKey": "of-the-event"}
    other = {**event("2"), "type": "page"}
    response = trackside.post("/v1/batch", {"batch": [own, other], "writeKey": "of-the-batch"}, key="of-the-header")
    assert_accepted(trackside, response, record("page", own), record("page", other, writeKey="of-the-batch"))
    last = {**event("3"), "type": "page", "writeKey": ""}
    response = trackside.post("/v1/batch", {"batch": [last], "writeKey": None}, key="of-the-header")
    assert_accepted(trackside, response, record("page", last, writeKey="of-the-header"))


@pytest.mark.parametrize("path", SINGLE_ROUTES)
def test_missing_key_is_the_documented_error(trackside: Running, path: str) -> None:
    assert_refused(trackside, trackside.post(path, event("no-key"), key=None), 400, MISSING_KEY)


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic Og==", "Basic !", "Basic /w==", "Digest bXktc291cmNlOg==", "Bearer", b"Basic \xe9"],
)
def test_credentials_without_a_key_are_a_missing_key(trackside: Running, header: str | bytes) -> None:
    response = trackside.post("/v1/page", event("bad"), key=None, headers={"Authorization": header})
    assert_refused(trackside, response, 400, MISSING_KEY)


def test_event_without_a_key_is_kept_with_the_refused(trackside: Running) -> None:
    assert_refused(trackside, trackside.post("/v1/page", event("kept"), key=None), 400, MISSING_KEY)
    kept = kept_refused(trackside, "kept")
    assert (kept["reason"], kept["field"], kept["type"]) == ("invalid_write_key", "writeKey", "page")

"""The specification's "Tracking Pixel"."""

from __future__ import annotations

import pytest

from tests.running import Running
from tests.spec.expectations import MISSING_KEY, MISSING_MESSAGE_ID, assert_refused_pixel, record, required

# The specification's URL byte for byte, without its host.
URL = (
    "/v1/pixel/track?data=ewogICAgImludGVncmF0aW9ucyI6IHt9LAogICAgImNvbnRleHQiOiB7CiAgICAgICAgInBhZ2UiOiB7CiAgICAgICAg"
    "ICAgICJwYXRoIjogIi9ob21lIgogICAgICAgIH0sCiAgICAgICAgImxpYnJhcnkiOiB7CiAgICAgICAgICAgICJuYW1lIjogImFuYWx5dGljcy5q"
    "cyIsCiAgICAgICAgICAgICJ2ZXJzaW9uIjogIjMuMi4yMSIKICAgICAgICB9CiAgICB9LAogICAgImV2ZW50IjogImV4YW1wbGUgZXZlbnQiLAog"
    "ICAgIm1lc3NhZ2VJZCI6ICIxMjM0NTY3ODkwIiwKICAgICJ0eXBlIjogInRyYWNrIiwKICAgICJ3cml0ZUtleSI6ICJleGFtcGxlIiwKICAgICJ1"
    "c2VySWQiOiAiMDk4NzY1NDMyMSIKfQ=="
)
PAYLOAD = {
    "integrations": {},
    "context": {"page": {"path": "/home"}, "library": {"name": "analytics.js", "version": "3.2.21"}},
    "event": "example event",
    "messageId": "1234567890",
    "type": "track",
    "writeKey": "example",
    "userId": "0987654321",
}
SUPPORTED = ["track", "page", "alias", "identify", "group"]


def test_url_of_the_example_queues_its_payload(trackside: Running) -> None:
    response = trackside.http.get(URL)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/gif")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.content.startswith(b"GIF89a\x01\x00\x01\x00")
    assert trackside.queued() == [record("track", PAYLOAD)]


@pytest.mark.parametrize("kind", [*SUPPORTED, "screen"])
def test_every_single_event_has_a_pixel(trackside: Running, kind: str) -> None:
    sent = {"messageId": kind, "userId": "u", "writeKey": "k", "event": "e", "groupId": "g", "previousId": "p"}
    response = trackside.pixel(kind, sent, key=None)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/gif")
    assert trackside.queued() == [record(kind, sent)]


@pytest.mark.parametrize("kind", SUPPORTED)
def test_pixel_without_a_key_is_an_image_that_says_so(trackside: Running, kind: str) -> None:
    sent = {"messageId": kind, "userId": "u", "event": "e", "groupId": "g", "previousId": "p"}
    assert_refused_pixel(trackside, trackside.pixel(kind, sent, key=None), 400, MISSING_KEY)


def test_pixel_follows_the_rules_of_its_kind(trackside: Running) -> None:
    assert_refused_pixel(trackside, trackside.pixel("track", {"messageId": "m", "userId": "u"}), 400, required("event"))
    assert_refused_pixel(trackside, trackside.pixel("page", {"userId": "u"}), 400, MISSING_MESSAGE_ID)

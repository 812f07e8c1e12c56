"""Events of a batch that are put together in columns are what they are one by one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trackside.v1 import collector_service_pb2 as proto

from event_model.jsontext import Raw
from http_front.event_decoder import read_event
from http_front.plain import read_events

TIMES = [
    "1970-01-01T00:00:00.000Z",
    "1970-01-01",
    "2026-11-23T08:00:00.123Z",
    "2026-11-23T08:00:00.123456789+02:00",
    "",
]
TEXTS = ["", "a", "naïve — 🎉", "x" * 200]
OBJECTS: list[dict[str, Any]] = [{}, {"a": [1, {"b": None}]}, {"note": "y" * 20_000}]
KINDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "track": {"event": st.sampled_from(TEXTS), "properties": st.sampled_from(OBJECTS)},
    "page": {"name": st.sampled_from(TEXTS), "properties": st.sampled_from(OBJECTS)},
    "identify": {"traits": st.sampled_from(OBJECTS)},
    "group": {"groupId": st.sampled_from(TEXTS), "traits": st.sampled_from(OBJECTS)},
    "alias": {"previousId": st.sampled_from(TEXTS)},
}
ENVELOPE = {
    **dict.fromkeys(("messageId", "userId", "anonymousId", "writeKey"), st.sampled_from(TEXTS)),
    **dict.fromkeys(("timestamp", "sentAt", "originalTimestamp"), st.sampled_from(TIMES)),
    **dict.fromkeys(("context", "integrations"), st.sampled_from(OBJECTS)),
    "receivedAt": st.just("2001-01-01T00:00:00Z"),
}
EVENTS = st.one_of(
    [st.fixed_dictionaries({"type": st.just(name)}, optional=ENVELOPE | own) for name, own in KINDS.items()]
)


def text(event: Any) -> Raw:
    return Raw(json.dumps(event).encode())


@given(st.lists(EVENTS, min_size=1, max_size=12))
def test_entries_are_the_same(events: list[dict[str, Any]]) -> None:
    texts = [text(event) for event in events]
    entries = read_events(texts)
    assert entries is not None
    assert [proto.Entry.FromString(entry) for entry in entries] == [
        proto.Entry.FromString(read_event(each, None)) for each in texts
    ]


@pytest.mark.parametrize(
    "other",
    [
        {"type": "track", "further": 1},
        {"type": "track", "userId": 7},
        {"type": "track", "properties": []},
        {"type": "track", "timestamp": "yesterday"},
        {"type": "track", "timestamp": "0001-01-01T00:00:00+14:00"},
        {"type": "nothing"},
        {"userId": "u"},
        [],
    ],
)
def test_event_that_is_not_plain_is_left_to_the_long_way(other: Any) -> None:
    plain = {"type": "track", "userId": "u", "event": "e"}
    assert read_events([text(plain), text(other), text(plain)]) is None

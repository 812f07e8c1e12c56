"""Struct and Context, the comfortable forms of free-form fields: what the record has of them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.context_pb2 import Context
from trackside.v1.event_pb2 import Event, Group, Identify, Page, Track

from tests.doors import attempted, collect, collect_batch
from tests.running import KEY, Running

# The specification's "Context Object Fields", every one.
DOCUMENTED: dict[str, Any] = {
    "active": False,
    "app": {"name": "Trackside", "version": "1.2", "build": "34"},
    "campaign": {"name": "spring", "source": "mail", "medium": "email", "term": "towel", "content": "top"},
    "device": {"id": "d", "manufacturer": "m", "model": "mo", "name": "n", "type": "ios", "version": "17"},
    "ip": "203.0.113.7",
    "library": {"name": "analytics.js", "version": "3.2.21"},
    "locale": "en-US",
    "location": {
        "city": "Islington",
        "country": "UK",
        "latitude": 51.5,
        "longitude": 0,
        "region": "London",
        "speed": 0.25,
    },
    "network": {"bluetooth": False, "carrier": "c", "cellular": True, "wifi": False},
    "os": {"name": "Linux", "version": "6"},
    "page": {"hash": "#a", "path": "/a", "referrer": "r", "search": "?q", "title": "t", "url": "https://a/"},
    "referrer": {"type": "t", "name": "n", "url": "u", "link": "l"},
    "screen": {"density": 2, "height": 1080, "width": 1920.5},
    "timezone": "America/New_York",
    "groupId": "g-1",
    "traits": {"name": "Arthur", "tags": ["a", None, {"b": [1.5]}]},
    "userAgent": "Mozilla/5.0",
}


@pytest.fixture
def recorded(trackside: Running, request: pytest.FixtureRequest) -> Any:
    """Sends events of a test, with the same delivery, and gives their records."""
    names = (f"{request.node.name} {number}" for number in range(100))

    def recorded(*events: Event, **delivery: Any) -> list[dict[str, Any]]:
        for event in events:
            event.message_id, event.user_id = next(names), "u"
        trackside.lines()
        entries = [proto.Entry(event=event) for event in events]
        deliveries = [proto.Delivery(write_key=KEY, **delivery)]
        answer = collect_batch(trackside, proto.CollectBatchRequest(entries=entries, deliveries=deliveries))
        assert not answer.refusals
        return trackside.queued()

    return recorded


def unset(message: Message, path: str = "") -> Iterator[str]:
    """The fields of a message, and of those in it, that are not set."""
    present = {field.name: value for field, value in message.ListFields()}
    for field in message.DESCRIPTOR.fields:
        if field.name not in present:
            yield f"{path}{field.name}"
        elif isinstance(value := present[field.name], Message) and not isinstance(value, Struct):
            yield from unset(value, f"{path}{field.name}.")


def test_every_documented_field_of_a_context_is_in_the_record(recorded: Any) -> None:
    context = ParseDict(DOCUMENTED, Context())
    assert list(unset(context)) == []
    (record,) = recorded(Event(context=context, page=Page()))
    assert record["context"] == DOCUMENTED


def test_unset_fields_of_a_context_are_left_out(recorded: Any) -> None:
    context = ParseDict({"active": True, "locale": "", "app": {}, "location": {"latitude": 0, "city": ""}}, Context())
    (record,) = recorded(Event(context=context, page=Page()))
    assert record["context"] == {"active": True, "app": {}, "location": {"latitude": 0}}


def test_sender_fills_in_a_context_that_is_typed(recorded: Any) -> None:
    events = [
        Event(context=Context(locale="de"), page=Page()),
        Event(context=Context(ip="1.2.3.4", user_agent="own"), page=Page()),
        Event(context=Context(), page=Page()),
    ]
    records = recorded(*events, ip="5.6.7.8", user_agent="the sender's")
    assert [record["context"] for record in records] == [
        {"locale": "de", "ip": "5.6.7.8", "userAgent": "the sender's"},
        {"ip": "1.2.3.4", "userAgent": "own"},
        {"ip": "5.6.7.8", "userAgent": "the sender's"},
    ]


def test_forms_may_be_mixed_between_an_event_and_its_delivery(recorded: Any) -> None:
    typed = {"app": {"name": "typed"}, "os": {"name": "x"}}
    text = '{"app":{"name":"text","build":"1"},"mine":1e400}'
    (below,) = recorded(Event(context_json=text, page=Page()), context=ParseDict(typed, Context()))
    (above,) = recorded(Event(context=ParseDict(typed, Context()), page=Page()), context_json=text)
    assert below["context"] == {"app": {"name": "text", "build": "1"}, "mine": math.inf, "os": {"name": "x"}}
    assert above["context"] == {"app": {"name": "typed", "build": "1"}, "os": {"name": "x"}, "mine": math.inf}


STRUCTS: list[dict[str, Any]] = [
    {},
    {"": ""},
    {"null": None, "yes": True, "no": False, "text": 'é"\\\n\u0000\u2028🙂', "list": [[], {}, [None, 1, "a"]]},
    {"deep": {"deep": {"deep": {"deep": [{"deep": 1}]}}}},
    {"type": "x", "writeKey": "x", "receivedAt": "x"},
]


@pytest.mark.parametrize("content", STRUCTS)
def test_struct_is_the_object_that_it_stands_for(recorded: Any, content: dict[str, Any]) -> None:
    events = [
        Event(identify=Identify(traits=content)),
        Event(group=Group(group_id="g", traits=content)),
        Event(track=Track(event="E", properties=content)),
        Event(page=Page(), integrations=content),
    ]
    identify, group, track, page = recorded(*events)
    assert [identify["traits"], group["traits"], track["properties"], page["integrations"]] == [content] * 4


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0.0, "0"),
        (-0.0, "-0.0"),
        (1.0, "1"),
        (-17.0, "-17"),
        (0.1, "0.1"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e308"),
        (2.0**53 - 1, "9007199254740991"),
        (2.0**53, "9007199254740992.0"),
        (1e15, "1000000000000000"),
        (math.nan, "null"),
        (math.inf, "null"),
        (-math.inf, "null"),
    ],
)
def test_number_of_a_struct_is_written_so_that_it_is_read_as_the_same(
    trackside: Running, recorded: Any, number: float, written: str
) -> None:
    properties = Struct()
    properties["n"] = number
    (record,) = recorded(Event(track=Track(event="E", properties=properties)))
    got = record["properties"]["n"]
    if written == "null":
        assert got is None
    else:
        assert got == number
        assert math.copysign(1, got) == math.copysign(1, number)
        assert isinstance(got, int) == written.lstrip("-").isdigit()


def test_value_of_a_struct_that_says_nothing_is_null(recorded: Any) -> None:
    properties = Struct()
    properties.fields["n"].SetInParent()
    properties.fields["l"].list_value.values.add()
    (record,) = recorded(Event(track=Track(event="E", properties=properties)))
    assert json.dumps(record["properties"], sort_keys=True) == '{"l": [null], "n": null}'


@pytest.mark.parametrize(("levels", "accepted"), [(32, True), (34, False)])
def test_struct_that_nests_deeper_than_protobuf_reads_is_the_callers_fault(
    trackside: Running, levels: int, accepted: bool
) -> None:
    request = proto.CollectRequest(delivery=proto.Delivery(write_key=KEY))
    request.event.message_id, request.event.user_id = f"{levels} levels", "u"
    inner = request.event.page.properties
    for _ in range(levels - 1):
        inner = inner.get_or_create_struct("a")
    outcome = attempted(lambda: collect(trackside, request))
    assert outcome == (proto.OUTCOME_ACCEPTED if accepted else grpc.StatusCode.INVALID_ARGUMENT)

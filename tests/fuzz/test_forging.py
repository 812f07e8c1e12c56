"""No input makes a record that says of itself what the service alone says."""

from __future__ import annotations

import json
from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event, Page

from tests.doors import Texts, attempted, collect, collect_batch, text_of
from tests.fuzz.profile import examples
from tests.running import KEY, NOW_TEXT, Running

STAMPED = ("writeKey", "receivedAt", "type", "messageId")
_FORGED = '"forged"'


def _spelt(name: str, escaped: list[bool]) -> str:
    """A name as a JSON string, some of its letters as escapes."""
    return (
        '"' + "".join(f"\\u{ord(char):04x}" if each else char for char, each in zip(name, escaped, strict=True)) + '"'
    )


_names = st.sampled_from([*STAMPED, "timestamp", "sentTimestamp", "WriteKey", "writeKey ", "x"]).flatmap(
    lambda name: st.lists(st.booleans(), min_size=len(name), max_size=len(name)).map(lambda bits: _spelt(name, bits))
)
_values = st.sampled_from(
    [_FORGED, '"page"', "null", '""', "1", "true", "{}", '{"writeKey":"forged"}', '["forged"]', r'"\ud800"', "NaN"]
)
_space = st.sampled_from(["", " ", "\n", "\t\r\n"])
_no_space = st.sampled_from(["", "\u00a0", "\ufeff", "\x00", "\x0b", "\x1c"])
_members = st.builds("{0}{1}{0}:{2}{0}".format, _space, _names, _values)
_splices = st.sampled_from(
    [
        "}",
        "{",
        "},{",
        '"}',
        '\\"}',
        ',"writeKey":"forged"',
        '},"writeKey":"forged","x":{',
        '{},"writeKey":"forged"',
        '{"a":1}},"writeKey":"forged","receivedAt":"forged","x":{"b":1}',
        '{"a":1},"type":"alias"',
        '{"a":"\\',
        '{"a":"\\u0022}',
        '{"a":1}//',
        '{"a":1} {"writeKey":"forged"}',
        '[],"messageId":"forged"',
        '{"a":1}\x00',
        '{"a":"\n","writeKey":"forged"}',
        "\u2028",
        "",
    ]
)


def _object(members: list[str], space: str) -> str:
    return f"{space}{{{','.join(members)}}}{space}"


_attacks = st.one_of(
    st.builds(_object, st.lists(_members, max_size=4), _space),
    st.builds(_object, st.lists(_members, max_size=4), _no_space),
    _splices,
)


def stamped(line: bytes) -> dict[str, Any]:
    """What a record says of itself. None of its members may have the name of another."""
    members: list[tuple[str, Any]] = json.loads(line, object_pairs_hook=lambda pairs: pairs)
    record = dict(members)
    assert len(record) == len(members), line
    return {name: record[name] for name in STAMPED}


def mended(event: str) -> str:
    """As the front reads it."""
    return event.replace("NaN", "null").replace(r"\ud800", "\ufffd").removeprefix("\ufeff")


def _with(members: list[str], position: int, properties: str) -> str:
    """An event with more members at some place among its own."""
    own = ['"type":"track"', '"messageId":"m"', '"userId":"u"', '"event":"E"', f'"properties":{properties}']
    return "{" + ",".join([*own[:position], *members, *own[position:]]) + "}"


_events = st.builds(_with, st.lists(_members, max_size=2), st.integers(0, 5), st.one_of(st.just("{}"), _attacks))


@given(event=_events, context=_attacks, beside=st.lists(_members, max_size=2))
@examples(80)
def test_json_forges_nothing(trackside: Running, event: str, context: str, beside: list[str]) -> None:
    batch = "{" + ",".join([*beside, f'"batch":[{event}]', f'"context":{context}']) + "}"
    trackside.lines()
    accepted = {
        "single": trackside.post("/v1/track", event.encode()),
        "pixel": trackside.pixel("track", event.encode()),
        "webhook": trackside.post("/v1/webhook", event.encode(), params={"writeKey": "hook"}),
        "batch": trackside.post("/v1/batch", batch.encode()),
    }
    doors = [name for name, response in accepted.items() if response.status_code == 200]
    lines = trackside.lines()
    assert len(lines) == len(doors)
    for door, line in zip(doors, lines, strict=True):
        said = json.loads(mended(event)) if door != "batch" else json.loads(mended(batch))["batch"][0]
        key = said.get("writeKey") or KEY
        if door == "batch":  # what breaks out of an event is the batch's own
            key = said.get("writeKey") or json.loads(mended(batch)).get("writeKey") or KEY
        assert stamped(line) == {
            "writeKey": "hook" if door == "webhook" else key,
            "receivedAt": NOW_TEXT,
            "type": said.get("type") or "track",
            "messageId": said["messageId"],
        }


@given(
    texts=st.dictionaries(st.sampled_from(["extra_json", "context_json", "integrations_json"]), _attacks),
    properties=_attacks,
    for_all=st.dictionaries(st.sampled_from(["context_json", "integrations_json"]), _attacks),
    strings=st.dictionaries(st.sampled_from(["user_id", "anonymous_id"]), _splices),
)
@examples(130)
def test_protobuf_forges_nothing(
    trackside: Running, texts: Texts, properties: str, for_all: Texts, strings: Texts
) -> None:
    event = Event(message_id="m", user_id="u")
    for name, text in {**texts, **strings}.items():
        setattr(event, name, text)
    event.track.event = strings.get("user_id") or "E"
    event.track.properties_json = properties
    delivery = proto.Delivery(write_key=KEY)
    for name, text in for_all.items():
        setattr(delivery, name, text)
    trackside.lines()
    answer = attempted(lambda: collect(trackside, proto.CollectRequest(event=event, delivery=delivery)))
    assert answer in (proto.OUTCOME_ACCEPTED, grpc.StatusCode.INVALID_ARGUMENT)
    neighbour = Event(message_id="n", user_id="u", page=Page())
    entries = [proto.Entry(event=neighbour), proto.Entry(event=event)]
    outcomes = collect_batch(trackside, proto.CollectBatchRequest(entries=entries, deliveries=[delivery])).outcomes
    accepted = [answer, *outcomes].count(proto.OUTCOME_ACCEPTED)
    lines = trackside.lines()
    assert len(lines) == accepted
    for line in lines:
        said = stamped(line)
        own = {"type": "page", "messageId": "n"} if said["messageId"] == "n" else {"type": "track", "messageId": "m"}
        assert said == {"writeKey": KEY, "receivedAt": NOW_TEXT, **own}


@pytest.mark.parametrize("name", [*STAMPED, "timestamp", "sentTimestamp"])
def test_extra_json_may_name_no_stamped_member_however_it_is_spelt(trackside: Running, name: str) -> None:
    for bits in range(1 << len(name)) if len(name) < 5 else (0, 1, 2, (1 << len(name)) - 1):
        spelt = _spelt(name, [bool(bits >> at & 1) for at in range(len(name))])
        for extra in (f'{{"a":1,{spelt}:"forged"}}', f'{{{spelt}:1,{spelt}:2,"a":1}}', f"{{ {spelt} :\n{{}}}}"):
            event = Event(message_id="m", user_id="u", page=Page(), extra_json=extra)
            delivery = proto.Delivery(write_key=KEY)
            request = proto.CollectBatchRequest(entries=[proto.Entry(event=event)], deliveries=[delivery])
            (refusal,) = collect_batch(trackside, request).refusals
            assert (refusal.reason, refusal.field) == (proto.REASON_RESERVED_MEMBER, name)


def test_properties_may_name_what_they_like(trackside: Running) -> None:
    properties = text_of(dict.fromkeys(STAMPED, _FORGED))
    event = text_of({"messageId": '"m"', "userId": '"u"', "event": '"E"', "properties": properties})
    trackside.lines()
    assert trackside.post("/v1/track", event).status_code == 200
    (record,) = trackside.queued()
    assert record["properties"] == dict.fromkeys(STAMPED, "forged")
    assert (record["writeKey"], record["messageId"]) == (KEY, "m")

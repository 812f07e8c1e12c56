"""Free-form texts are checked together with those of other events, and each gets the verdict that it gets alone."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event, Group, Identify, Page, Track

from event_model.schema import LIMITS
from tests.doors import collect_batch
from tests.running import KEY, Running

_names = itertools.count()

ACCEPTED, REFUSED = proto.OUTCOME_ACCEPTED, proto.OUTCOME_REFUSED
PLACES = ["context", "integrations", "properties", "traits", "extra_json"]


def event(place: str, text: str) -> Event:
    """An event with a text in this place: a member's name, or `extra_json`."""
    made = Event(message_id=f"text {next(_names):05}", user_id="u")
    match place:
        case "properties":
            made.track.CopyFrom(Track(event="E", properties_json=text))
        case "traits":
            made.group.CopyFrom(Group(group_id="g", traits_json=text))
        case "extra_json":
            made.page.CopyFrom(Page())
            made.extra_json = text
        case _:
            made.identify.CopyFrom(Identify(traits_json="{}"))
            setattr(made, f"{place}_json", text)
    return made


def told(trackside: Running, *events: Event, **delivery: Any) -> proto.CollectBatchResponse:
    trackside.lines()
    entries = [proto.Entry(event=each) for each in events]
    deliveries = [proto.Delivery(write_key=KEY, **delivery)]
    return collect_batch(trackside, proto.CollectBatchRequest(entries=entries, deliveries=deliveries))


def objects(levels: int) -> str:
    """The shortest text of one object that nests so deep and has no array."""
    return '{"":' * (levels - 1) + "{}" + "}" * (levels - 1)


def arrays(levels: int) -> str:
    """The shortest text of one object that nests so deep."""
    return '{"":' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


@pytest.mark.parametrize("nest", [objects, arrays])
@pytest.mark.parametrize("place", PLACES)
def test_text_nests_as_deep_as_the_limit_and_no_deeper(trackside: Running, place: str, nest: Any) -> None:
    # The members of `extra_json` are members of the record: each may nest as deep as the others.
    limit = LIMITS.nesting + (place == "extra_json")
    deepest, deeper, shallow = nest(limit), nest(limit + 1), '{"a":1}'
    answer = told(trackside, event(place, shallow), event(place, deepest), event(place, deeper), event(place, shallow))
    assert list(answer.outcomes) == [ACCEPTED, ACCEPTED, REFUSED, ACCEPTED]
    (refusal,) = answer.refusals
    assert refusal.reason == proto.REASON_NESTED_TOO_DEEP
    assert len(trackside.lines()) == 3


@pytest.mark.parametrize("place", ["context", "integrations"])
def test_text_with_a_delivery_beneath_it_nests_as_deep_as_the_limit(trackside: Running, place: str) -> None:
    texts = [arrays(LIMITS.nesting), arrays(LIMITS.nesting + 1), '{"own":{"a":[1]}}']
    answer = told(trackside, *[event(place, text) for text in texts], **{f"{place}_json": '{"own":{"b":2}}'})
    assert list(answer.outcomes) == [ACCEPTED, REFUSED, ACCEPTED]
    assert [record[place]["own"] for record in trackside.queued()] == [{"b": 2}, {"a": [1], "b": 2}]


BAD = {
    "": [],
    "malformed": ["{", '{"a":[1', "2]}", "{},{}", '{"a":1}}', "{}{}", "nonsense", '{"a":"\n"}', '{"a":1,}'],
    "no object": ["[]", "1", '"{}"', "null", "[{}]"],
    "deep": ["[" * 5_000 + "]" * 5_000, '{"a":' * 2_000 + "1" + "}" * 2_000],
}


@pytest.mark.parametrize("place", PLACES)
def test_bad_texts_are_refused_and_their_neighbours_are_not(trackside: Running, place: str) -> None:
    bad = [text for texts in BAD.values() for text in texts]
    # Two that would be one object together, and one that would be two, stand side by side.
    texts = [text for index, each in enumerate(bad) for text in (each, f'{{"good":{index}}}')]
    answer = told(trackside, *[event(place, text) for text in [*texts, *bad]])
    expected = [REFUSED, ACCEPTED] * len(bad) + [REFUSED] * len(bad)
    assert list(answer.outcomes) == expected
    alone = [told(trackside, event(place, text)).refusals[0] for text in bad]
    together = [(each.reason, each.field, each.description) for each in answer.refusals]
    assert together == [(each.reason, each.field, each.description) for each in [*alone, *alone]]


def test_first_bad_text_of_an_event_is_named(trackside: Running) -> None:
    every = Event(
        message_id="every",
        user_id="u",
        context_json="{",
        integrations_json="[]",
        extra_json='{"userId":1}',
        track=Track(event="E", properties_json="1"),
    )
    named: list[str] = []
    for field in ("context_json", "integrations_json", "properties_json", "extra_json"):
        (refusal,) = told(trackside, event("properties", "{}"), every).refusals
        named.append(refusal.field)
        setattr(every.track if field == "properties_json" else every, field, "{}")
    assert named == ["context", "integrations", "properties", "userId"]
    assert not told(trackside, every).refusals


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("text", "member"), [('{"a":NaN}', None), ('{"a":\n[1,\r\n2]}', [1, 2]), ('{"a":"\\ud83d"}', "�")]
)
def test_mended_text_leaves_its_neighbours_as_they_were_sent(
    trackside: Running, place: str, text: str, member: Any
) -> None:
    spelled = '{"z": 1e2,  "a":[ 1.0 ]}'
    told(trackside, event(place, spelled), event(place, text), event(place, spelled))
    before, mended, after = trackside.lines()
    record = json.loads(mended)
    assert (record if place == "extra_json" else record[place])["a"] == member
    assert b"1e2" in before
    assert b"[ 1.0 ]" in before
    assert [b"\n" in line or b"\r" in line for line in (before, mended, after)] == [False] * 3
    for line in (before, after):
        content = json.loads(line)
        assert (content if place == "extra_json" else content[place])["a"] == [1.0]


def test_further_member_that_the_last_of_its_name_replaces_is_checked_too(trackside: Running) -> None:
    deep = arrays(LIMITS.nesting + 1)
    answer = told(
        trackside, event("extra_json", f'{{"a":{deep},"a":1}}'), event("extra_json", '{"writeKey":1,"writeKey":2}')
    )
    assert [refusal.reason for refusal in answer.refusals] == [
        proto.REASON_NESTED_TOO_DEEP,
        proto.REASON_RESERVED_MEMBER,
    ]


def test_each_event_gets_what_its_own_sender_says(trackside: Running) -> None:
    said = [("192.0.2.1", "one"), ("192.0.2.2", "two"), ("192.0.2.1", "two"), ("", ""), ("192.0.2.1", "one")]
    deliveries = [proto.Delivery(write_key=KEY, ip=ip, user_agent=agent) for ip, agent in said]
    texts = ["", '{"a":1}', '{"a":1}', '{"ip":"own","userAgent":null}']
    entries = [
        proto.Entry(event=event("context", text), delivery=index) for text in texts for index in range(len(deliveries))
    ]
    trackside.lines()
    answer = collect_batch(trackside, proto.CollectBatchRequest(entries=entries, deliveries=deliveries))
    assert not answer.refusals
    expected: list[Any] = []
    for text in texts:
        for ip, agent in said:
            own = json.loads(text or "{}")
            filled = {"ip": ip, "userAgent": agent} if ip else {}
            expected.append({**filled, **own} if filled or text else None)
    assert [record.get("context") for record in trackside.queued()] == expected


def test_events_of_all_kinds_keep_their_order(trackside: Running) -> None:
    places = [*PLACES, "properties", "context", "extra_json", "traits"] * 20  # more than one turn of the event loop
    sent = [event(place, '{"a":1}') for place in places]
    assert not told(trackside, *sent).refusals
    assert [record["messageId"] for record in trackside.queued()] == [each.message_id for each in sent]

"""An event's JSON text becomes the entry that a simple reading of it expects, whatever stands beside it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import example, given
from hypothesis import strategies as st
from trackside.v1 import collector_service_pb2 as proto

from event_model import schema
from event_model.jsontext import Malformed, Raw
from http_front import timestamps
from http_front.errors import Rejected
from http_front.event_decoder import encode_defaults, member_encoders
from http_front.parsed_request import ParsedRequest
from tests.fuzz.profile import examples

LIMIT = 30_000
ABSENT = ("null", '""')
TIMES = {
    '"1970-01-01T00:00:00.000Z"': (0, 0),
    '"1970-01-01"': (0, 0),
    '"1969-12-31T23:59:59.25Z"': (-1, 250_000_000),
    '"2026-11-23T08:00:00.123Z"': (1_795_420_800, 123_000_000),
    '"2026-11-23T08:00:00Z"': (1_795_420_800, 0),
    '"2026-11-23T08:00:00.123456+00:00"': (1_795_420_800, 123_456_000),
    '"2026-11-23T08:00:00.123456789+02:00"': (1_795_413_600, 123_456_789),
    '"2026\\u002d11-23 08:00"': (1_795_420_800, 0),
    '"20261123T080000.123"': (1_795_420_800, 123_000_000),
    '"2026-327t07:59:60.12345678901z"': (1_795_420_800, 123_456_789),
    '"2026-11-22T24:00:00-08:00"': (1_795_420_800, 0),
    '"1970-01-01T01:00:00+01:00"': (0, 0),
}
NO_TIMES = (
    '"yesterday"',
    '"20261123080000Z"',
    '"1795420800123"',
    '"2026-11-23T08+01:00.123Z"',
    '"2026-02-30T08:00:00.000Z"',
    '"0001-01-01T00:00:00+14:00"',
    '" "',
)
STRINGS = ('"a"', '"na\\u00efve \\"—\\" 🎉"', f'"{"x" * 200}"')
INTEGERS = ("7", "-0", "123456789012345678901234567890")
OBJECTS = ("{}", '{ "a" : [1.0, {"b": null}] }', f'{{"note":"{"y" * 300}"}}')
OTHERS = ("1.5", "1e3", "true", "[1]", "[[]]")
EVERY = (*ABSENT, *TIMES, *NO_TIMES, *STRINGS, *INTEGERS, *OBJECTS, *OTHERS, "[]", "[ ]")
USUAL = {"string": (*STRINGS, *ABSENT), "time": (*TIMES, *ABSENT), "object": (*OBJECTS, *ABSENT)}
IDS = {"userId", "anonymousId", "groupId", "previousId"}

ENVELOPE = {
    "messageId": "string",
    "userId": "string",
    "anonymousId": "string",
    "writeKey": "string",
    "timestamp": "time",
    "sentAt": "time",
    "originalTimestamp": "time",
    "context": "object",
    "integrations": "object",
}
KINDS = {
    "track": {"event": "string", "properties": "object"},
    "page": {"name": "string", "properties": "object"},
    "screen": {"name": "string", "properties": "object"},
    "identify": {"traits": "object"},
    "group": {"groupId": "string", "traits": "object"},
    "alias": {"previousId": "string"},
}
FIELDS = {
    "messageId": "message_id",
    "userId": "user_id",
    "anonymousId": "anonymous_id",
    "writeKey": "write_key",
    "sentAt": "sent_at",
    "originalTimestamp": "original_timestamp",
    "groupId": "group_id",
    "previousId": "previous_id",
    **{name: f"{name}_json" for name in ("context", "integrations", "properties", "traits")},
}
UNNAMED = ("_metadata", "channel", "eventName", "user_id", 'é "\\', "extraJson", "")

Members = dict[str, str]
"""Texts by names."""
Told = tuple[str, str]
"""The reason for which an event is refused, and the member at fault."""


def usual(members: dict[str, str]) -> dict[str, st.SearchStrategy[str]]:
    return {name: st.sampled_from(USUAL[kind]) for name, kind in members.items()}


DOCUMENTED = st.one_of(
    [
        st.fixed_dictionaries({"type": st.just(f'"{kind}"')}, optional=usual(ENVELOPE | own))
        for kind, own in KINDS.items()
    ]
)
UNUSUAL = st.dictionaries(
    st.sampled_from([*ENVELOPE, *{name for own in KINDS.values() for name in own}, *UNNAMED, "receivedAt", "type"]),
    st.sampled_from(EVERY),
    max_size=2,
)
NOTHING: Members = {}


def with_unusual(event: Members, unusual: Members) -> Members:
    return {**event, **unusual}


EVENTS = st.builds(with_unusual, DOCUMENTED, st.just(NOTHING) | UNUSUAL)


def text(members: Members) -> Raw:
    return Raw(
        ("{" + ", ".join([f"{json.dumps(n, ensure_ascii=False)}: {t}" for n, t in members.items()]) + "}").encode()
    )


def expected(members: Members, route: str | None = None) -> proto.Entry | Told:
    kind = said = members.get("type", "null")
    if said not in ABSENT and not said.startswith('"'):
        return "WRONG_TYPE", "type"
    if said in ABSENT:
        if route is None:
            return "REQUIRED", "type"
        kind = json.dumps(route)
    name = json.loads(kind)
    if route and name != route:
        return "TYPE_MISMATCH", "type"
    if name not in KINDS:
        return "UNKNOWN_TYPE", "type"
    if name == "track" and "eventName" in members and members.get("event", '""') in ABSENT:
        order = {**members, "event": members["eventName"]}
        members = {name: value for name, value in order.items() if name != "eventName"}
    entry = proto.Entry()
    own: Any = getattr(entry.event, name)
    own.SetInParent()
    extra: Members = {}
    for member, value in members.items():
        message: Any = entry.event if member in ENVELOPE else own
        type_ = (ENVELOPE | KINDS[name]).get(member)
        if type_ is None:
            if member not in ("type", "receivedAt"):
                extra[member] = value
        elif value not in ABSENT and (told := put(message, member, type_, value)):
            return told, member
    if extra:
        entry.event.extra_json = (
            "{" + ",".join([f"{json.dumps(n, ensure_ascii=False)}:{t}" for n, t in extra.items()]) + "}"
        )
    return entry


def put(message: Any, name: str, type_: str, value: str) -> str:
    """Set a member; or the reason for which it is refused."""
    content = json.loads(value)
    field = FIELDS.get(name, name)
    if type_ == "string" and name in IDS and value in INTEGERS:
        content = value
    if type_ == "object" and content == []:
        content, value = {}, "{}"
    if not isinstance(content, dict if type_ == "object" else str):
        return "WRONG_TYPE"
    if type_ == "time":
        if value not in TIMES:
            return "INVALID_TIMESTAMP"
        seconds, nanos = TIMES[value]
        getattr(message, field).CopyFrom(Timestamp(seconds=seconds, nanos=nanos))
    else:
        setattr(message, field, value if type_ == "object" else content)
    return ""


def decoded(entry: bytes) -> proto.Entry | Told:
    message = proto.Entry.FromString(entry)
    if not message.HasField("refused"):
        return message
    return proto.Reason.Name(message.refused.reason).removeprefix("REASON_"), message.refused.field


def string_or_nothing(value: str) -> str:
    return json.loads(value) if value.startswith('"') else ""


def added(event: Members, limit: int = LIMIT, kind: schema.Kind | None = None) -> proto.Entry:
    parsed = ParsedRequest("batch")
    parsed.add(text(event), limit, kind)
    (entry,) = parsed.entries
    return proto.Entry.FromString(entry)


@given(st.lists(EVENTS, min_size=1, max_size=12))
@examples(300)
def test_events_of_a_batch_are_as_expected(events: list[Members]) -> None:
    parsed = ParsedRequest("batch")
    texts = [text(event) for event in events]
    assert len([*parsed.add_all(texts, LIMIT)]) == 1
    assert [decoded(entry) for entry in parsed.entries] == [*map(expected, events)]
    assert parsed.message_ids() == [string_or_nothing(event.get("messageId", "")) for event in events]


@given(EVENTS, st.sampled_from([*KINDS]))
@examples(300)
def test_event_of_a_route_is_as_expected(event: Members, route: str) -> None:
    parsed = ParsedRequest("single")
    parsed.add(bytes(text(event)), LIMIT, schema.KINDS[route])
    assert [decoded(entry) for entry in parsed.entries] == [expected(event, route)]


@given(EVENTS)
@examples(300)
def test_refused_event_is_kept_with_what_can_be_read_of_it(event: Members) -> None:
    sent = {**event, "sentAt": "[]"}
    refused = added(sent).refused
    type_ = string_or_nothing(event.get("type", ""))
    assert refused.payload == bytes(text(sent))
    assert refused.type == (type_ if type_ in KINDS else "")
    assert refused.write_key == string_or_nothing(event.get("writeKey", ""))
    assert refused.message_id == string_or_nothing(event.get("messageId", ""))


@pytest.mark.parametrize("event", [None, "null", '""', '"e"', "7"])
@pytest.mark.parametrize("alias", ["null", '""', '"a"', "7"])
def test_alias_is_read_where_the_member_itself_is_absent(event: str | None, alias: str) -> None:
    sent: Members = {"type": '"track"', **({} if event is None else {"event": event}), "eventName": alias}
    assert decoded(added(sent).SerializeToString()) == expected(sent)


@pytest.mark.parametrize("type_", ["null", '"nothing"', '"page"', "[]"])
def test_refused_event_of_a_route_has_its_own_type_if_there_is_such_else_the_route_s(type_: str) -> None:
    sent = {"type": type_, "context": "[0]"}
    own = "page" if type_ == '"page"' else ""
    assert added(sent).refused.type == own
    assert added(sent, kind=schema.KINDS["alias"]).refused.type == (own or "alias")


@pytest.mark.parametrize("note", ["x" * 100, "é" * 100])
def test_limit_counts_bytes_and_the_largest_event_is_accepted(note: str) -> None:
    sent: Members = {"type": '"page"', "messageId": '"m"', "note": f'"{note}"'}
    size = len(bytes(text(sent)))
    assert added(sent, size) == expected(sent)
    refused = added(sent, size - 1).refused
    assert (refused.reason, refused.message_id) == (proto.REASON_EVENT_TOO_LARGE, "m")
    assert refused.description == f"The event has {size} bytes, {size - 1} are allowed"


def test_event_far_over_the_limit_is_not_looked_into() -> None:
    sent: Members = {"type": '"page"', "messageId": '"m"', "note": f'"{"x" * 65_536}"'}
    refused = added(sent).refused
    assert (refused.reason, refused.message_id, refused.type) == (proto.REASON_EVENT_TOO_LARGE, "", "")


def test_refusal_of_the_whole_request_takes_the_place_of_its_events() -> None:
    parsed = ParsedRequest("batch")
    parsed.add(b'{"type":"page"}', LIMIT)
    parsed.refuse(Rejected(proto.REASON_MALFORMED_JSON, "", "why"), b'{"messageId":"m"}')
    assert [*map(decoded, parsed.entries)] == [("MALFORMED_JSON", "")]
    assert parsed.message_ids() == [None]


def test_large_event_is_decoded_and_the_payload_of_a_refused_one_is_cut_off() -> None:
    large: Members = {"type": '"page"', "messageId": '"m"', "properties": f'{{"note":"{"y" * 20_000}"}}'}
    assert large["properties"] == added(large).event.page.properties_json
    refused = added({**large, "sentAt": "[]"}).refused
    assert refused.payload == bytes(text(large))[:16_384]
    assert (refused.message_id, refused.type) == ("m", "page")


@pytest.mark.parametrize(
    ("odd", "told"),
    [
        ('{"type":"track","userId":[]}', ("WRONG_TYPE", "userId")),
        ('{"type":"track","timestamp":"yesterday"}', ("INVALID_TIMESTAMP", "timestamp")),
        ('{"type":"nothing"}', ("UNKNOWN_TYPE", "type")),
        ('{"userId":"u"}', ("REQUIRED", "type")),
        ("[]", ("NOT_AN_OBJECT", "")),
        ("null", ("NOT_AN_OBJECT", "")),
        (f'{{"type":"track","context":{{"x":{"[" * 5_000}{"]" * 5_000}}}}}', ("NESTED_TOO_DEEP", "")),
        (f'{{"type":"track","note":"{"x" * LIMIT}"}}', ("EVENT_TOO_LARGE", "")),
    ],
)
def test_event_that_is_refused_leaves_its_neighbours_as_they_are(odd: str, told: Told) -> None:
    neighbour: Members = {"type": '"track"', "userId": '"u"', "event": '"e"', "_metadata": "{}"}
    texts = [text(neighbour)] * 100
    texts[70] = Raw(odd.encode())
    parsed = ParsedRequest("batch")
    assert [len(parsed.entries) for _ in parsed.add_all(texts, LIMIT)] == [64, 100]
    assert [decoded(entry) for entry in parsed.entries] == [
        told if n == 70 else expected(neighbour) for n in range(100)
    ]


def test_of_names_that_are_spelt_otherwise_or_twice_the_last_counts() -> None:
    parsed = ParsedRequest("single")
    parsed.add(rb'{"type":"alias","userId":"a","\u0075serId":"b","t\u0079pe":"p\u0061ge","x":1,"x":2}', LIMIT)
    assert [*map(decoded, parsed.entries)] == [expected({"type": '"page"', "userId": '"b"', "x": "2"})]


def test_text_that_is_not_json_is_malformed() -> None:
    with pytest.raises(Malformed):
        ParsedRequest("single").add(b'{"type":"page","userId":NaN}', LIMIT)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("writeKey", "7", "writeKey must be a string"),
        ("sentAt", "7", "sentAt must be an ISO 8601 time"),
        ("timestamp", '"once"', "timestamp must be an ISO 8601 time"),
        ("context", "[[]]", "context must be an object"),
        ("integrations", "[1]", "integrations must be an object"),
    ],
)
def test_member_that_a_batch_has_for_all_is_refused_as_an_event_s_is(name: str, value: str, told: str) -> None:
    with pytest.raises(Rejected, match=told):
        encode_defaults({name: Raw(value.encode())})


def test_members_that_a_batch_has_for_all_are_set() -> None:
    texts = {"context": '{"a": 1}', "integrations": "[]", "sentAt": "null", "writeKey": '"k"', "batch": "[]"}
    encoded = encode_defaults({name: Raw(value.encode()) for name, value in texts.items()})
    assert proto.Delivery.FromString(encoded) == proto.Delivery(
        context_json='{"a": 1}', integrations_json="{}", write_key="k"
    )


@pytest.mark.parametrize("absent", ABSENT)
def test_absent_member_of_a_batch_does_not_hide_the_one_before(absent: str) -> None:
    """The encoded defaults follow those of the client, and the last field of a message counts."""
    assert encode_defaults({name: Raw(absent.encode()) for name in ("writeKey", "sentAt", "context")}) == b""


def _every_type() -> Any:
    """The descriptor of a message with a field of each type that a member may have."""
    types = descriptor_pb2.FieldDescriptorProto
    message = descriptor_pb2.DescriptorProto(name="EveryType")
    for number, (name, type_) in enumerate(
        {
            "text": types.TYPE_STRING,
            "yes": types.TYPE_BOOL,
            "small": types.TYPE_INT32,
            "positive": types.TYPE_UINT32,
            "large": types.TYPE_INT64,
            "zigzag": types.TYPE_SINT64,
            "precise": types.TYPE_DOUBLE,
            "vague": types.TYPE_FLOAT,
        }.items(),
        1,
    ):
        message.field.add(name=name, number=number, type=type_, label=types.LABEL_OPTIONAL)
        optional = message.field.add(name=f"maybe_{name}", number=number + 20, type=type_, label=types.LABEL_OPTIONAL)
        optional.proto3_optional = True
        optional.oneof_index = number - 1
        message.oneof_decl.add(name=f"_maybe_{name}")
    file = descriptor_pb2.FileDescriptorProto(name="every_type.proto", syntax="proto3", message_type=[message])
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool.FindMessageTypeByName("EveryType")


EVERY_TYPE = _every_type()
EMPTY = {
    "text": '""',
    "yes": "false",
    **dict.fromkeys(("small", "positive", "large", "zigzag", "precise", "vague"), "0"),
}
ACCEPTED = [
    ("text", '"a"', "a"),
    ("yes", "true", True),
    ("small", "-2147483648", -(2**31)),
    ("positive", "4294967295", 2**32 - 1),
    ("large", "9223372036854775807", 2**63 - 1),
    ("zigzag", "-9223372036854775808", -(2**63)),
    ("precise", "1.5", 1.5),
    ("precise", "-7", -7.0),
    ("vague", "0.5", 0.5),
]
WRONG = {
    "text": ["7", "true", "{}", "[]"],
    "yes": ["0", '"true"', "[]"],
    "small": ["2147483648", "1.5", '"1"', "true"],
    "positive": ["-1", "4294967296"],
    "large": ["9223372036854775808", "1e400"],
    "precise": ['"1"', "true", "{}", "1e400"],
}


def encode(name: str, value: str) -> Any:
    encoders = member_encoders(schema.members_of(EVERY_TYPE), EVERY_TYPE)
    return GetMessageClass(EVERY_TYPE).FromString(encoders[name](Raw(value.encode())))


@pytest.mark.parametrize(("name", "value", "content"), ACCEPTED)
def test_member_of_every_type_is_encoded(name: str, value: str, content: object) -> None:
    message = GetMessageClass(EVERY_TYPE)
    assert encode(name, value) == message(**{name: content})
    assert encode(f"maybe{name.title()}", value) == message(**{f"maybe_{name}": content})


@pytest.mark.parametrize("name", EMPTY)
def test_member_that_is_null_is_absent_and_an_empty_one_is_told_where_the_proto_tells_it(name: str) -> None:
    empty = GetMessageClass(EVERY_TYPE)()
    maybe = f"maybe{name.title()}"
    assert encode(name, "null") == encode(maybe, "null") == encode(name, EMPTY[name]) == empty
    assert encode(maybe, EMPTY[name]).HasField(f"maybe_{name}")


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_member_of_another_type_is_refused(name: str, value: str) -> None:
    with pytest.raises(Rejected, match=f"{name} must be an? ") as raised:
        encode(name, value)
    assert (raised.value.reason, raised.value.field) == (proto.REASON_WRONG_TYPE, name)


@given(
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(lambda time: time.replace(microsecond=0)),
    st.sampled_from(["", "Z", "+00:00", "-00:00", "+05:45", "-11:30"]),
    st.sampled_from("Tt "),
    st.text("0123456789", max_size=11),
)
@example(datetime(1970, 1, 1), "Z", "T", "000")
@example(datetime(1969, 12, 31, 23, 59, 59), "Z", "T", "999999999")
@examples(500)
def test_time_is_the_instant_that_its_text_says(time: datetime, zone: str, separator: str, digits: str) -> None:
    written = time.isoformat(separator) + (f".{digits}" if digits else "") + zone
    offset = timedelta()
    if ":" in zone:
        hours, minutes = map(int, zone[1:].split(":"))
        offset = timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)
    seconds = (time.replace(tzinfo=timezone(offset)) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    expected = Timestamp(seconds=seconds, nanos=int(digits[:9].ljust(9, "0")))
    assert Timestamp.FromString(timestamps.encoded(written)) == expected

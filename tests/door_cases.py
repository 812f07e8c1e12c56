"""What is sent through every door it fits, and what becomes of it."""

from __future__ import annotations

from typing import Any

from tests.doors import Case, to_event
from tests.running import NOW_TEXT

EVENT_BYTES = 15_360
NESTING = 200

REQUIRED, WRONG_TYPE, TOO_DEEP = "REQUIRED", "WRONG_TYPE", "NESTED_TOO_DEEP"
BAD_TIME, MISMATCH = "INVALID_TIMESTAMP", "TYPE_MISMATCH"
RESERVED_NAME, SENT = "RESERVED_MEMBER", "sentTimestamp"

JSON_TYPES = "a member of another JSON type than its field's"
LOOSE_TIME = "a time in a form that protobuf's JSON does not read"
NO_TIME = "a Timestamp that is no time"
EVENT_NAME = "`eventName`"
NO_TYPE = "no `type`"
UNKNOWN_TYPE = "a `type` that no kind has"
ANOTHER_TYPE = "a `type` that is not the route's"
RECEIVED_AT = "`receivedAt` from a sender"
RESERVED = "a record's member in `extra_json`"
TWICE = "two members of one name"
NO_EVENT = "no JSON, or no object, where the event should be"
NO_OBJECT = "a free-form text that is no object"
NO_STRUCT = "what a Struct cannot hold"
NO_CONTEXT = "a context that the specification does not name"
BODY_TOO_DEEP = "nesting past what the front takes apart"
JSON_BYTES = "the bytes of an event's JSON"
MESSAGE_BYTES = "the bytes of an Event"
OVERWRITTEN_KEY = "a key in the request that goes before the event's"
OWN_KEY = "a key that the event's own goes before"
FOR_ALL = "what is said for all events of a request"


FREE_FORM = [
    *(("track", name) for name in ("properties", "context", "integrations")),
    *((kind, "properties") for kind in ("page", "screen")),
    *((kind, "traits") for kind in ("identify", "group")),
]
"""The free-form members, and a kind that has each."""
TIME_NAMES = ("timestamp", "sentAt", "originalTimestamp")


def nested(levels: int) -> str:
    """An object of so many levels."""
    return '{"a":' * (levels - 1) + "{}" + "}" * (levels - 1)


def padded(count: int) -> dict[str, str | None]:
    return {"properties": f'{{"p":"{"x" * count}"}}'}


def of_json_bytes(size: int) -> dict[str, str | None]:
    """What makes a track event's JSON so many bytes long."""
    return padded(size - len(Case("", padded(0)).json()))


def of_message_bytes(size: int) -> dict[str, str | None]:
    """What makes a track event's message so many bytes long."""
    # The two lengths around the padding take another byte each from 16,384 on, and are beneath it here.
    return padded(1_000 + size - to_event(Case("", padded(1_000)).event()).ByteSize())


def timed(text: str, written: str, *, only: str | tuple[str, ...] = (), name: str = "timestamp") -> Case:
    """A time, and how the record has it."""
    record: dict[str, Any] = {name: written} if name == "timestamp" else {name: written, "timestamp": written}
    return Case(f"{name} {text}", {name: f'"{text}"'}, record=record, only=only)


def refused(name: str, members: dict[str, str | None], reason: str, field: str, **more: Any) -> Case:
    return Case(name, members, refused=(reason, field), **more)


KINDS = [
    Case("identify", kind="identify"),
    Case("identify with traits", {"traits": '{"name":"Arthur Dent","hasTowel":true}'}, "identify"),
    Case("track"),
    Case("track with properties", {"properties": '{"fileSize":"42kb","n":[1,2.5,null,{"a":{}}]}'}),
    Case("page", kind="page"),
    Case("page with name and properties", {"name": '"Blog"', "properties": '{"url":"http://a/b?c"}'}, "page"),
    Case("screen", kind="screen"),
    Case("screen with name and properties", {"name": '"Start"', "properties": '{"depth":2}'}, "screen"),
    Case("group", kind="group"),
    Case("group with traits", {"traits": '{"relativePosition":"[39.1 N, 84.5 W]"}'}, "group"),
    Case("alias", kind="alias"),
    Case("identify without a user", {"userId": None, "anonymousId": '"a-1"'}, "identify"),
    Case("group without a user", {"userId": None, "anonymousId": '"a-1"'}, "group"),
    Case("alias without a user", {"userId": None, "anonymousId": '"a-1"'}, "alias"),
]

IDS = [
    Case("anonymousId alone", {"userId": None, "anonymousId": '"a-1"'}),
    Case("userId and anonymousId", {"anonymousId": '"a-1"'}),
    Case("userId in another script", {"userId": '"用户-1 🙂"'}),
    Case("userId with a NUL and a quote", {"userId": r'"a\u0000\"\\"'}),
    Case("userId an empty string", {"userId": '""', "anonymousId": '"a-1"'}, record={"userId": None}),
    Case("userId null", {"userId": "null", "anonymousId": '"a-1"'}, record={"userId": None}, only=JSON_TYPES),
    Case("userId an integer", {"userId": "1234"}, record={"userId": "1234"}, only=JSON_TYPES),
    Case(
        "userId an integer past 2^64",
        {"userId": "123456789012345678901"},
        record={"userId": "123456789012345678901"},
        only=JSON_TYPES,
    ),
    Case(
        "anonymousId a negative integer",
        {"userId": None, "anonymousId": "-7"},
        record={"anonymousId": "-7"},
        only=JSON_TYPES,
    ),
    Case("groupId an integer", {"groupId": "0"}, "group", {"groupId": "0"}, only=JSON_TYPES),
    Case("previousId an integer", {"previousId": "42"}, "alias", {"previousId": "42"}, only=JSON_TYPES),
    refused("userId a fraction", {"userId": "1.5"}, WRONG_TYPE, "userId", only=JSON_TYPES),
    refused("userId true", {"userId": "true"}, WRONG_TYPE, "userId", only=JSON_TYPES),
    refused("userId an object", {"userId": "{}"}, WRONG_TYPE, "userId", only=JSON_TYPES),
    refused("anonymousId an array", {"anonymousId": '["a"]'}, WRONG_TYPE, "anonymousId", only=JSON_TYPES),
    refused("neither userId nor anonymousId", {"userId": None}, REQUIRED, "userId"),
    refused("both ids empty", {"userId": '""', "anonymousId": '""'}, REQUIRED, "userId"),
    refused("neither on an alias", {"userId": None}, REQUIRED, "userId", kind="alias"),
    refused("no messageId", {"messageId": None}, REQUIRED, "messageId"),
    refused("messageId an empty string", {"messageId": '""'}, REQUIRED, "messageId"),
    refused("messageId null", {"messageId": "null"}, REQUIRED, "messageId", only=JSON_TYPES),
    refused("messageId an integer", {"messageId": "5"}, WRONG_TYPE, "messageId", only=JSON_TYPES),
    refused("no groupId", {"groupId": None}, REQUIRED, "groupId", kind="group"),
    refused("groupId an empty string", {"groupId": '""'}, REQUIRED, "groupId", kind="group"),
    refused("no previousId", {"previousId": None}, REQUIRED, "previousId", kind="alias"),
    refused(
        "no previousId, and no userId to be joined with",
        {"previousId": None, "userId": None, "anonymousId": '"a-1"'},
        REQUIRED,
        "previousId",
        kind="alias",
    ),
    Case(
        "anonymousId stands in for previousId",
        {"previousId": None, "anonymousId": '"a-1"'},
        "alias",
        {"previousId": "a-1"},
    ),
    Case("previousId goes before anonymousId", {"anonymousId": '"a-1"'}, "alias"),
]

MEMBERS = [
    refused("no event", {"event": None}, REQUIRED, "event"),
    refused("event an empty string", {"event": '""'}, REQUIRED, "event"),
    refused("event null", {"event": "null"}, REQUIRED, "event", only=JSON_TYPES),
    refused("event a number", {"event": "1"}, WRONG_TYPE, "event", only=JSON_TYPES),
    Case("eventName", {"event": None, "eventName": '"N"'}, record={"event": "N", "eventName": None}, only=EVENT_NAME),
    Case(
        "eventName where event is empty",
        {"event": '""', "eventName": '"N"'},
        record={"event": "N", "eventName": None},
        only=EVENT_NAME,
    ),
    Case("event goes before eventName", {"eventName": '"N"'}),
    Case("name null", {"name": "null"}, "page", {"name": None}, only=JSON_TYPES),
    refused("name a number", {"name": "3"}, WRONG_TYPE, "name", kind="page", only=JSON_TYPES),
    Case("properties null", {"properties": "null"}, record={"properties": None}, only=JSON_TYPES),
    Case("traits an empty string", {"traits": '""'}, "group", {"traits": None}, only=JSON_TYPES),
    Case("properties empty", {"properties": "{}"}),
    refused("properties a string", {"properties": '"x"'}, WRONG_TYPE, "properties", only=JSON_TYPES),
    *(
        Case(f"{name} an empty array", {name: array}, kind, {name: {}}, only=JSON_TYPES)
        for kind, name in FREE_FORM
        for array in ("[]", "[ \n ]")
    ),
    *(
        refused(f"{name} {array}", {name: array}, WRONG_TYPE, name, kind=kind, only=JSON_TYPES)
        for kind, name in FREE_FORM
        for array in ("[[]]", "[{}]", '["a"]', "[null]", "[0]")
    ),
    Case("traits an empty array where no field has that name", {"traits": "[]"}),
    Case("an empty array inside properties", {"properties": '{"a":[]}'}),
    refused("traits a number", {"traits": "0"}, WRONG_TYPE, "traits", kind="group", only=JSON_TYPES),
    refused("context a string", {"context": '"x"'}, WRONG_TYPE, "context", only=JSON_TYPES),
    Case("context null", {"context": "null"}, record={"context": None}, only=JSON_TYPES),
    Case("context empty", {"context": "{}"}),
    Case(
        "context of documented members",
        {"context": '{"active":false,"ip":"1.2.3.4","page":{"path":"/a","title":"T"},"traits":{"n":1}}'},
    ),
    Case(
        "context of other members, and other types",
        {"context": '{"page":"x","os":null,"mine":[1]}'},
        only=NO_CONTEXT,
    ),
    Case("integrations", {"integrations": '{"All":false,"Mixpanel":{"a":[true]}}'}),
    refused("integrations a boolean", {"integrations": "true"}, WRONG_TYPE, "integrations", only=JSON_TYPES),
    Case("type where the route says it", kind="screen"),
    refused("no type", {"type": None}, REQUIRED, "type", only=NO_TYPE),
    refused("no type nor key nor user", {"type": None, "userId": None}, REQUIRED, "type", only=NO_TYPE, key=None),
    refused("type null", {"type": "null"}, REQUIRED, "type", only=UNKNOWN_TYPE),
    refused("type unknown", {"type": '"shout"'}, "UNKNOWN_TYPE", "type", only=UNKNOWN_TYPE),
    refused("type a number", {"type": "1"}, WRONG_TYPE, "type", only=UNKNOWN_TYPE),
    refused("type of another route", {"type": '"page"'}, MISMATCH, "type", only=ANOTHER_TYPE),
    refused("type in capitals", {"type": '"Track"'}, MISMATCH, "type", only=ANOTHER_TYPE),
]

TIMES = [
    timed("2015-11-10T00:45:23.412Z", "2015-11-10T00:45:23.412Z"),
    timed("2015-11-10T00:45:23Z", "2015-11-10T00:45:23.000Z"),
    timed("2015-11-10T00:45:23.4Z", "2015-11-10T00:45:23.400Z"),
    timed("2015-11-10T00:45:23.412345Z", "2015-11-10T00:45:23.412345Z"),
    timed("2015-11-10T00:45:23.412345678Z", "2015-11-10T00:45:23.412345678Z"),
    timed("2015-11-10T00:45:23.000000001Z", "2015-11-10T00:45:23.000000001Z"),
    timed("2015-11-10T00:45:23.412000000Z", "2015-11-10T00:45:23.412Z"),
    timed("2015-11-10T06:15:23.412+05:30", "2015-11-10T00:45:23.412Z"),
    timed("2015-11-09T16:45:23.412-08:00", "2015-11-10T00:45:23.412Z"),
    timed("1969-07-20T20:17:40.000Z", "1969-07-20T20:17:40.000Z"),
    timed("1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999999999Z"),
    timed("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
    timed("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"),
    timed("2016-02-29T12:00:00Z", "2016-02-29T12:00:00.000Z"),
    timed("2015-11-10T00:45:23.412Z", "2015-11-10T00:45:23.412Z", name="originalTimestamp"),
    timed("2015-11-10T00:45:23.412", "2015-11-10T00:45:23.412Z", only=LOOSE_TIME),
    timed("2015-11-10T00:45:23+0100", "2015-11-09T23:45:23.000Z", only=LOOSE_TIME),
    timed("2015-11-10 00:45:23Z", "2015-11-10T00:45:23.000Z", only=LOOSE_TIME),
    timed("2015-11-10T00:45Z", "2015-11-10T00:45:00.000Z", only=LOOSE_TIME),
    timed("2015-11-10", "2015-11-10T00:00:00.000Z", only=LOOSE_TIME),
    timed("20151110T004523Z", "2015-11-10T00:45:23.000Z", only=LOOSE_TIME),
    timed("20151110T004523.1234567Z", "2015-11-10T00:45:23.123456700Z", only=LOOSE_TIME),
    timed("2015-11-10T00:45:23,412Z", "2015-11-10T00:45:23.412Z", only=LOOSE_TIME),
    *(
        timed(text, written, only=LOOSE_TIME, name=name)
        for name in ("timestamp", "originalTimestamp")
        for text, written in (
            ("2015-11-10t00:45:23.412z", "2015-11-10T00:45:23.412Z"),
            ("20230808T120000Z", "2023-08-08T12:00:00.000Z"),
            ("20230808T120000+0200", "2023-08-08T10:00:00.000Z"),
            ("20230808 120000", "2023-08-08T12:00:00.000Z"),
            ("2023-08-08T120000Z", "2023-08-08T12:00:00.000Z"),
            ("20151110", "2015-11-10T00:00:00.000Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
            ("2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.500Z"),
            ("2017-01-01T08:59:60+09:00", "2017-01-01T00:00:00.000Z"),
            ("20161231T235960Z", "2017-01-01T00:00:00.000Z"),
            ("2015-11-10T24:00:00Z", "2015-11-11T00:00:00.000Z"),
            ("2015-12-31T24:00Z", "2016-01-01T00:00:00.000Z"),
            ("2015-11-10T24:00:00.000+01:00", "2015-11-10T23:00:00.000Z"),
            ("2026-334T10:00:00Z", "2026-11-30T10:00:00.000Z"),
            ("2026334T100000Z", "2026-11-30T10:00:00.000Z"),
            ("2024-366", "2024-12-31T00:00:00.000Z"),
            ("2015-W46-2T00:45:23Z", "2015-11-10T00:45:23.000Z"),
            ("2015-11-10T00:45:23.0123456789Z", "2015-11-10T00:45:23.012345678Z"),
            ("20151110T004523.0123456789", "2015-11-10T00:45:23.012345678Z"),
            ("2015-11-10T00:45:23.9999999999+05:30", "2015-11-09T19:15:23.999999999Z"),
        )
    ),
    Case(
        "sentAt in a loose form",
        {"sentAt": '"2023-11-14 22:13:60.123z"'},
        record={"sentAt": "2023-11-14T22:14:00.123Z", "timestamp": NOW_TEXT},
        only=LOOSE_TIME,
    ),
    Case("timestamp null", {"timestamp": "null"}, record={"timestamp": NOW_TEXT}, only=JSON_TYPES),
    Case("timestamp an empty string", {"timestamp": '""'}, record={"timestamp": NOW_TEXT}, only=JSON_TYPES),
    *(
        refused(f"{name} the number {number}", {name: number}, WRONG_TYPE, name, only=JSON_TYPES)
        for name in TIME_NAMES
        for number in ("1447116323", "1701112512345", "1701112512.345", "1.701112512345E12", "0", "-1", "20151110")
    ),
    *(
        refused(f"{name} {text}", {name: f'"{text}"'}, BAD_TIME, name, only=LOOSE_TIME)
        for name in TIME_NAMES
        for text in (
            "yesterday",
            "20230808120000",
            "20230808120000Z",
            "20230808120000+0200",
            "2023-08-08120000Z",
            "2023-08-08120:00:00",
            "2023-08-08112:00:00Z",
            "2023-08-08_12:00:00Z",
            "2023-08-08-12:00:00Z",
            "2023-08-08  12:00:00Z",
            "2023-08-08+02:00",
            "2023-08-08T",
            "1701112512",
            "1701112512345",
            "1701112512345678",
            "1701112512345678901",
            "1701112512.345",
            "2016-12-31T23:59:61Z",
            "2016-12-31T24:00:01Z",
            "2016-12-31T24:01Z",
            "2016-12-31T23:60Z",
            "2016-12-31T23:00:00+01:60",
            "2016-12-31T23:00:00+24:00",
            "9999-12-31T23:59:60Z",
            "2023-366T10:00:00Z",
            "2023-000",
            "2015-W54-1",
            "2015-1110",
            "2015-02-29T00:00:00Z",
            "2015-11-10T25:00:00Z",
            "10000-01-01T00:00:00Z",
            "0000-12-31T23:59:59Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "1447116323",
            "\uff12\uff10\uff11\uff15-11-10T00:45:23Z",
            "2015-11-10T00:45:23Z ",
            "2015-11-10T00:45:23.Z",
        )
    ),
    *(
        refused(f"{name} of {time}", {name: time}, BAD_TIME, name, only=NO_TIME)
        for name in TIME_NAMES
        for time in ('{"seconds":253402300800}', '{"seconds":-62135596801}', '{"nanos":1000000000}', '{"nanos":-1}')
    ),
    Case(
        "sentAt by a clock that is a minute ahead",
        {"timestamp": '"2023-11-14T22:14:10.123Z"', "sentAt": '"2023-11-14T22:14:20.123Z"'},
        record={"timestamp": "2023-11-14T22:13:10.123Z", "originalTimestamp": "2023-11-14T22:14:10.123Z"},
    ),
    Case(
        "sentAt by a clock that is a year behind",
        {"timestamp": '"2022-11-14T22:00:00.123456Z"', "sentAt": '"2022-11-14T22:13:20.123Z"'},
        record={"timestamp": "2023-11-14T22:00:00.123456Z", "originalTimestamp": "2022-11-14T22:00:00.123456Z"},
    ),
    Case(
        "sentAt with an originalTimestamp of the sender's",
        {
            "timestamp": '"2023-11-14T22:13:20.123Z"',
            "sentAt": '"2023-11-14T22:13:20.123Z"',
            "originalTimestamp": '"2023-11-14T01:00:00.000Z"',
        },
    ),
    Case(
        "timestamp with an offset beside an originalTimestamp of the sender's",
        {
            "timestamp": '"2023-11-15T00:14:10.123+02:00"',
            "sentAt": '"2023-11-15T00:14:20.123+02:00"',
            "originalTimestamp": '"2023-11-14T01:00:00+02:00"',
        },
        record={
            "timestamp": "2023-11-14T22:13:10.123Z",
            "sentTimestamp": "2023-11-14T22:14:10.123Z",
            "sentAt": "2023-11-14T22:14:20.123Z",
            "originalTimestamp": "2023-11-13T23:00:00.000Z",
        },
    ),
    Case(
        "timestamp to the nanosecond that is the sender's originalTimestamp too",
        {
            "timestamp": '"2022-11-14T22:00:00.123456789Z"',
            "sentAt": '"2022-11-14T22:13:20.123Z"',
            "originalTimestamp": '"2022-11-14T22:00:00.123456789Z"',
        },
        record={"timestamp": "2023-11-14T22:00:00.123456789Z", "sentTimestamp": "2022-11-14T22:00:00.123456789Z"},
    ),
    Case(
        "originalTimestamp of the sender's that stands in for timestamp",
        {"sentAt": '"2023-11-14T22:14:20.123Z"', "originalTimestamp": '"2023-11-14T22:14:10.123Z"'},
        record={"timestamp": "2023-11-14T22:13:10.123Z"},
    ),
    Case(
        "originalTimestamp of the sender's, and a clock that is 20 years off",
        {
            "timestamp": '"2003-11-14T22:00:00.000Z"',
            "sentAt": '"2003-11-14T22:13:20.123Z"',
            "originalTimestamp": '"2003-11-13T22:00:00.000Z"',
        },
    ),
    Case(
        "originalTimestamp of the sender's without sentAt",
        {"timestamp": '"2023-11-14T22:14:10.123Z"', "originalTimestamp": '"2023-11-14T01:00:00.000Z"'},
    ),
    refused("a sender's sentTimestamp", {"sentTimestamp": '"2023-11-14T22:14:10.123Z"'}, RESERVED_NAME, SENT),
    refused("a sender's sentTimestamp of null", {"sentTimestamp": "null"}, RESERVED_NAME, SENT),
    Case("sentTimestamp inside properties", {"properties": '{"sentTimestamp":1}', "SentTimestamp": "1"}),
    Case(
        "sentAt by a clock that is 20 years off",
        {"timestamp": '"2003-11-14T22:00:00.000Z"', "sentAt": '"2003-11-14T22:13:20.123Z"'},
    ),
    Case("sentAt alone", {"sentAt": '"2023-11-14T22:14:20.123Z"'}, record={"timestamp": NOW_TEXT}),
    Case(
        "timestamp goes before originalTimestamp",
        {"timestamp": '"2020-01-01T00:00:00.000Z"', "originalTimestamp": '"2019-01-01T00:00:00.000Z"'},
    ),
]

KEYS = [
    refused("no write key", {}, "INVALID_WRITE_KEY", "writeKey", key=None),
    refused("an empty write key", {"writeKey": '""'}, "INVALID_WRITE_KEY", "writeKey", key=None),
    refused("a null write key", {"writeKey": "null"}, "INVALID_WRITE_KEY", "writeKey", key=None, only=JSON_TYPES),
    refused("writeKey a number", {"writeKey": "1"}, WRONG_TYPE, "writeKey", only=JSON_TYPES),
    refused("no key goes before what else is missing", {"event": None}, "INVALID_WRITE_KEY", "writeKey", key=None),
    Case("writeKey in the event alone", {"writeKey": '"own"'}, key=None, record={"writeKey": "own"}),
    Case("writeKey in the event too", {"writeKey": '"own"'}, record={"writeKey": "own"}, only=OWN_KEY),
    Case("writeKey overwritten", {"writeKey": '"own"'}, record={"writeKey": "test-key"}, only=OVERWRITTEN_KEY),
    Case("a write key of any letters", {"writeKey": '"schlüssel 🔑"'}, key=None, record={"writeKey": "schlüssel 🔑"}),
]

TEXTS = [
    Case("unnamed members", {"channel": '"web"', "_metadata": '{"bundled":["a"]}', "é": "[null,true]"}),
    Case("unnamed members that another kind has", {"groupId": '"g"', "name": '"n"', "traits": "{}"}),
    Case("unnamed members in their order", {"z": "1", "a": "2", "m": "3"}),
    Case("members named like an object's own in other languages", {"__proto__": "{}", "constructor": "1"}),
    Case("members of the record inside properties", {"properties": '{"writeKey":"x","receivedAt":1,"type":null}'}),
    Case("unicode and escapes", {"properties": r'{"a":"é\u00e9\ud83d\ude42🙂\/\n\u0000","\u006b":"\u2028"}'}),
    Case("big integers", {"properties": '{"a":9007199254740993,"b":[18446744073709551616]}'}, only=NO_STRUCT),
    Case("numbers as they are spelt", {"context": '{"a":1.0,"b":1,"c":-0.0,"d":1E+05,"e":0.10}'}, only=NO_STRUCT),
    Case("a number past every double", {"traits": '{"a":1e400}'}, "identify", only=NO_STRUCT),
    Case("big integers in unnamed members", {"n": "123456789012345678901234567890"}),
    Case("white space between tokens", {"properties": '{ "a" :\n[ 1 ,\r\n\t2 ] }'}),
    Case("a member twice inside properties", {"properties": '{"a":1,"a":2}'}, only=NO_STRUCT),
    Case(
        "NaN and Infinity",
        {"properties": '{"a":NaN,"b":[Infinity,-Infinity],"c":"NaN"}'},
        record={"properties": {"a": None, "b": [None, None], "c": "NaN"}},
    ),
    Case(
        "half a surrogate pair",
        {"properties": r'{"a":"x\ud83dy","b":"\ude42","c":"\ud83d\ude42"}'},
        record={"properties": {"a": "x\ufffdy", "b": "\ufffd", "c": "🙂"}},
        only=NO_STRUCT,
    ),
    Case("half a surrogate pair in an unnamed member", {"x": r'"\udc00"'}, record={"x": "\ufffd"}),
    Case(
        "NaN where a string should be",
        {"userId": "NaN", "anonymousId": '"a-1"'},
        record={"userId": None},
        only=JSON_TYPES,
    ),
    Case("half a surrogate pair in an id", {"userId": r'"\ud83d"'}, record={"userId": "\ufffd"}, only=JSON_TYPES),
    Case("a forged receivedAt", {"receivedAt": '"1999-01-01T00:00:00.000Z"'}, record={}, only=RECEIVED_AT),
    refused("receivedAt in extra_json", {"receivedAt": "1"}, "RESERVED_MEMBER", "receivedAt", only=RESERVED),
    Case(
        "a member twice", text='{"event":"A","userId":"u-1","messageId":"m-1","type":"track","event":"E"}', only=TWICE
    ),
    Case(
        "a member twice, once by an escape",
        text=r'{"event":"A","\u0065vent":"E","userId":"u-1","messageId":"m-1","type":"track"}',
        only=TWICE,
    ),
    refused("a number for an event", {}, "NOT_AN_OBJECT", "", text="7", only=NO_EVENT),
    refused("a string for an event", {}, "NOT_AN_OBJECT", "", text='"{}"', only=NO_EVENT),
    refused("null for an event", {}, "NOT_AN_OBJECT", "", text="null", only=NO_EVENT),
    refused("an event cut off", {}, "MALFORMED_JSON", "", text='{"event":"E"', only=NO_EVENT),
    refused("a comma too many", {}, "MALFORMED_JSON", "", text='{"event":"E",}', only=NO_EVENT),
    refused("an unescaped newline", {}, "MALFORMED_JSON", "", text='{"event":"a\nb"}', only=NO_EVENT),
    refused("a leading zero", {}, "MALFORMED_JSON", "", text='{"event":"E","n":01}', only=NO_EVENT),
    refused("properties_json cut off", {"properties": '{"a":'}, "MALFORMED_JSON", "properties", only=NO_OBJECT),
    refused("context_json two objects", {"context": "{}{}"}, "MALFORMED_JSON", "context", only=NO_OBJECT),
    *(
        refused(f"{name}_json an empty array", {name: "[]"}, WRONG_TYPE, name, kind=kind, only=NO_OBJECT)
        for kind, name in FREE_FORM
    ),
    Case("properties nested to a Struct's limit", {"properties": nested(32)}),
    Case("properties nested to the limit", {"properties": nested(NESTING)}, only=NO_STRUCT),
    refused("nested past the limit", {"properties": nested(NESTING + 1)}, TOO_DEEP, "properties", only=NO_STRUCT),
    refused("context nested past the limit", {"context": nested(NESTING + 1)}, TOO_DEEP, "context", only=NO_STRUCT),
    refused(
        "integrations nested past the limit", {"integrations": nested(201)}, TOO_DEEP, "integrations", only=NO_STRUCT
    ),
    Case("an unnamed member nested to the limit", {"mine": nested(NESTING)}),
    refused("an unnamed member nested past the limit", {"mine": nested(NESTING + 1)}, TOO_DEEP, "mine"),
    refused("nested 5,000 deep", {"properties": "[" * 5_000 + "]" * 5_000}, TOO_DEEP, "", only=BODY_TOO_DEEP),
]

SIZES = [
    Case("JSON of the largest size", of_json_bytes(EVENT_BYTES), only=JSON_BYTES),
    refused("JSON a byte larger", of_json_bytes(EVENT_BYTES + 1), "EVENT_TOO_LARGE", "", only=JSON_BYTES),
    Case("an Event of the largest size", of_message_bytes(EVENT_BYTES), only=MESSAGE_BYTES),
    refused("an Event a byte larger", of_message_bytes(EVENT_BYTES + 1), "EVENT_TOO_LARGE", "", only=MESSAGE_BYTES),
    refused("20 KB", padded(20_000), "EVENT_TOO_LARGE", ""),
    refused("20 KB in an unnamed member", {"mine": f'"{"é" * 10_000}"'}, "EVENT_TOO_LARGE", ""),
]

DELIVERIES = [
    Case(
        "context for all", delivery={"context": '{"locale":"de"}'}, record={"context": {"locale": "de"}}, only=FOR_ALL
    ),
    Case(
        "context beneath the event's",
        {"context": '{"locale":"fr","page":{"path":"/own"}}'},
        delivery={"context": '{"locale":"de","page":{"path":"/","title":"T"},"os":{"name":"x"}}'},
        record={"context": {"locale": "fr", "page": {"path": "/own", "title": "T"}, "os": {"name": "x"}}},
        only=FOR_ALL,
    ),
    Case(
        "integrations beneath the event's",
        {"integrations": '{"All":true,"A":{"x":1},"B":false}'},
        delivery={"integrations": '{"All":false,"A":{"x":2,"y":3},"B":{"z":1},"C":true}'},
        record={"integrations": {"All": True, "A": {"x": 1, "y": 3}, "B": False, "C": True}},
        only=FOR_ALL,
    ),
    Case("an empty context for all", delivery={"context": "{}"}, record={"context": {}}, only=FOR_ALL),
    Case(
        "timestamp for all",
        delivery={"timestamp": '"2020-03-02T18:29:27.333Z"'},
        record={"timestamp": "2020-03-02T18:29:27.333Z"},
        only=FOR_ALL,
    ),
    Case(
        "timestamp of the event's own",
        {"timestamp": '"2021-01-01T00:00:00.000Z"'},
        delivery={"timestamp": '"2020-03-02T18:29:27.333Z"'},
        only=FOR_ALL,
    ),
    Case(
        "sentAt for all",
        {"timestamp": '"2023-11-14T22:14:10.123Z"'},
        delivery={"sentAt": '"2023-11-14T22:14:20.123Z"'},
        record={
            "timestamp": "2023-11-14T22:13:10.123Z",
            "originalTimestamp": "2023-11-14T22:14:10.123Z",
            "sentAt": "2023-11-14T22:14:20.123Z",
        },
        only=FOR_ALL,
    ),
    Case(
        "sentAt for all, and an originalTimestamp of the sender's",
        {"timestamp": '"2023-11-14T22:14:10.123Z"', "originalTimestamp": '"2023-11-14T01:00:00.000Z"'},
        delivery={"sentAt": '"2023-11-14T22:14:20.123Z"'},
        record={
            "timestamp": "2023-11-14T22:13:10.123Z",
            "sentTimestamp": "2023-11-14T22:14:10.123Z",
            "sentAt": "2023-11-14T22:14:20.123Z",
        },
        only=FOR_ALL,
    ),
    Case(
        "timestamp for all, and an originalTimestamp of the sender's",
        {"originalTimestamp": '"2023-11-14T22:14:10.123Z"'},
        delivery={"sentAt": '"2023-11-14T22:14:20.123Z"', "timestamp": '"2023-11-14T20:00:00.000Z"'},
        record={"timestamp": "2023-11-14T22:13:10.123Z", "sentAt": "2023-11-14T22:14:20.123Z"},
        only=FOR_ALL,
    ),
    *(
        Case(f"{name} null for all", delivery={name: "null"}, only=(FOR_ALL, JSON_TYPES))
        for name in ("context", "integrations", "sentAt", "timestamp", "writeKey")
    ),
    *(
        Case(f"{name} an empty array for all", delivery={name: "[]"}, record={name: {}}, only=(FOR_ALL, JSON_TYPES))
        for name in ("context", "integrations")
    ),
    *(
        refused(f"{name} {array} for all", {}, WRONG_TYPE, name, delivery={name: array}, only=(FOR_ALL, JSON_TYPES))
        for name in ("context", "integrations")
        for array in ("[[]]", '["a"]')
    ),
    Case(
        "context an empty array for all, beneath the event's",
        {"context": '{"locale":"fr"}'},
        delivery={"context": "[]"},
        only=(FOR_ALL, JSON_TYPES),
    ),
    *(
        refused(f"{name} a number for all", {}, WRONG_TYPE, name, delivery={name: "5"}, only=(FOR_ALL, JSON_TYPES))
        for name in ("context", "integrations", "sentAt", "timestamp", "writeKey")
    ),
    *(
        refused(f"{name} {text} for all", {}, BAD_TIME, name, delivery={name: text}, only=(FOR_ALL, LOOSE_TIME))
        for name in ("sentAt", "timestamp")
        for text in ('"x"', '"20230808120000Z"', '"2023-08-08120000Z"', '"1701112512345"')
    ),
    *(
        Case(
            f"timestamp {text} for all",
            delivery={"timestamp": f'"{text}"'},
            record={"timestamp": written},
            only=(FOR_ALL, LOOSE_TIME),
        )
        for text, written in (
            ("2016-12-31 23:59:60z", "2017-01-01T00:00:00.000Z"),
            ("2026-334t24:00:00.0123456789", "2026-12-01T00:00:00.012345678Z"),
        )
    ),
    Case(
        "sentAt in a loose form for all",
        delivery={"sentAt": '"2023-11-14t22:13:60.123z"'},
        record={"sentAt": "2023-11-14T22:14:00.123Z", "timestamp": NOW_TEXT},
        only=(FOR_ALL, LOOSE_TIME),
    ),
    *(
        refused(f"{name} no time for all", {}, BAD_TIME, name, delivery={name: '{"nanos":-1}'}, only=NO_TIME)
        for name in ("sentAt", "timestamp")
    ),
    refused(
        "context for all that nests past the limit",
        {},
        TOO_DEEP,
        "context",
        delivery={"context": nested(NESTING + 1)},
        only=(FOR_ALL, NO_STRUCT),
    ),
    refused(
        "context for all of more than 15 KB",
        {},
        "REQUEST_TOO_LARGE",
        "",
        delivery={"context": f'{{"locale":"{"x" * EVENT_BYTES}"}}'},
        only=FOR_ALL,
    ),
    Case(
        "numbers for all as they are spelt",
        {"context": '{"a":{"n":1.0}}'},
        delivery={"context": '{"a":{"m":-0.0},"b":12345678901234567890}'},
        record={"context": {"a": {"n": 1.0, "m": -0.0}, "b": 12345678901234567890}},
        only=(FOR_ALL, NO_STRUCT),
    ),
    Case("a write key for all", delivery={"writeKey": '"all"'}, key=None, record={"writeKey": "all"}, only=FOR_ALL),
    Case(
        "the event's own write key",
        {"writeKey": '"own"'},
        delivery={"writeKey": '"all"'},
        key=None,
        record={"writeKey": "own"},
        only=FOR_ALL,
    ),
]

CASES = [*KINDS, *IDS, *MEMBERS, *TIMES, *KEYS, *TEXTS, *SIZES, *DELIVERIES]

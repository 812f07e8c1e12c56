"""The vectors that all clients share: the same calls make the same records in both forms, and the same refusals."""

import json
import math
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

import pytest
from google.protobuf.json_format import ParseDict
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.event_pb2 import Event
from trackside_client import Client

from .launching import TESTDATA, Serve

Verdict = tuple[str, str, str]
"""A reason, a field and a messageId."""

TAGS: dict[str, Callable[[Any], Any]] = {
    "$integer": int,
    "$number": float,
    "$nest": lambda levels: {"a": TAGS["$nest"](levels - 1)} if levels > 1 else {},
    "$repeat": lambda repeated: repeated[0] * repeated[1],
    "$half": lambda text: text + "\ud83d",
}


def untagged(value: Any) -> Any:
    """A value of the vectors as Python has it."""
    match value:
        case [*items]:
            return [untagged(item) for item in items]
        case dict():
            members = cast("dict[str, Any]", value)
            tagged = [make(members[tag]) for tag, make in TAGS.items() if tag in members]
            return tagged[0] if tagged else {name: untagged(member) for name, member in members.items()}
        case _:
            return value


VECTORS = json.loads((TESTDATA / "vectors.json").read_text())
CALLS, REFUSALS = untagged(VECTORS["calls"]), untagged(VECTORS["refusals"])


def call(client: Client, vector: dict[str, Any]) -> str:
    arguments = dict(vector["arguments"])
    if "timestamp" in arguments:
        arguments["timestamp"] = datetime.fromisoformat(arguments["timestamp"])
    if vector["call"] == "collect":
        return client.collect(Event(**arguments))
    return getattr(client, vector["call"])(**arguments)


def in_struct_form(vector: dict[str, Any]) -> Event:
    """A call's event as a caller builds it with a Struct for each free-form value."""
    own = {name: vector["arguments"].get(name) for name in ("message_id", "user_id", "anonymous_id")}
    event = Event(**own)
    body = getattr(event, vector["call"])
    body.SetInParent()
    for name, value in vector["arguments"].items():
        if name == "timestamp":
            event.timestamp.FromJsonString(value)
        elif name in ("properties", "traits", "context", "integrations"):
            field = getattr(body if name in body.DESCRIPTOR.fields_by_name else event, name)
            field.SetInParent()
            ParseDict(value, field) if name == "context" else field.update(value)
        elif name not in own:
            setattr(body, name, value)
    return event


def comparable(record: dict[str, Any], vector: dict[str, Any]) -> dict[str, Any]:
    ignored = (
        {"receivedAt", "writeKey"} if "timestamp" in vector["arguments"] else {"receivedAt", "writeKey", "timestamp"}
    )
    return {name: untagged(value) for name, value in record.items() if name not in ignored}


def test_calls_make_the_records_of_the_vectors_in_the_text_form_and_in_the_struct_form(serve: Serve) -> None:
    server = serve()
    with Client(server.target, write_key="text") as client:
        assert [call(client, vector) for vector in CALLS] == [vector["arguments"]["message_id"] for vector in CALLS]
    with Client(server.target, write_key="struct") as client:
        for vector in CALLS:
            if vector["struct"]:
                client.collect(in_struct_form(vector))
    records = {(record["writeKey"], record["messageId"]): record for record in server.records()}
    for vector in CALLS:
        for form in ("text", "struct") if vector["struct"] else ("text",):
            record = records.pop((form, vector["arguments"]["message_id"]))
            assert comparable(record, vector) == vector["record"], (vector["name"], form)
    assert not records


@pytest.mark.parametrize("vector", [v for v in REFUSALS if v["found"] == "client"], ids=lambda vector: vector["name"])
def test_an_event_that_breaks_a_rule_is_refused_in_the_call(vector: dict[str, Any]) -> None:
    refused: list[Verdict] = []
    with Client("127.0.0.1:1", on_refused=lambda event, why: refused.append(verdict(event, why))) as client:
        message_id = call(client, vector)
        assert refused == [(vector["reason"], vector["field"], message_id)]


def test_what_only_the_server_can_refuse_comes_to_the_same_callback(serve: Serve) -> None:
    refused: list[Verdict] = []
    vectors = [vector for vector in REFUSALS if vector["found"] == "server"]
    server = serve()
    with Client(
        server.target, write_key="k", on_refused=lambda event, why: refused.append(verdict(event, why))
    ) as client:
        expected = [(vector["reason"], vector["field"], call(client, vector)) for vector in vectors]
    assert refused == expected
    assert server.records() == []


def verdict(event: Event, why: proto.Refusal) -> Verdict:
    assert why.description
    return proto.Reason.Name(why.reason), why.field, event.message_id


def test_the_vectors_tags_are_read_as_they_are_described() -> None:
    assert untagged({"$integer": "9007199254740993"}) == 2**53 + 1
    assert math.isnan(untagged([{"$number": "NaN"}])[0])
    assert untagged({"$nest": 3}) == {"a": {"a": {}}}

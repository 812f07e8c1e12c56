"""What an SDK is told to send, what it puts on the wire, and what is queued, are the same."""

import json
from datetime import datetime
from typing import Any, cast

import pytest

from tests.sdks import results
from tests.sdks.calls import every_call
from tests.sdks.catalog import Json, Sdk
from tests.sdks.collector import Collector
from tests.sdks.marks import mark_of
from tests.sdks.run import Run, run

# What the collector stamps or reads in another form, by the contract.
STAMPED = ("timestamp", "originalTimestamp", "sentAt", "writeKey", "context")


@pytest.mark.scenario("every-call")
async def test_every_call_is_queued_as_it_was_made_and_as_it_was_sent(sdk: Sdk, collector: Collector) -> None:
    calls = every_call(sdk)

    done = await run(sdk, "every-call", collector, calls)

    assert done.queued == {call["call"]: 1 for call in calls}, done.story
    records = {mark_of(record): record for record in done.records}
    for call in calls:
        assert_as_made(records[call["call"]], call, sdk)
    assert_as_sent(records, done, sdk)
    results.note(sdk, "every-call", done)


def assert_as_made(record: Json, call: Json, sdk: Sdk) -> None:
    """The record has what the caller gave; the SDK may have added to it."""
    assert record["type"] == call["call"]
    in_context = call["call"] == "identify" and sdk.identify_traits == "context.traits"
    for name, value in call.items():
        if name == "call" or (name == "userId" and not sdk.puts_user_id(call["call"])):
            continue
        members = record["context"] if name == "traits" and in_context else record
        if isinstance(value, dict):
            wanted = cast("Json", value if sdk.keeps_nulls else without_nulls(value))
            assert {member: members[name].get(member) for member in wanted} == wanted
        else:
            assert members[name] == value


def assert_as_sent(records: Json, done: Run, sdk: Sdk) -> None:
    """The record has what was on the wire, and the collector added what it stamps, no more."""
    for event, injected in done.sent():
        record = records[mark_of(event)]
        present = {name: value for name, value in event.items() if value not in (None, "", [])}
        for name in present.keys() - STAMPED:
            assert record[name] == present[name]
        context = {**injected, **event.get("context", {})}
        assert {name: record["context"][name] for name in context} == context
        assert record["context"].keys() - context.keys() <= {"ip", "userAgent"}
        assert record["writeKey"] == sdk.key("every-call")
        assert record["messageId"]
        assert datetime.fromisoformat(record["timestamp"]).utcoffset() is not None


def without_nulls(value: Any) -> Any:
    """What an SDK that leaves nulls out of objects sends."""
    return json.loads(
        json.dumps(value), object_hook=lambda members: {k: v for k, v in members.items() if v is not None}
    )

"""The specification's "Max Request Size". A KB is 1024 bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.running import Running
from tests.spec.expectations import NO_INDEX, TOO_LARGE, assert_accepted, assert_answer, assert_refused, batch, record

CALL = 15 * 1024
BATCH = 500 * 1024
SINGLE_TOO_LARGE = {**TOO_LARGE, "code": "event_too_large", "message": "Error reading request body"}
REQUEST_TOO_LARGE = batch("request_too_large", {**TOO_LARGE, **NO_INDEX})


def event(message_id: str, size: int, **members: Any) -> dict[str, Any]:
    """An event whose JSON has this many bytes."""
    made: dict[str, Any] = {"messageId": message_id, "userId": "u", "context": {}, "filling": "", **members}
    made["filling"] = "x" * (size - len(json.dumps(made)))
    assert len(json.dumps(made)) == size
    return made


@pytest.mark.parametrize("path", ["identify", "i", "page", "p"])
def test_call_of_15_kb_is_accepted(trackside: Running, path: str) -> None:
    sent = event(path, CALL)
    kind = {"i": "identify", "p": "page"}.get(path, path)
    assert_accepted(trackside, trackside.post(f"/v1/{path}", sent), record(kind, sent))


@pytest.mark.parametrize("path", ["identify", "i", "track", "page", "screen", "group", "alias"])
def test_call_of_15_kb_and_a_byte_is_413(trackside: Running, path: str) -> None:
    sent = event("large", CALL + 1)
    assert_refused(trackside, trackside.post(f"/v1/{path}", sent), 413, SINGLE_TOO_LARGE)


def test_size_of_a_call_is_counted_in_bytes_and_not_in_characters(trackside: Running) -> None:
    sent = event("bytes", CALL)
    sent["filling"] = "é" + sent["filling"][2:]
    body = json.dumps(sent, ensure_ascii=False).encode()
    assert len(body) == CALL
    assert_accepted(trackside, trackside.post("/v1/page", body), record("page", sent))
    over = json.dumps({**sent, "filling": sent["filling"] + "x"}, ensure_ascii=False).encode()
    assert len(over) == CALL + 1
    assert_refused(trackside, trackside.post("/v1/page", over), 413, SINGLE_TOO_LARGE)


@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize("token", ["NaN", "-Infinity", r'"\ud83d"'])
def test_size_of_a_call_is_counted_as_it_was_sent(trackside: Running, token: str, over: int) -> None:
    """Whatever stands for what JSON lacks. Python writes `NaN, NaN`."""
    values = ", ".join([token] * 900)
    head = (
        f'{{"messageId": "m", "userId": "u", "type": "page", "writeKey": {json.dumps(token)}, "properties": {{"a": [ '
    )
    call = f'{head}{values}]}}, "x": "'
    call += "x" * (CALL + over - len(call) - 2) + '"}'
    answers = [
        trackside.post("/v1/page", call),
        trackside.post("/v1/webhook", call),
        trackside.post("/v1/batch", f'{{"batch": [{call}]}}'),
        trackside.pixel("page", call.encode()),
    ]
    assert [answer.status_code for answer in answers] == [413 if over else 200] * 4
    assert len(trackside.queued()) == (0 if over else 1)


def test_white_space_around_an_event_is_not_counted(trackside: Running) -> None:
    sent = event("space", CALL)
    body = b"\n  " + json.dumps(sent).encode() + b"\r\n\t"
    assert_accepted(trackside, trackside.post("/v1/page", body), record("page", sent))


def test_batch_of_500_kb_is_accepted(trackside: Running) -> None:
    events = [event(f"batch-{number}", 15_000, type="page") for number in range(34)]
    sent = {"batch": events, "filling": ""}
    sent["filling"] = "x" * (BATCH - len(json.dumps(sent)))
    assert len(json.dumps(sent)) == BATCH
    assert_accepted(trackside, trackside.post("/v1/batch", sent), *(record("page", each) for each in events))


@pytest.mark.parametrize("path", ["batch", "import", "b"])
def test_batch_of_500_kb_and_a_byte_is_413(trackside: Running, path: str) -> None:
    sent = {"batch": [event("over", 1_000, type="page")], "filling": ""}
    sent["filling"] = "x" * (BATCH + 1 - len(json.dumps(sent)))
    assert_refused(trackside, trackside.post(f"/v1/{path}", sent), 413, REQUEST_TOO_LARGE)


def test_too_large_batch_is_413_before_it_is_parsed(trackside: Running) -> None:
    assert_refused(trackside, trackside.post("/v1/batch", b"{" * (BATCH + 1)), 413, REQUEST_TOO_LARGE)


def test_call_in_a_batch_may_have_15_kb(trackside: Running) -> None:
    events = [event("in-1", CALL, type="page"), event("in-2", CALL, type="page")]
    assert_accepted(trackside, trackside.post("/v1/batch", {"batch": events}), *(record("page", e) for e in events))


def test_call_in_a_batch_that_is_a_byte_over_is_refused_alone(trackside: Running) -> None:
    events = [event("under", CALL, type="page"), event("over", CALL + 1, type="page"), event("after", 99, type="page")]
    response = trackside.post("/v1/batch", {"batch": events})
    told = {**TOO_LARGE, "Index": 1, "MessageId": "over"}
    assert_answer(response, 207, batch("event_too_large", told))
    assert trackside.queued() == [record("page", events[0]), record("page", events[2])]


def test_single_call_of_more_than_a_batch_is_413(trackside: Running) -> None:
    body = {**TOO_LARGE, "code": "request_too_large", "message": "Error reading request body"}
    assert_refused(trackside, trackside.post("/v1/track", b"x" * (BATCH + 1)), 413, body)

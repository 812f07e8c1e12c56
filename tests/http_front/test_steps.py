"""A body of many events is read in steps, and others have their turn between them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from functools import partial

import pytest

from event_model import jsontext
from http1.request_head import RequestHead
from http_front import batch, webhook
from http_front.coalescer import LARGE
from http_front.endpoints import Endpoint
from http_front.parsed_request import ParsedRequest
from tests.http_front.wire import connected, page, request
from tests.running import Running
from tests.spec.expectations import SUCCESS

EVENTS = [{"type": "page", "messageId": str(number), "userId": "u"} for number in range(150)]
LIMIT = 15_360


read_batch = partial(batch.read_body, event_limit=LIMIT)
read_webhook = partial(webhook.read_webhook, event_limit=LIMIT)
BATCH, WEBHOOK = Endpoint("/v1/batch", "batch", read_batch), Endpoint("/v1/webhook", "single", read_webhook)
BODY = json.dumps({"batch": EVENTS}).encode()
UNUSUAL = {**EVENTS[70], "integrations": None}


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        (BATCH, {"batch": EVENTS}),
        (BATCH, {"batch": [*EVENTS[:70], UNUSUAL, *EVENTS[71:]]}),
        (WEBHOOK, {"batch": EVENTS}),
        (WEBHOOK, EVENTS),
    ],
)
def test_there_is_a_step_for_every_64_events(endpoint: Endpoint, body: object) -> None:
    text = json.dumps(body).encode()
    collected = ParsedRequest(endpoint.form)
    assert [len(collected.entries) for _ in endpoint.steps(collected, text)] == [64, 128, 150]
    assert collected == endpoint.read(text, RequestHead())
    assert collected.message_ids() == [event["messageId"] for event in EVENTS]


def test_body_that_must_be_mended_is_read_once() -> None:
    text = json.dumps({"batch": [*EVENTS[:100], {**EVENTS[100], "context": {"x": "HERE"}}, *EVENTS[101:]]}).encode()
    collected = ParsedRequest("batch")
    steps = BATCH.steps(collected, text.replace(b'"HERE"', b"NaN"))
    assert [len(collected.entries) for _ in steps] == [64, 128, 150]
    assert collected.message_ids() == [event["messageId"] for event in EVENTS]


def test_body_that_is_found_not_to_be_json_after_some_steps_begins_again() -> None:
    tried: list[bytes] = []

    def fails_once(collected: ParsedRequest, text: bytes) -> Iterable[None]:
        tried.append(text)
        yield from read_batch(collected, BODY)
        if len(tried) == 1:
            raise jsontext.Malformed("near its end")

    collected = ParsedRequest("batch")
    steps = Endpoint("/v1/batch", "batch", fails_once).steps(collected, BODY)
    assert [len(collected.entries) for _ in steps] == [64, 128, 150] * 2
    assert collected.message_ids() == [event["messageId"] for event in EVENTS]


def test_what_is_no_batch_has_no_steps() -> None:
    collected = ParsedRequest("batch")
    assert not [*BATCH.steps(collected, b"[")]
    assert collected.refused_whole


def test_large_bodies_wait_for_their_turn_and_others_do_not(trackside: Running) -> None:
    def batch_of(name: str, size: int) -> bytes:
        return request("/v1/batch", (b'{"batch":[%b]}' % page(name, type="page")).ljust(size))

    with connected(trackside.http_address) as small, connected(trackside.http_address) as large:
        small.send(request("/health", method="GET"))
        assert small.answer().json == SUCCESS
        connection = next(iter(trackside.connections))
        lock, loop = connection.app.ctx.large_body, connection._loop
        asyncio.run_coroutine_threadsafe(lock.acquire(), loop).result(5)
        try:
            large.send(batch_of("large", LARGE + 1))
            small.send(batch_of("small", LARGE))
            assert small.answer().json == SUCCESS
            assert [record["messageId"] for record in trackside.queued()] == ["small"]
        finally:
            loop.call_soon_threadsafe(lock.release)
        assert large.answer().json == SUCCESS
    assert [record["messageId"] for record in trackside.queued()] == ["large"]

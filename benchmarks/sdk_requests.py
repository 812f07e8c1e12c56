"""Requests as many SDKs send them: each recorded or described one in many variants, as its senders vary.

The members of an event, the headers, and the order of both are the SDK's. New in each variant are the person, the
browser, the page, the messageId, the times and the write key; in most events also the properties and traits.

A recorded request is changed in three ways. Its body is not compressed, because `load.lua` could not replace the
messageIds. `Host` and `Origin` are others. Tracks and pages are more frequent than other kinds.
"""

from __future__ import annotations

import base64
import copy
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from benchmarks import people
from benchmarks.captures import Captured, Members, read_captures
from benchmarks.described_sdks import described
from benchmarks.people import Person
from benchmarks.raw_requests import EARLIER, NOW, NUMBER, Request, Requests, post, size, unescaped

_KINDS = {"track": 60, "page": 20, "identify": 10, "screen": 6, "group": 2, "alias": 2}
"""How many of a hundred events are of each kind."""
_SEED = 7
_AS_RECORDED = 0.2
"""This part of the events keep their recorded properties and traits: many scripts, deep nesting, large numbers."""
_MOST_EVENTS, _MEDIAN = 100, 20
_CHUNK = 4096
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:(\.)\d{3})?")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{3,4}-[0-9a-f]{12}$")


def singles(count: int = 6000) -> Requests:
    """Requests of one event, of each browser SDK equally many."""
    rng = random.Random(_SEED)
    sdks: dict[str, dict[str, list[Captured]]] = defaultdict(lambda: defaultdict(list))
    for captured in read_captures():
        if captured.is_browser and not captured.is_batch:
            sdks[captured.sdk][captured.body["type"]].append(captured)
    made: list[Request] = []
    for index in range(count):
        kinds = list(sdks.values())[index % len(sdks)]
        captured = rng.choice(kinds[_a_kind(rng, list(kinds))])
        person = people.a_person(rng)
        made.append(_request(rng, captured, person, _varied_event(rng, captured, captured.body, person), 1))
    rng.shuffle(made)
    return Requests(made)


def batches(count: int = 1200) -> Requests:
    """Requests of 1 to 100 events, 20 in the median, of each SDK equally many."""
    rng = random.Random(_SEED)
    sdks: dict[str, list[Captured]] = defaultdict(list)
    for captured in [*read_captures(), *described()]:
        if captured.is_batch:
            sdks[captured.sdk].append(captured)
    made: list[Request] = []
    for index in range(count):
        recorded = list(sdks.values())[index % len(sdks)]
        made.append(_batch(rng, rng.choice(recorded), [event for each in recorded for event in each.events]))
    rng.shuffle(made)
    return Requests(made)


def _batch(rng: random.Random, captured: Captured, events: list[Members]) -> Request:
    by_kind: dict[str, list[Members]] = defaultdict(list)
    for event in events:
        by_kind[event["type"]].append(event)
    person = people.a_person(rng)
    devices = {event.get("anonymousId") for event in events}
    one_device = len(devices) == 1 and devices != {None}
    count = min(_MOST_EVENTS, max(1, round(_MEDIAN * rng.lognormvariate(0, 0.8))))
    body = {name: value for name, value in captured.body.items() if name != "batch"}
    batch: list[Members] = []
    for _ in range(count):
        who = person if one_device else people.a_person(rng)
        batch.append(_varied_event(rng, captured, rng.choice(by_kind[_a_kind(rng, list(by_kind))]), who))
    _renew_times(rng, body)
    if "messageId" in body:
        body["messageId"] = people.a_uuid(rng)
    # The array keeps its place: mobile SDKs write the key behind it.
    ordered = {name: batch if name == "batch" else body[name] for name in captured.body}
    return _request(rng, captured, person, ordered, count)


def _a_kind(rng: random.Random, kinds: list[str]) -> str:
    return rng.choices(kinds, [_KINDS[kind] for kind in kinds])[0]


def _varied_event(rng: random.Random, captured: Captured, recorded: Members, person: Person) -> Members:
    event = copy.deepcopy(recorded)
    event["messageId"] = _UUID.sub(people.a_uuid(rng), event["messageId"])[:-12] + NUMBER
    for name, value in (("userId", person.user_id), ("anonymousId", person.anonymous_id)):
        if event.get(name):
            event[name] = rng.randrange(10**9) if isinstance(event[name], int) else value
    if event.get("groupId"):
        event["groupId"] = f"group-{rng.randrange(10**4)}"
    if event.get("event"):
        event["event"] = rng.choice(people.EVENTS)
    _renew_times(rng, event)
    if rng.random() > _AS_RECORDED:
        if "properties" in event:
            page = people.a_page(rng, person) if "url" in event["properties"] else {}
            event["properties"] = page | people.properties(rng)
        if "traits" in event:
            event["traits"] = people.traits(rng, person)
    if "context" in event:
        _vary_context(rng, captured, event["context"], person)
    return event


def _vary_context(rng: random.Random, captured: Captured, context: Members, person: Person) -> None:
    own: dict[str, Any] = {"locale": person.locale, "timezone": person.timezone}
    if context.get("userAgent") == captured.header("user-agent"):
        own["userAgent"] = person.browser.agent
    if "page" in context:
        own["page"] = context["page"] | people.a_page(rng, person)
    if "traits" in context:
        own["traits"] = people.traits(rng, person)
    context |= {name: value for name, value in own.items() if name in context}
    if not person.browser.hints:
        context.pop("userAgentData", None)


def _renew_times(rng: random.Random, members: Members) -> None:
    for name, mark in (("timestamp", EARLIER), ("originalTimestamp", EARLIER), ("sentAt", NOW)):
        if isinstance(time := members.get(name), str):
            members[name] = _TIME.sub(rf"{mark}\g<1>{rng.randrange(1000):03}" if "." in time else mark, time)


def _request(rng: random.Random, captured: Captured, person: Person, body: Members, events: int) -> Request:
    separators = (", ", ": ") if captured.spaced else (",", ":")
    text = unescaped(json.dumps(body, separators=separators, ensure_ascii=captured.ascii))
    # Where only the events have a key, they keep it.
    recorded_key, key = captured.write_key, f"{captured.sdk}-{rng.randrange(10)}"
    key = key if recorded_key else ""
    content = text.replace(recorded_key, key).encode()
    if captured.header("transfer-encoding"):
        content = b"".join(_chunked(content))
    headers = _headers(rng, captured, person, key)
    return post(captured.path.replace(recorded_key, key), headers, content, events)


def _headers(rng: random.Random, captured: Captured, person: Person, key: str) -> Iterator[tuple[str, str]]:
    browser = person.browser if captured.is_browser else None
    values = {
        "host": "collector.example.com",
        "authorization": f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}",
    }
    if browser:
        values |= {
            "user-agent": browser.agent,
            "accept-language": f"{person.locale},{person.locale[:2]};q=0.9",
            "origin": person.site,
            "referer": person.site + "/",
            "anonymousid": base64.b64encode(person.anonymous_id.encode()).decode(),
            "sentat": f"{NOW}.{rng.randrange(1000):03}Z",
            **browser.hints,
        }
    for name, value in captured.headers:
        lower = name.lower()
        if lower == "content-encoding" or (browser and not browser.hints and lower.startswith("sec-ch-")):
            continue
        yield name, values.get(lower, value)


def _chunked(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), _CHUNK):
        part = content[start : start + _CHUNK]
        yield b"%x\r\n%b\r\n" % (size(part), part)
    yield b"0\r\n\r\n"

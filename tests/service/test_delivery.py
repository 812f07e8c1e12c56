"""A delivery alone: its bounds to the byte, and what it puts beneath an event's context and integrations."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct
from msgspec import UNSET, UnsetType
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1.context_pb2 import Context

from event_model.jsontext import Raw
from event_model.schema import LIMITS
from service.delivery import Delivery, merged
from service.refusals import Refused


def delivery(events: int = 1, size: int = 0, *, address: str = "full", call_key: str = "", **said: Any) -> Delivery:
    return Delivery(proto.Delivery(**said), events, size, address, call_key)


def text(value: Raw | UnsetType) -> str | None:
    return None if isinstance(value, UnsetType) else bytes(value).decode()


def refusal(events: int, size: int = 0, **said: Any) -> tuple[proto.Reason, str]:
    with pytest.raises(Refused) as refused:
        delivery(events, size, **said)
    return refused.value.reason, refused.value.description


def too_much(amount: int, what: str, limit: int) -> tuple[proto.Reason, str]:
    return proto.REASON_REQUEST_TOO_LARGE, f"Too much at once: {amount} {what}, {limit} are allowed"


def test_events_are_bounded() -> None:
    limit = LIMITS.delivery_events
    delivery(limit)
    assert refusal(limit + 1) == too_much(limit + 1, "events in one request", limit)


def test_context_and_integrations_are_bounded_together() -> None:
    limit, integrations = LIMITS.injected_bytes, '{"ö":1}'
    context = '{"x":"' + "ü" * ((limit - 8 - 8) // 2) + '"}'
    assert len(context.encode()) + len(integrations.encode()) == limit
    delivery(context_json=context, integrations_json=integrations)
    over = refusal(1, context_json=context, integrations_json=integrations + " ")
    assert over == too_much(limit + 1, "bytes of context and integrations for all events", limit)
    assert refusal(1, context_json=context + " " * 9) == over


def test_events_are_bounded_together() -> None:
    limit = LIMITS.delivery_bytes
    delivery(2, limit)
    assert refusal(2, limit + 1) == too_much(limit + 1, "bytes after injection", limit)


def test_what_is_said_counts_once_for_each_event() -> None:
    said: dict[str, Any] = {
        "context_json": '{"ä":1}',
        "integrations_json": '{"öö":2}',
        "write_key": "kéy",
        "overriding_write_key": "ánother",
        "ip": "1.2.3.4",
        "user_agent": "agént",
    }
    size = LIMITS.delivery_bytes - 2 * sum(len(value.encode()) for value in said.values())
    delivery(2, size, **said)
    over = too_much(LIMITS.delivery_bytes + 1, "bytes after injection", LIMITS.delivery_bytes)
    assert refusal(2, size + 1, **said) == over
    key = said.pop("write_key")
    delivery(2, size, call_key=key, **said)
    with pytest.raises(Refused):
        delivery(2, size + 1, call_key=key, **said)


@pytest.mark.parametrize(
    ("said", "own", "expected"),
    [
        ({}, "", None),
        ({}, '{"a":1}', '{"a":1}'),
        ({"ip": "192.0.2.77"}, "", '{"ip":"192.0.2.77"}'),
        ({"user_agent": "A"}, "", '{"userAgent":"A"}'),
        ({"ip": "192.0.2.77", "user_agent": "A"}, "", '{"ip":"192.0.2.77","userAgent":"A"}'),
        ({"ip": "192.0.2.77", "user_agent": "A"}, '{"a":1}', '{"a":1,"ip":"192.0.2.77","userAgent":"A"}'),
        ({"ip": "192.0.2.77", "user_agent": "A"}, '{"ip":null}', '{"ip":null,"userAgent":"A"}'),
        ({"ip": "192.0.2.77", "user_agent": "A"}, '{"userAgent":1}', '{"userAgent":1,"ip":"192.0.2.77"}'),
        ({"ip": "192.0.2.77", "user_agent": "A"}, '{"userAgent":1,"ip":2}', '{"userAgent":1,"ip":2}'),
        ({"context_json": '{"b":2}'}, "", '{"b":2}'),
        ({"context_json": '{"b":2}'}, '{"a":1}', '{"a":1,"b":2}'),
        ({"context_json": '{"a":2,"ip":3}', "ip": "192.0.2.77"}, '{"a":1}', '{"a":1,"ip":3}'),
        ({"context_json": '{"b":2}', "ip": "192.0.2.77"}, "", '{"b":2,"ip":"192.0.2.77"}'),
    ],
)
def test_context_of_an_event_goes_over_the_deliverys_and_that_over_what_the_request_shows(
    said: dict[str, Any], own: str, expected: str | None
) -> None:
    assert text(delivery(**said).context(own)) == expected


@pytest.mark.parametrize(
    ("all_events", "own", "expected"),
    [
        ("", "", None),
        ("", '{"a":1}', '{"a":1}'),
        ('{"b":2}', "", '{"b":2}'),
        ('{"b":2,"a":3}', '{"a":1}', '{"a":1,"b":2}'),
        ("{}", "", "{}"),
    ],
)
def test_integrations_of_an_event_go_over_the_deliverys(all_events: str, own: str, expected: str | None) -> None:
    assert text(delivery(integrations_json=all_events).integrations(own)) == expected


def test_context_and_integrations_may_be_messages() -> None:
    integrations = Struct()
    integrations["a"] = True
    said = delivery(context=Context(locale="de"), integrations=integrations)
    assert text(said.context("")) == '{"locale":"de"}'
    assert text(said.integrations("")) == '{"a":true}'


@pytest.mark.parametrize(
    ("address", "ip", "kept"),
    [
        ("full", "192.0.2.77", "192.0.2.77"),
        ("full", "no address", "no address"),
        ("full", "", None),
        ("truncated", "192.0.2.77", "192.0.2.0"),
        ("truncated", "2001:db8:aaaa:bbbb::1", "2001:db8:aaaa::"),
        ("truncated", "no address", None),
        ("truncated", "", None),
        ("off", "192.0.2.77", None),
        ("off", "", None),
    ],
)
def test_address_is_kept_as_the_setting_says(address: str, ip: str, kept: str | None) -> None:
    context = text(delivery(address=address, ip=ip).context(""))
    assert context == (f'{{"ip":"{kept}"}}' if kept else None)


def test_equal_texts_of_one_delivery_are_merged_once() -> None:
    first, second = delivery(user_agent="A"), delivery(user_agent="A")
    asked: list[tuple[Delivery, str]] = []

    def merge(given: Delivery, own: str) -> Raw | UnsetType:
        asked.append((given, own))
        return UNSET if not own else Raw(f"{len(asked)}")

    rows = [(first, ""), (first, ""), (first, "a"), (first, "a"), (second, "a"), (second, "b"), (second, "a")]
    made = merged(merge, *zip(*rows, strict=True))
    assert [text(each) for each in made] == [None, None, "2", "2", "3", "4", "5"]
    assert asked == [(first, ""), (first, "a"), (second, "a"), (second, "b"), (second, "a")]

"""A refused event that is sent again is known for a while, and in bounded memory."""

from __future__ import annotations

from service.resends import REMEMBERED, SECONDS, Resends

LATER = SECONDS * 1_000_000_000


def test_the_second_is_known() -> None:
    resends = Resends()
    assert [resends.has("key", "m", "required", now=5) for _ in range(3)] == [False, True, True]


def test_another_source_event_or_reason_is_another_refusal() -> None:
    resends = Resends()
    resends.has("key", "m", "required", now=0)
    others = [("other", "m", "required"), ("key", "n", "required"), ("key", "m", "wrong_type")]
    assert [resends.has(*other, now=0) for other in others] == [False, False, False]


def test_without_a_message_id_none_is_known() -> None:
    resends = Resends()
    assert [resends.has("key", "", "required", now=0) for _ in range(2)] == [False, False]


def test_it_is_forgotten_after_a_while() -> None:
    resends = Resends()
    times = (0, LATER - 1, LATER, LATER + 1)
    assert [resends.has("key", "m", "required", now=now) for now in times] == [False, True, False, True]


def test_the_newest_are_remembered() -> None:
    resends = Resends()
    for number in range(REMEMBERED + 1):
        resends.has("key", str(number), "required", now=0)
    assert resends.has("key", "1", "required", now=0)
    assert not resends.has("key", "0", "required", now=0)


def test_refusal_that_comes_again_after_a_while_is_one_of_the_newest() -> None:
    resends = Resends()
    for number in range(REMEMBERED):
        resends.has("key", str(number), "required", now=0)
    assert not resends.has("key", "0", "required", now=LATER)
    resends.has("key", "one more", "required", now=LATER)
    assert resends.has("key", "0", "required", now=LATER)

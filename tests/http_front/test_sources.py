"""Write keys and the file of sources: who may send, and what becomes of the events of others."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from trackside.v1.collector_service_pb2 import CollectBatchRequest, CollectRequest, Delivery, Entry
from trackside.v1.event_pb2 import Event, Page

from tests.doors import collect, collect_batch, failure_of
from tests.running import Running, collector
from tests.spec.expectations import (
    MISSING_KEY,
    MISSING_MESSAGE_ID,
    NO_MESSAGE_ID,
    assert_accepted,
    assert_answer,
    assert_refused,
    assert_refused_pixel,
    batch,
    error,
    kept_refused,
    record,
)

WEBSITE = Delivery(write_key="website-key")
SOURCES = """
mode = "{mode}"

[[source]]
key = "website-key"
name = "website"

[[source]]
key = "mail-key"
name = "mail"
generate_message_id = true
"""


def sources(directory: Path, mode: str) -> Path:
    path = directory / "sources.toml"
    path.write_text(SOURCES.format(mode=mode))
    return path


@pytest.fixture(scope="module")
def enforcing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    directory = tmp_path_factory.mktemp("enforcing")
    with collector(directory, sources=sources(directory, "enforce")) as running:
        yield running


@pytest.fixture(scope="module")
def rehearsing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    directory = tmp_path_factory.mktemp("rehearsing")
    with collector(directory, sources=sources(directory, "dry-run")) as running:
        yield running


@pytest.fixture(scope="module")
def generating(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with collector(tmp_path_factory.mktemp("generating"), generate_message_id=True) as running:
        yield running


def event(message_id: str, **members: Any) -> dict[str, Any]:
    return {"messageId": message_id, "userId": "u", "type": "page", **members}


def counted(source: str, outcome: str, reason: str = "") -> float:
    labels = {"kind": "page", "source": source, "outcome": outcome, "reason": reason}
    return REGISTRY.get_sample_value("trackside_events_total", labels) or 0


def test_known_key_is_accepted_and_counted_by_its_sources_name(enforcing: Running) -> None:
    before = counted("website", "accepted")
    response = enforcing.post("/v1/page", event("known"), key="website-key")
    assert_accepted(enforcing, response, record("page", event("known"), writeKey="website-key"))
    assert counted("website", "accepted") == before + 1


def test_refused_event_of_a_known_key_is_counted_by_its_sources_name(enforcing: Running) -> None:
    before = counted("website", "refused", "required")
    assert_refused(enforcing, enforcing.post("/v1/page", {"userId": "u"}, key="website-key"), 400, MISSING_MESSAGE_ID)
    assert counted("website", "refused", "required") == before + 1


def test_refused_event_that_the_front_could_not_read_is_counted_by_the_source_of_its_own_key(
    enforcing: Running,
) -> None:
    before = counted("website", "refused", "wrong_type"), counted("mail", "refused", "wrong_type")
    unreadable = event("unreadable", writeKey="website-key", context=5)
    assert enforcing.post("/v1/batch", {"batch": [unreadable], "writeKey": "mail-key"}).status_code == 400
    assert counted("website", "refused", "wrong_type") == before[0] + 1
    assert counted("mail", "refused", "wrong_type") == before[1]
    assert kept_refused(enforcing, "unreadable")["source"] == "website"


@pytest.mark.parametrize("key", ["unknown-key", "website-key ", "WEBSITE-KEY", "", None])
@pytest.mark.parametrize("path", ["/v1/page", "/v1/webhook", "/v1/pixel/page"])
def test_unknown_key_is_400_and_never_401_403_or_404(enforcing: Running, path: str, key: str | None) -> None:
    if path == "/v1/pixel/page":
        assert_refused_pixel(enforcing, enforcing.pixel("page", event("stranger"), key=key), 400, MISSING_KEY)
    else:
        assert_refused(enforcing, enforcing.post(path, event("stranger"), key=key), 400, MISSING_KEY)


def test_unknown_key_of_a_batch_refuses_its_events_alone(enforcing: Running) -> None:
    events = [event("1", writeKey="website-key"), event("2", writeKey="unknown"), event("3", writeKey="mail-key")]
    response = enforcing.post("/v1/batch", {"batch": events}, key=None)
    assert_answer(response, 207, batch("invalid_write_key", error(1, "2", "Invalid or missing writekey", "")))
    assert enforcing.queued() == [record("page", events[0]), record("page", events[2])]


def test_unknown_key_is_masked_where_it_is_kept(enforcing: Running) -> None:
    assert enforcing.post("/v1/page", event("masked"), key="a-secret-of-another").status_code == 400
    kept = kept_refused(enforcing, "masked")
    assert (kept["reason"], kept["source"]) == ("invalid_write_key", "a-se…")
    assert "secret" not in kept["source"]


def test_dry_run_accepts_an_unknown_key_and_counts_it(rehearsing: Running, caplog: pytest.LogCaptureFixture) -> None:
    before = counted("unknown", "accepted")
    response = rehearsing.post("/v1/page", event("rehearsed"), key="unknown-key")
    assert_accepted(rehearsing, response, record("page", event("rehearsed"), writeKey="unknown-key"))
    assert counted("unknown", "accepted") == before + 1
    assert "dry run: no source has the write key unkn…" in caplog.text
    assert "unknown-key" not in caplog.text
    assert_refused(rehearsing, rehearsing.post("/v1/page", event("keyless"), key=None), 400, MISSING_KEY)


def test_open_mode_takes_any_key_but_none(trackside: Running) -> None:
    response = trackside.post("/v1/page", event("open"), key="anything at all")
    assert_accepted(trackside, response, record("page", event("open"), writeKey="anything at all"))
    assert_refused(trackside, trackside.post("/v1/page", event("keyless"), key=None), 400, MISSING_KEY)


def test_file_is_read_again_when_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.sources._LOOK_EVERY", 0.0)
    path = sources(tmp_path, "enforce")
    with collector(tmp_path, sources=path) as running:
        assert_refused(running, running.post("/v1/page", event("new"), key="new-key"), 400, MISSING_KEY)
        path.write_text(SOURCES.format(mode="enforce") + '[[source]]\nkey = "new-key"\nname = "new"\n')
        response = running.post("/v1/page", event("new"), key="new-key")
        assert_accepted(running, response, record("page", event("new"), writeKey="new-key"))
        path.write_text("mode = ")  # what is not valid leaves the last file in force
        response = running.post("/v1/page", event("new 2"), key="new-key")
        assert_accepted(running, response, record("page", event("new 2"), writeKey="new-key"))
        assert_refused(running, running.post("/v1/page", event("other"), key="other-key"), 400, MISSING_KEY)
        path.write_text('mode = "open"')
        response = running.post("/v1/page", event("other"), key="other-key")
        assert_accepted(running, response, record("page", event("other"), writeKey="other-key"))


def test_message_id_is_made_for_the_source_that_says_so(enforcing: Running) -> None:
    sent = {"userId": "u"}
    assert_answer(enforcing.post("/v1/page", sent, key="mail-key"), 200, {"Success": True})
    assert enforcing.pixel("page", sent, key="mail-key").status_code == 200
    first, second = enforcing.queued()
    assert uuid.UUID(first["messageId"]) != uuid.UUID(second["messageId"])
    assert first == record("page", sent, writeKey="mail-key", messageId=first["messageId"])
    refused = enforcing.post("/v1/page", sent, key="website-key")
    assert_refused(enforcing, refused, 400, MISSING_MESSAGE_ID)


def test_message_id_is_made_for_all_where_that_is_set(generating: Running) -> None:
    response = generating.post("/v1/batch", {"batch": [event(""), event("own"), event("")]})
    assert_answer(response, 200, {"Success": True})
    first, second, third = (queued["messageId"] for queued in generating.queued())
    assert second == "own"
    assert uuid.UUID(first) != uuid.UUID(third)


@pytest.mark.parametrize("absent", [{}, {"messageId": None}, {"messageId": ""}])
def test_refusal_of_an_event_without_a_message_id_names_the_setting(enforcing: Running, absent: dict[str, Any]) -> None:
    sent = {"userId": "u", "type": "page", **absent}

    def answers(key: str) -> list[httpx.Response]:
        return [
            enforcing.post("/v1/page", sent, key=key),
            enforcing.post("/v1/batch", {"batch": [sent]}, key=key),
            enforcing.post(f"/v1/webhook?writeKey={key}", sent, key=None),
            enforcing.post(f"/v1/webhook?writeKey={key}", [sent], key=None),
        ]

    many = batch("required", error(0, "", NO_MESSAGE_ID, "messageId"))
    bodies = [MISSING_MESSAGE_ID, many, MISSING_MESSAGE_ID, many]
    for response, body in zip(answers("website-key"), bodies, strict=True):
        assert_refused(enforcing, response, 400, body)
    assert_refused_pixel(enforcing, enforcing.pixel("page", sent, key="website-key"), 400, MISSING_MESSAGE_ID)
    unnamed = Event(user_id="u", page=Page())
    status, _ = failure_of(lambda: collect(enforcing, CollectRequest(event=unnamed, delivery=WEBSITE)))
    assert status.message == NO_MESSAGE_ID
    request = CollectBatchRequest(entries=[Entry(event=unnamed)], deliveries=[WEBSITE])
    assert [refusal.description for refusal in collect_batch(enforcing, request).refusals] == [NO_MESSAGE_ID]
    made = [*answers("mail-key"), enforcing.pixel("page", sent, key="mail-key")]
    assert [response.status_code for response in made] == [200] * 5
    assert len({uuid.UUID(record["messageId"]) for record in enforcing.queued()}) == 5

"""Clients that get 200 in place of 207, and what every SDK may ask before it sends."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from http_front.client_quirks import CLIENTS
from tests.running import Running, collector

HEADERS = {
    "analytics-python up to 2.3": {"User-Agent": "analytics-python/2.3.3"},
    "events-sdk-python": {"User-Agent": "events-sdk-python/1.0.0"},
    "segmentio, Segment's first for Python": {"User-Agent": "python-requests/2.9.1"},
    "analytics-php": {"User-Agent": "analytics-php/3.8.1"},
    "RudderStack's first for Android": {
        "User-Agent": "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8)",
        "AnonymousId": "YW5vbg==",
    },
    "RudderStack's first for iOS": {"User-Agent": "Shop/1 CFNetwork/1494.0.7 Darwin/23.4.0", "AnonymousId": "YW5vbg=="},
}

OTHERS = {
    "analytics-python 2.4": {"User-Agent": "analytics-python/2.4.0"},
    "analytics-python 2.30": {"User-Agent": "analytics-python/2.30.0"},
    "analytics-node": {"User-Agent": "analytics-node-next/3.0.0"},
    "a browser with RudderStack's SDK": {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)", "AnonymousId": "YW5vbg=="},
    "an Android application without RudderStack's SDK": {"User-Agent": "Dalvik/2.1.0 (Linux; U; Android 14)"},
    "a name that stands further on": {"User-Agent": "proxy analytics-php/3.8.1"},
}


def partly(message_id: str) -> dict[str, Any]:
    return {"batch": [{"type": "track", "userId": "u", "event": "E", "messageId": message_id}, {"type": "track"}]}


def test_every_row_of_the_table_is_tested() -> None:
    assert HEADERS.keys() == CLIENTS.keys()


@pytest.mark.parametrize("client", HEADERS)
def test_client_that_does_not_know_207_gets_200_with_the_same_body(trackside: Running, client: str) -> None:
    answer = trackside.post("/v1/batch", partly(client), headers=HEADERS[client])
    assert (answer.status_code, answer.json()["Errors"][0]["Index"]) == (200, 1)
    assert [record["messageId"] for record in trackside.queued()] == [client]


@pytest.mark.parametrize("client", OTHERS)
def test_other_clients_get_207(trackside: Running, client: str) -> None:
    answer = trackside.post("/v1/batch", partly(client), headers=OTHERS[client])
    assert (answer.status_code, answer.json()["Errors"][0]["Index"]) == (207, 1)
    assert [record["messageId"] for record in trackside.queued()] == [client]


def test_a_client_of_the_table_gets_400_where_every_event_is_refused(trackside: Running) -> None:
    answer = trackside.post("/v1/batch", {"batch": [{"type": "track"}]}, headers=HEADERS["analytics-php"])
    assert answer.status_code == 400
    assert trackside.queued() == []


def test_the_setting_turns_the_table_off(tmp_path: Path) -> None:
    with collector(tmp_path, stand_in_for_207=False) as running:
        answer = running.post("/v1/batch", partly("m"), headers=HEADERS["analytics-php"])
        assert answer.status_code == 207
        assert [record["messageId"] for record in running.queued()] == ["m"]


@pytest.mark.parametrize("path", ["/v1/projects/KEY/settings", "/v1/projects/KEY/settings/"])
def test_segments_sdks_are_told_to_send_to_the_host_that_they_asked(trackside: Running, path: str) -> None:
    host = "collect.example.com:8443"
    answer = trackside.http.get(path, headers={"Host": host})
    said = {"apiKey": "KEY", "apiHost": f"{host}/v1", "protocol": "http"}
    assert (answer.status_code, answer.json()) == (200, {"integrations": {"Segment.io": said}})
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ["/v1/projects/{}/settings", "/customerio/v1/projects/{}/settings"])
@pytest.mark.parametrize("key", ["my key", "clé", 'a"b', "a/b", "KEY"])
def test_settings_have_the_write_key_as_the_sdk_has_it(trackside: Running, path: str, key: str) -> None:
    (destination,) = trackside.http.get(path.format(quote(key, safe=""))).json()["integrations"].values()
    assert destination["apiKey"] == key


@pytest.mark.parametrize("path", ["/customerio/v1/projects/KEY/settings", "//customerio//v1/projects/KEY/settings/"])
def test_customerios_browser_sdk_finds_its_own_name_and_no_other(trackside: Running, path: str) -> None:
    """With two names it would load a script from its vendor, and send nothing without it."""
    answer = trackside.http.get(f"{trackside.http.base_url}{path}", headers={"Host": "collect.example.com"})
    said = {"apiKey": "KEY", "apiHost": "collect.example.com/v1", "protocol": "http"}
    expected = {"integrations": {"Customer.io Data Pipelines": said}, "metrics": {"sampleRate": 0}}
    assert (answer.status_code, answer.json()) == (200, expected)


def test_a_host_that_is_none_is_not_said_back(trackside: Running) -> None:
    answer = trackside.http.get("/v1/projects/KEY/settings", headers={"Host": "a!b"})
    assert answer.json() == {"integrations": {"Segment.io": {"apiKey": "KEY"}}}
    answer = trackside.http.get("/v1/projects/KEY/settings", headers={"Host": "a<script>"})
    assert (answer.status_code, "script" in answer.text) == (400, False)


@pytest.mark.parametrize("path", ["/sourceConfig", "/sourceConfig/"])
def test_rudderstacks_sdks_are_told_of_an_enabled_source_without_destinations(trackside: Running, path: str) -> None:
    source = trackside.http.get(path, params={"writeKey": "KEY"}).json()["source"]
    assert (source["writeKey"], source["enabled"], source["destinations"]) == ("KEY", True, [])


def test_a_beacon_is_a_batch_with_its_key_in_the_query(trackside: Running) -> None:
    answer = trackside.post("/beacon/v1/batch?writeKey=beacon-key", {"batch": partly("beacon")["batch"][:1]}, key=None)
    assert (answer.status_code, answer.json()) == (200, {"Success": True})
    assert [(record["messageId"], record["writeKey"]) for record in trackside.queued()] == [("beacon", "beacon-key")]


def test_what_sdks_measure_of_themselves_is_taken_and_discarded(trackside: Running) -> None:
    answer = trackside.post("/v1/m", {"series": [{"type": "Counter", "metric": "m", "value": 1}]})
    assert (answer.status_code, answer.json()) == (200, {"Success": True})
    assert trackside.queued() == []

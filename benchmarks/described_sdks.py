"""Requests of SDKs that could not be recorded for `tests/golden`, written by hand from what is known of their form.

Only the form is theirs: the path, the headers, the members and how times and ids are spelled. `sdk_requests` replaces
the rest.
"""

from __future__ import annotations

import uuid
from typing import Any

from benchmarks.captures import Captured, Members

_KINDS: dict[str, Members] = {
    "identify": {"traits": {"plan": "free"}},
    "track": {"event": "Order Completed", "properties": {"total": 27.5}},
    "page": {"name": "Home", "properties": {"url": "https://www.example.com/"}},
    "screen": {"name": "Main", "properties": {}},
    "group": {"groupId": "group-1", "traits": {}},
}
_KEY = "described"
_BASIC = "Basic ZGVzY3JpYmVkOg=="
_MESSAGE_ID = str(uuid.UUID(int=1))


def _members(library: str, time: str, kind: str, **more: Any) -> Members:
    context = {"library": {"name": library, "version": "1.0.0"}}
    return {"type": kind, **_KINDS[kind], "messageId": _MESSAGE_ID, "timestamp": time, "context": context, **more}


def _headers(*headers: tuple[str, str]) -> list[tuple[str, str]]:
    return [("Host", "localhost"), *headers, ("Content-Length", "0")]


def _ruby() -> Captured:
    time = "2026-11-30T15:12:49.923+00:00"
    batch = [_members("analytics-ruby", time, kind, userId="u1") for kind in _KINDS]
    headers = _headers(
        ("Accept", "application/json"),
        ("Content-Type", "application/json"),
        ("User-Agent", "analytics-ruby/2.5.0"),
        ("Accept-Encoding", "gzip;q=1.0,deflate;q=0.6,identity;q=0.3"),
        ("Authorization", _BASIC),
    )
    return Captured("analytics-ruby", "/v1/import", headers, {"sentAt": time, "batch": batch}, False, False)


def _php() -> Captured:
    """Its empty maps are arrays, its times whole seconds, its user ids often integers."""
    time = "2026-11-30T15:14:02+00:00"
    batch = [_members("analytics-php", time, kind, userId=42, integrations=[]) for kind in _KINDS]
    headers = _headers(
        ("Authorization", _BASIC),
        ("Accept", "*/*"),
        ("Content-Type", "application/json"),
        ("User-Agent", "analytics-php/3.8.2"),
    )
    return Captured("analytics-php", "/v1/batch", headers, {"batch": batch}, False, True)


def _csharp() -> Captured:
    time = "2026-11-30T15:14:02.1234567+00:00"
    more: Members = {
        "userId": "",
        "anonymousId": "a",
        "integrations": {},
        "_metadata": {"bundled": [], "unbundled": []},
    }
    batch = [_members("Analytics-CSharp", time, kind, **more) for kind in _KINDS]
    body = {"batch": batch, "sentAt": time, "writeKey": _KEY}
    return Captured("analytics-csharp", "/v1/b", _headers(("Content-Type", "text/plain")), body, False, False)


def _phone(sdk: str, agent: str, instance: bool) -> Captured:
    """The key stands behind the array, and nowhere else."""
    time = "2026-11-30T15:14:02.123Z"
    batch = [_members(sdk, time, kind, anonymousId="a", userId="u1", integrations={}) for kind in _KINDS]
    for event in batch:
        device = {"id": "D0", "manufacturer": "Maker", "model": "Model 9", "name": "phone", "type": "phone"}
        event["context"] |= {
            "app": {"name": "Shop", "version": "4.2.1", "build": "118", "namespace": "com.example.shop"},
            "device": device,
            "os": {"name": "OS", "version": "17.5"},
            "network": {"wifi": True, "cellular": False, "bluetooth": False},
            "screen": {"width": 390, "height": 844, "density": 3},
            "locale": "en-US",
            "timezone": "UTC",
            **({"instanceId": _MESSAGE_ID} if instance else {}),
        }
        event["_metadata"] = {"bundled": [], "unbundled": [], "bundledIds": []}
    headers = _headers(
        ("Accept-Encoding", "gzip"), ("User-Agent", agent), ("Content-Type", "application/json; charset=utf-8")
    )
    return Captured(sdk, "/v1/b", headers, {"batch": batch, "sentAt": time, "writeKey": _KEY}, False, False)


def described() -> list[Captured]:
    """Batches of three SDKs for servers and three for phones."""
    phones = [
        _phone("analytics-swift", "analytics-swift/1.6.2", True),
        _phone("analytics-react-native", "okhttp/4.9.2", True),
        _phone("analytics-android", "analytics-android/4.11.3", False),
    ]
    return [_ruby(), _php(), _csharp(), *phones]

"""The sender's address that a delivery has, as the setting `client_address` keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest
from trackside.v1 import collector_service_pb2 as proto
from trackside.v1 import event_pb2

from tests.running import KEY, collect, collector

LONG = ":" + "1" * 100_000


@pytest.mark.parametrize(
    ("ip", "full", "truncated"),
    [
        ("203.0.113.9", "203.0.113.9", "203.0.113.0"),
        ("::ffff:203.0.113.9", "203.0.113.9", "203.0.113.0"),
        ("::FFFF:cb00:7109", "203.0.113.9", "203.0.113.0"),
        ("0:0:0:0:0:ffff:203.0.113.9", "203.0.113.9", "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("2001:DB8::1", "2001:DB8::1", "2001:db8::"),
        ("fe80::1%eth0", "fe80::1%eth0", "fe80::"),
        ("::203.0.113.9", "::203.0.113.9", "::"),
        ("shop.example", "shop.example", None),
        ("a:b", "a:b", None),
        (LONG, LONG, None),
    ],
)
def test_address_is_kept_as_the_setting_says(tmp_path: Path, ip: str, full: str, truncated: str | None) -> None:
    event = event_pb2.Event(message_id="m", user_id="u", page=event_pb2.Page())
    for setting, kept in (("full", full), ("truncated", truncated), ("off", None)):
        directory = tmp_path / setting
        directory.mkdir()
        with collector(directory, client_address=setting) as running:
            collect(running, [proto.Entry(event=event)], ip=ip, write_key=KEY)
            (queued,) = running.queued()
        assert queued.get("context", {}).get("ip") == kept

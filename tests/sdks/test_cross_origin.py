"""Pages of another origin send events with credentials, from a real browser."""

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.sdks.catalog import HERE
from tests.sdks.collector import run_collector
from tests.sdks.drive import PATIENCE_SECONDS
from tests.sdks.fault_proxy import FaultProxy, open_proxy

WAYS = ("fetch", "xhr", "beacon")
ACCEPTED = [200, {"Success": True}]
SEEN = {"fetch": ACCEPTED, "xhr": ACCEPTED, "refused": [400, "Invalid or missing writekey"], "beacon": True}


async def visit(collector: str, key: str) -> dict[str, Any]:
    """What the two pages saw."""
    arguments = (HERE / "javascript/cross-origin.mjs", collector, key)
    process = await asyncio.create_subprocess_exec("node", *arguments, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(PATIENCE_SECONDS):
        said, _ = await process.communicate()
    return json.loads(said)


def origins(proxy: FaultProxy, method: str) -> set[str]:
    return {exchange.request.header("origin") for exchange in proxy.exchanges if exchange.method == method}


async def test_page_of_another_origin_sends_with_credentials(tmp_path: Path) -> None:
    with run_collector(tmp_path, ["my-key"], []) as collector:
        async with open_proxy(collector.port) as proxy:
            seen = await visit(proxy.url, "my-key")
        records = collector.records("my-key")

    assert seen == {"page": SEEN, "frame": SEEN}
    sent = [f"{page} {way}" for page in ("page", "frame") for way in WAYS]
    assert [record["messageId"] for record in records] == sent
    for method in ("OPTIONS", "POST"):
        assert len(origins(proxy, method)) == 2
        assert "null" in origins(proxy, method)

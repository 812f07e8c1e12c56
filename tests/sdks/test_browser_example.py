"""The example page, opened in a browser and clicked."""

import asyncio
import json
from pathlib import Path

from tests.sdks.catalog import HERE
from tests.sdks.collector import run_collector
from tests.sdks.drive import PATIENCE_SECONDS

PAGE = HERE.parents[1] / "examples/browser/index.html"


async def click(port: int, key: str) -> list[str]:
    """What the page says after each of its buttons was clicked, the last first."""
    arguments = (HERE / "javascript/example.mjs", PAGE, f"http://127.0.0.1:{port}", key)
    process = await asyncio.create_subprocess_exec("node", *arguments, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(PATIENCE_SECONDS):
        said, _ = await process.communicate()
    return json.loads(said)


async def test_the_example_page_sends_events_and_says_what_became_of_them(tmp_path: Path) -> None:
    with run_collector(tmp_path, ["my-key"], []) as collector:
        accepted = await click(collector.port, "my-key")
        refused = await click(collector.port, "another-key")
        records = collector.records("my-key")

    assert accepted == ["page: 200, accepted", "track: 200, accepted", "identify: 200, accepted"]
    assert refused == [f"{kind}: 400, Invalid or missing writekey" for kind in ("page", "track", "identify")]
    assert [record["type"] for record in records] == ["identify", "track", "page"]
    assert records[1]["properties"] == {"book": "Sketch of the Engine", "price": 12.5}
    assert len({record["anonymousId"] for record in records}) == 1

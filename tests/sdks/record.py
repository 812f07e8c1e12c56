"""Records what the SDKs send, for tests/golden to send it again: `python -m tests.sdks.record`, after `make test-sdks`.

Each SDK makes every call that it has; its preflights and requests for settings are recorded too.
"""

import asyncio
import base64
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.sdks.calls import every_call
from tests.sdks.catalog import SDKS, Sdk
from tests.sdks.collector import Collector, run_collector
from tests.sdks.drive import drive
from tests.sdks.fault_proxy import Exchange

CAPTURES = Path(__file__).parents[1] / "golden/captures"


def recorded(exchange: Exchange) -> dict[str, object]:
    """A request in the form of tests/golden."""
    return {
        "time": exchange.time,
        "method": exchange.method,
        "path": exchange.target,
        "headers": exchange.request.headers,
        "body_base64": base64.b64encode(exchange.request.raw.partition(b"\r\n\r\n")[2]).decode(),
    }


async def record(sdk: Sdk, collector: Collector) -> None:
    proxy, _ = await drive(sdk, "every-call", collector, every_call(sdk))
    text = json.dumps([recorded(exchange) for exchange in proxy.exchanges], indent=1)
    (CAPTURES / f"{sdk.slug}.json").write_text(text + "\n")


def main() -> None:
    keys = [sdk.key("every-call") for sdk in SDKS]
    with TemporaryDirectory() as directory, run_collector(Path(directory), keys, ()) as collector:
        for sdk in SDKS:
            asyncio.run(record(sdk, collector))


if __name__ == "__main__":
    main()

"""Runs an SDK's driver through the fault proxy, and tells what was sent, what was answered and what is queued."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.sdks.catalog import Json, Scenario, Sdk
from tests.sdks.collector import Collector
from tests.sdks.fault_proxy import Exchange, Fault, open_proxy

PATIENCE_SECONDS = 100
COLLECTING = ("/v1/", "//v1/", "/beacon/v1/")


@dataclass(frozen=True)
class Run:
    """What one run of a driver did."""

    exchanges: list[Exchange]
    """The POSTs on collecting routes, in the order in which they came."""
    records: list[dict[str, Any]]
    """What is queued for its write key."""
    words: str
    """What the driver and the SDK wrote."""

    @property
    def queued(self) -> Counter[str]:
        """How often each call is in the queue."""
        return Counter(mark_of(record) for record in self.records)

    @property
    def answers(self) -> Counter[str]:
        """How often each status was seen by the SDK; "cut" where it saw none."""
        return Counter(str(exchange.status or "cut") for exchange in self.exchanges)

    @property
    def distinct_bodies(self) -> int:
        """How many requests there would have been without resends."""
        return len({tuple(sorted(mark_of(event) for event, _ in events_of(each))) for each in self.exchanges})

    def sent(self) -> list[tuple[Json, Json]]:
        """Every event on the wire, resends included, each with the context that its batch injects."""
        return [pair for exchange in self.exchanges for pair in events_of(exchange)]


def events_of(exchange: Exchange) -> list[tuple[Json, Json]]:
    """The events of one request, each with the context that the batch injects."""
    body = exchange.json()
    return [(event, body.get("context", {})) for event in body["batch"]] if "batch" in body else [(body, {})]


def mark_of(event: Json) -> str:
    """Which call an event is: its `call` member in properties or traits, and for an alias its type."""
    if event.get("type") == "alias" or "previousId" in event:
        return "alias"
    for members in (event.get("properties"), event.get("traits"), event.get("context", {}).get("traits")):
        if isinstance(members, dict) and "call" in members:
            return members["call"]
    return f"{event.get('type')} without a mark"


async def run(
    sdk: Sdk,
    scenario: Scenario,
    collector: Collector,
    calls: Sequence[Json],
    *,
    batch_size: int | None = None,
    faults: Sequence[Fault] = (),
) -> Run:
    """Let an SDK make the calls. Raises TimeoutError when its program does not end by itself."""
    async with open_proxy(collector.port) as proxy:
        proxy.faults.extend(faults)
        document = {"host": proxy.url, "writeKey": sdk.key(scenario), "batchSize": batch_size, "calls": calls}
        arguments = ("unload",) if scenario == "unload" else ()
        process = await asyncio.create_subprocess_exec(
            *sdk.command,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                words, _ = await process.communicate(json.dumps(document).encode())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        exchanges = [
            exchange for exchange in proxy.posts if exchange.target.startswith(COLLECTING) and exchange.target != "/v1/m"
        ]
    assert process.returncode == 0, f"the driver failed: {words.decode()}"
    return Run(exchanges, collector.records(sdk.key(scenario)), words.decode())

"""Runs an SDK's driver through the fault proxy, and tells what was sent, what was answered and what is queued."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from tests.sdks.catalog import Json, Scenario, Sdk
from tests.sdks.collector import Collector
from tests.sdks.fault_proxy import Exchange, Fault, FaultProxy, open_proxy

PATIENCE_SECONDS = 200
COLLECTING = ("/v1/", "//v1/", "/beacon/v1/")


@dataclass(frozen=True)
class Run:
    """What one run of a driver did."""

    sdk: Sdk
    scenario: Scenario
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
    def story(self) -> str:
        """Each request with its answer, and the words, for whoever reads a failure."""
        lines = [
            f"{each.target}: {len(each.text)} bytes in {len(each.request.body)}, {len(events_of(each))} events: "
            f"{each.status or 'cut'} {each.response.body[:200] if each.response and each.status != 200 else b''!r}"
            for each in self.exchanges
        ]
        return "\n".join([*lines, self.words])

    def assert_queued_once(self, marks: Iterable[str]) -> None:
        """Each of these calls is in the queue, and once; or, where the SDK is known to lose some, no more than them."""
        wanted = dict.fromkeys(marks, 1)
        if self.scenario in self.sdk.loses:
            assert self.queued != wanted, f"{self.sdk.name} no longer loses events: {self.scenario}"
            assert self.queued.items() <= wanted.items(), self.story
        else:
            assert self.queued == wanted, self.story

    @property
    def resends(self) -> int:
        """How many requests had the same events as one before."""
        distinct = {tuple(sorted(mark_of(event) for event, _ in events_of(each))) for each in self.exchanges}
        return len(self.exchanges) - len(distinct)

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
        if isinstance(members, dict):
            return str(cast("Json", members).get("call"))
    return "without a mark"


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
    proxy, words = await drive(sdk, scenario, collector, calls, batch_size=batch_size, faults=faults)
    exchanges = [post for post in proxy.posts if post.target.startswith(COLLECTING) and post.target != "/v1/m"]
    return Run(sdk, scenario, exchanges, collector.records(sdk.key(scenario)), words)


async def drive(
    sdk: Sdk,
    scenario: Scenario,
    collector: Collector,
    calls: Sequence[Json],
    *,
    batch_size: int | None = None,
    faults: Sequence[Fault] = (),
) -> tuple[FaultProxy, str]:
    """Run the driver's program to its end. Returns the proxy that it went through, and what it and the SDK wrote."""
    async with open_proxy(collector.port) as proxy:
        proxy.faults.extend(faults)
        document = {"host": proxy.url, "writeKey": sdk.key(scenario), "batchSize": batch_size, "calls": calls}
        process = await asyncio.create_subprocess_exec(
            *sdk.command,
            *(("unload",) if scenario == "unload" else ()),
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
    assert process.returncode == 0, f"the driver failed: {words.decode()}"
    return proxy, words.decode()

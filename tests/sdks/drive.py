"""Runs an SDK's program through the fault proxy to its end."""

import asyncio
import json
from collections.abc import Sequence

from tests.sdks.catalog import Json, Scenario, Sdk
from tests.sdks.collector import Collector
from tests.sdks.fault_proxy import Exchange, Fault, FaultProxy, open_proxy
from tests.sdks.marks import marks_of

PATIENCE_SECONDS = 200
QUIET_SECONDS = 4  # Longer than the first wait between two tries of the SDKs that stay open.
COLLECTING = ("/v1/", "//v1/", "/beacon/v1/")
BUSY = (429, 503)


def collecting(proxy: FaultProxy) -> list[Exchange]:
    """The POSTs on collecting routes, in the order in which they came."""
    return [post for post in proxy.posts if post.target.startswith(COLLECTING) and post.target != "/v1/m"]


async def drive(
    sdk: Sdk,
    scenario: Scenario,
    collector: Collector,
    calls: Sequence[Json],
    *,
    batch_size: int | None = None,
    faults: Sequence[Fault] = (),
) -> tuple[FaultProxy, str]:
    """Let the program make the calls. Returns the proxy that it went through, and what it and the SDK wrote.

    Raises TimeoutError when it does not end: by itself, or in a page or an app when it is closed.
    """
    leaves = scenario == "unload"
    async with open_proxy(collector.port, answering=not leaves) as proxy:
        proxy.faults.extend(faults)
        document = {
            "host": proxy.url,
            "writeKey": sdk.key(scenario),
            "batchSize": batch_size,
            "leaves": leaves,
            "calls": calls,
        }
        process = await asyncio.create_subprocess_exec(
            *sdk.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        words = asyncio.create_task(process.stdout.read())
        try:
            process.stdin.write(json.dumps(document).encode() + b"\n")
            if sdk.stays_open:
                waiting = asyncio.create_task(settled(sdk, scenario, proxy, len(calls)))
                await asyncio.wait((waiting, words), timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
            process.stdin.close()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        said = (await words).decode()
    assert process.returncode == 0, f"the driver failed: {said}"
    return proxy, said


async def settled(sdk: Sdk, scenario: Scenario, proxy: FaultProxy, calls: int) -> None:
    """Wait until each call was answered for good, and nothing more comes.

    A machine may be as slow as it likes: what is awaited are the answers, and only what should not come has a time.
    """

    def is_final(post: Exchange) -> bool:
        if sdk.sends_again:
            return post.status not in (None, *BUSY)
        return post.status is not None or post.response is not None

    def answered() -> bool:
        final = [post for post in collecting(proxy) if is_final(post)]
        if scenario in sdk.loses:
            return bool(final)
        return len({mark for post in final for mark in marks_of(post)}) == calls

    while True:
        proxy.moved.clear()
        try:
            async with asyncio.timeout(QUIET_SECONDS if answered() else None):
                await proxy.moved.wait()
        except TimeoutError:
            return

"""What a run of an SDK's program sent, what it was answered and what is queued."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.sdks.catalog import Json, Scenario, Sdk
from tests.sdks.collector import Collector
from tests.sdks.drive import collecting, drive
from tests.sdks.fault_proxy import Exchange, Fault
from tests.sdks.marks import events_of, mark_of, marks_of

MOST_TRIES = 10  # what the Go SDKs, which take no refusal for an answer, are known to make of one request


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
        """How often the SDK got each status; "cut" where it got none."""
        return Counter(str(exchange.status or "cut") for exchange in self.exchanges)

    @property
    def tries(self) -> int:
        """How often the one request was sent that was sent most often."""
        return max(Counter(tuple(sorted(marks_of(each))) for each in self.exchanges).values(), default=0)

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
        assert self.tries <= MOST_TRIES, self.story
        if self.scenario in self.sdk.loses:
            assert self.queued != wanted, f"{self.sdk.name} no longer loses events: {self.scenario}"
            assert self.queued.items() <= wanted.items(), self.story
        else:
            assert self.queued == wanted, self.story

    def sent(self) -> list[tuple[Json, Json]]:
        """Every event on the wire, resends included, each with the context that its batch injects."""
        return [pair for exchange in self.exchanges for pair in events_of(exchange)]


async def run(
    sdk: Sdk,
    scenario: Scenario,
    collector: Collector,
    calls: Sequence[Json],
    *,
    batch_size: int | None = None,
    faults: Sequence[Fault] = (),
) -> Run:
    """Let an SDK make the calls."""
    proxy, words = await drive(sdk, scenario, collector, calls, batch_size=batch_size, faults=faults)
    return Run(sdk, scenario, collecting(proxy), collector.records(sdk.key(scenario)), words)

"""What an SDK does when events are refused: what was valid is queued once, and it stops sending."""

import pytest

from tests.sdks import results
from tests.sdks.calls import track, tracks
from tests.sdks.catalog import Sdk
from tests.sdks.collector import Collector
from tests.sdks.run import MOST_TRIES, run


@pytest.mark.scenario("one-refused")
async def test_one_refused_event_does_not_hold_up_its_neighbours(sdk: Sdk, collector: Collector) -> None:
    refused = track("refused", **sdk.refused) if sdk.refused else track("refused", kilobytes=20)

    done = await run(sdk, "one-refused", collector, [*tracks("first"), refused, *tracks("last")])

    done.assert_queued_once(["first", "last"])
    assert len({id(event) for event, _ in done.sent()}) >= 3
    assert done.tries == 1
    results.note(sdk, "one-refused", done)


@pytest.mark.patience
@pytest.mark.scenario("all-refused")
async def test_refused_events_are_not_sent_for_ever(sdk: Sdk, collector: Collector) -> None:
    """Their write key is unknown, which is the one thing that an SDK cannot check itself."""
    done = await run(sdk, "all-refused", collector, tracks("first", "second", "third"))

    assert not done.queued
    assert set(done.answers) == {"400"}
    assert done.tries <= MOST_TRIES
    results.note(sdk, "all-refused", done)


@pytest.mark.scenario("large-event")
async def test_an_event_over_the_limit_does_not_take_its_neighbours_along(sdk: Sdk, collector: Collector) -> None:
    calls = [*tracks("first"), track("large", kilobytes=20), *tracks("last")]

    done = await run(sdk, "large-event", collector, calls)

    done.assert_queued_once(["first", "last"])
    assert done.tries == 1
    results.note(sdk, "large-event", done)


@pytest.mark.scenario("large-batch")
async def test_more_events_than_a_batch_may_hold_all_arrive(sdk: Sdk, collector: Collector) -> None:
    calls = [track(f"{number}", kilobytes=9) for number in range(65)]

    done = await run(sdk, "large-batch", collector, calls, batch_size=250)

    done.assert_queued_once(call["properties"]["call"] for call in calls)
    results.note(sdk, "large-batch", done)

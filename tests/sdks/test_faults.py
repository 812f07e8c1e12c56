"""What an SDK does when the server is busy or the line is cut: each event is queued, and queued once."""

import pytest

from tests.sdks import results
from tests.sdks.calls import every_call, tracks
from tests.sdks.catalog import Sdk
from tests.sdks.collector import Collector
from tests.sdks.run import run

MARKS = ("first", "second", "third")


@pytest.mark.patience
@pytest.mark.scenario("busy")
async def test_events_arrive_once_after_the_server_was_busy_twice(sdk: Sdk, collector: Collector) -> None:
    done = await run(sdk, "busy", collector, tracks(*MARKS), faults=["busy", "busy"])

    done.assert_queued_once(MARKS)
    assert done.answers["503"] == min(2, len(done.exchanges))
    assert done.tries <= 3
    results.note(sdk, "busy", done)


@pytest.mark.patience
@pytest.mark.scenario("cut")
async def test_events_whose_answer_was_lost_are_queued_once(sdk: Sdk, collector: Collector) -> None:
    """The server had queued them, so that a resend brings a second copy."""
    done = await run(sdk, "cut", collector, tracks(*MARKS), faults=["cut"])

    done.assert_queued_once(MARKS)
    assert done.answers["cut"] == 1
    assert done.tries <= 2
    results.note(sdk, "cut", done)


@pytest.mark.scenario("unload")
async def test_events_of_a_page_that_is_left_arrive_once(sdk: Sdk, collector: Collector) -> None:
    calls = every_call(sdk)

    done = await run(sdk, "unload", collector, calls)

    done.assert_queued_once(call["call"] for call in calls)
    results.note(sdk, "unload", done)

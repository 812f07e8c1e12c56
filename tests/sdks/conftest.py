"""One collector for all tests, in whichever worker they run, and the SDKs that are set up."""

import os
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.sdks.catalog import CHROMIUM, SCENARIOS, SDKS, Sdk
from tests.sdks.collector import Collector, run_collector

READY = [sdk for sdk in SDKS if sdk.ready.exists()]
MISSING = [sdk for sdk in SDKS if not sdk.ready.exists()]
collect_ignore = [] if CHROMIUM.exists() else ["test_browser_example.py", "test_cross_origin.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for language, sdks in groupby(READY, key=lambda sdk: sdk.language):
        terminalreporter.write_line(f"{language}: {', '.join(f'{sdk.name} {sdk.version}' for sdk in sdks)}")
    if MISSING:
        terminalreporter.write_line(f"Not set up, so not run: {', '.join(sdk.name for sdk in MISSING)}")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "scenario(name): what the SDK is put through; also part of its write key")
    config.addinivalue_line("markers", "patience: the SDK sends again")
    if MISSING and os.environ.get("CI") == "true":
        raise pytest.UsageError("SDKs are not set up: " + ", ".join(sdk.name for sdk in MISSING))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `sdk` runs for each SDK that has its scenario; the scenario is named by its marker."""
    if "sdk" in metafunc.fixturenames:
        (scenario,) = next(metafunc.definition.iter_markers("scenario")).args
        sdks = [sdk for sdk in READY if scenario in sdk.scenarios]
        metafunc.parametrize("sdk", sdks, ids=[sdk.name for sdk in sdks])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that wait long begin first, so that the others run beside them."""

    def waits(item: pytest.Item) -> bool:
        sdk = item.callspec.params["sdk"] if isinstance(item, pytest.Function) and hasattr(item, "callspec") else None
        return isinstance(sdk, Sdk) and sdk.waits_long and item.get_closest_marker("patience") is not None

    items.sort(key=lambda item: not waits(item))


RUNNING = pytest.StashKey[Collector]()


def running(config: pytest.Config) -> Collector:
    """The collector of this process, which is started when it is first asked for and ends with the tests."""
    if RUNNING not in config.stash:
        known = [(sdk, sdk.key(scenario)) for sdk in SDKS for scenario in SCENARIOS if scenario != "all-refused"]
        stack = ExitStack()
        config.add_cleanup(stack.close)
        directory = Path(stack.enter_context(TemporaryDirectory()))
        config.stash[RUNNING] = stack.enter_context(
            run_collector(
                directory,
                [key for sdk, key in known if sdk.sends_message_ids],
                [key for sdk, key in known if not sdk.sends_message_ids],
            )
        )
    return config.stash[RUNNING]


def pytest_configure_node(node: Any) -> None:
    """Tell each worker which collector is theirs."""
    collector = running(node.config)
    node.workerinput.update(port=collector.port, data=str(collector.data))


@pytest.fixture(scope="session")
def collector(pytestconfig: pytest.Config) -> Collector:
    given: dict[str, Any] | None = getattr(pytestconfig, "workerinput", None)
    return Collector(given["port"], Path(given["data"])) if given else running(pytestconfig)

"""The SDKs that are run, each at the version that its lock file pins."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

HERE = Path(__file__).parent
BUILD = HERE / ".build"
CHROMIUM = BUILD / "chromium"
KINDS = ("identify", "track", "page", "screen", "group", "alias")

Json: TypeAlias = Mapping[str, Any]
"""A JSON object."""
Scenario = Literal["every-call", "one-refused", "all-refused", "large-event", "large-batch", "busy", "cut", "unload"]
SCENARIOS: tuple[Scenario, ...] = (
    "every-call",
    "one-refused",
    "all-refused",
    "large-event",
    "large-batch",
    "busy",
    "cut",
    "unload",
)

LARGE = (
    "with `{}` raised from {} to 250 it does not see how large a batch is: 65 events of 9 KB are one request, "
    "which gets 413 and is dropped"
)

LEAVING = "A call made in the very moment in which the page is left is lost: the SDK takes each in a task of its own."
WITHOUT_DOT = (
    "The write key must have no dot in it: with one the SDK never finds what it kept for a page that was left."
)


@dataclass(frozen=True)
class Sdk:
    """One SDK, how it is driven, and what is particular to it."""

    name: str
    language: str
    version: str
    lines: str
    """How a program points it here: HOST and WRITE_KEY stand for the reader's own."""
    command: tuple[str, ...]
    ready: Path
    """Is there once the SDK is set up."""
    title: str = ""
    """What a reader knows it as, where that is not its name."""
    note: str = ""
    """What else a reader must know."""
    calls: tuple[str, ...] = KINDS
    largest_integer: int = 2**63 - 1
    keeps_nulls: bool = True
    one_user: bool = False
    """The SDK is for programs with one user, as browsers are: it remembers who that is."""
    identify_traits: Literal["traits", "context.traits"] = "traits"
    names_previous_id: bool = True
    """Its alias call takes the previous id; an SDK that remembers its user may take that one."""
    refused: Json | None = None
    """Members of a track call that the SDK sends and the server refuses; None where only the size can be wrong."""
    sends_message_ids: bool = True
    stays_open: bool = False
    """It runs in a page or an app, which does not end by itself: the test closes it."""
    sends_again: bool = True
    """When the server is busy, or gives no answer."""
    waits_long: bool = False
    """Up to a minute and more passes between its tries, whatever Retry-After says."""
    scenarios: tuple[Scenario, ...] = SCENARIOS[:-1]
    loses: Mapping[Scenario, str] = field(default_factory=dict[Scenario, str])
    """Where the SDK lets go of valid events by its own design, and how. A test holds it to that too."""

    def puts_user_id(self, kind: str) -> bool:
        """Whether a call's user is given with the call; in an SDK for one user, identify and alias alone do."""
        return not self.one_user or kind in ("identify", "alias")

    @property
    def slug(self) -> str:
        """The name with nothing in it that a file's name, an address or a write key may not have."""
        return re.sub(r"[^a-z0-9]+", "-", self.name).strip("-")

    def key(self, scenario: Scenario) -> str:
        """The write key of a run: each has its own, so that runs share a server."""
        return f"{self.slug}_{scenario}"


def pinned(file: str, pattern: str) -> str:
    """The version in a lock file, the pattern's first group."""
    match = re.search(pattern, (HERE / file).read_text())
    assert match is not None, f"{file} does not pin {pattern}"
    return match[1]


def python(name: str, module: str, *, keyword: str = "host", **particulars: Any) -> Sdk:
    start = f"import {module}" if module == "analytics" else f"import {module} as analytics"
    interpreter = BUILD / "python" / name / "bin/python"
    return Sdk(
        name=name,
        language="Python",
        version=pinned(f"python/{name}.lock", rf"(?m)^{name}==(\S+)"),
        lines=f'{start}\nanalytics.write_key, analytics.{keyword} = "WRITE_KEY", "HOST"',
        command=(str(interpreter), str(HERE / "python/driver.py"), module),
        ready=interpreter.parent.with_name("ready"),
        refused={"event": ""},
        **particulars,
    )


def javascript(name: str, package: str, lines: str, *command: str, language: str, **particulars: Any) -> Sdk:
    return Sdk(
        name=name,
        language=language,
        version=pinned("javascript/package.json", rf'"{package}": "(\S+)"'),
        lines=lines,
        command=("node", *(str(HERE / "javascript" / part) if part.endswith(".mjs") else part for part in command)),
        largest_integer=2**53 - 1,
        **particulars,
    )


def node(package: str, driver: str, lines: str, refused: Json, **particulars: Any) -> Sdk:
    return javascript(
        package,
        package,
        lines,
        driver,
        package,
        language="JavaScript (Node)",
        refused=refused,
        ready=BUILD / "javascript",
        **particulars,
    )


def browser(name: str, package: str, lines: str, **particulars: Any) -> Sdk:
    particulars = {"scenarios": SCENARIOS, "one_user": True, "stays_open": True, "ready": CHROMIUM, **particulars}
    return javascript(name, package, lines, "browser.mjs", name, language="JavaScript (browser)", **particulars)


def go(module: str, program: str, lines: str) -> Sdk:
    return Sdk(
        name=module.removeprefix("github.com/"),
        language="Go",
        version=pinned("go/go.mod", rf"{module} v(\S+)"),
        lines=lines,
        command=(str(BUILD / "go" / program),),
        ready=BUILD / "go" / program,
        waits_long=True,
    )


def jvm(name: str, module: str, language: str, main: str, lines: str, **particulars: Any) -> Sdk:
    artifact = name.split(":")[1]
    classes = HERE / "java" / module / "target"
    return Sdk(
        name=name,
        language=language,
        version=pinned(f"java/{module}/pom.xml", rf"<artifactId>{artifact}</artifactId>\s+<version>(\S+)</version>"),
        lines=lines,
        waits_long=language == "Java",
        command=("java", "-XX:TieredStopAtLevel=1", "-cp", f"{classes}/classes:{classes}/libraries/*", main),
        ready=classes / "ready",
        **particulars,
    )


def rust(name: str, program: str, lines: str, **particulars: Any) -> Sdk:
    return Sdk(
        name=name,
        language="Rust",
        version=pinned(f"rust/{program}/Cargo.toml", rf'(?m)^{name} = .*"=(\d\S*?)"'),
        lines=lines,
        command=(str(BUILD / "rust/debug" / f"{program}-driver"),),
        ready=BUILD / "rust/debug" / f"{program}-driver",
        sends_message_ids=False,
        **particulars,
    )


SDKS = (
    python("segment-analytics-python", "segment.analytics"),
    python("analytics-python", "analytics"),
    python(
        "rudder-sdk-python",
        "rudderstack.analytics",
        keyword="dataPlaneUrl",
        identify_traits="context.traits",
        loses={
            "large-batch": "its batches are of 100 events and of up to 4 MB: one of more than 500 KB gets 413 and is "
            "dropped. Lower `upload_size` where events are large"
        },
    ),
    python("customerio-cdp-analytics", "customerio.analytics"),
    python("events-sdk-python", "hightouch.htevents"),
    node(
        "@segment/analytics-node",
        "segment-node.mjs",
        'import { Analytics } from "@segment/analytics-node";\n'
        'const analytics = new Analytics({ writeKey: "WRITE_KEY", host: "HOST" });',
        refused={"event": ""},
        loses={"large-batch": LARGE.format("flushAt", "15")},
    ),
    node(
        "@customerio/cdp-analytics-node",
        "segment-node.mjs",
        'import { Analytics } from "@customerio/cdp-analytics-node";\n'
        'const analytics = new Analytics({ writeKey: "WRITE_KEY", host: "HOST" });',
        refused={"event": ""},
    ),
    node(
        "analytics-node",
        "callback-node.mjs",
        'const Analytics = require("analytics-node");\nconst analytics = new Analytics("WRITE_KEY", { host: "HOST" });',
        refused={"properties": "not an object"},
    ),
    node(
        "@rudderstack/rudder-sdk-node",
        "callback-node.mjs",
        'const Analytics = require("@rudderstack/rudder-sdk-node");\n'
        'const analytics = new Analytics("WRITE_KEY", { dataPlaneUrl: "HOST" });',
        refused={"properties": "not an object"},
        loses={"large-batch": LARGE.format("flushAt", "20")},
    ),
    browser(
        "analytics-next",
        "@segment/analytics-next",
        'import { AnalyticsBrowser } from "@segment/analytics-next";\n'
        'const analytics = AnalyticsBrowser.load({ writeKey: "WRITE_KEY", cdnURL: "HOST" });',
        title="@segment/analytics-next",
        note=LEAVING,
    ),
    browser(
        "analytics-next-batching",
        "@segment/analytics-next",
        'const integrations = { "Segment.io": { deliveryStrategy: { strategy: "batching" } } };\n'
        'const analytics = AnalyticsBrowser.load({ writeKey: "WRITE_KEY", cdnURL: "HOST" }, { integrations });',
        title="@segment/analytics-next (batching)",
        note=LEAVING,
    ),
    browser(
        "customerio-browser",
        "@customerio/cdp-analytics-browser",
        'import { AnalyticsBrowser } from "@customerio/cdp-analytics-browser";\n'
        'const analytics = AnalyticsBrowser.load({ writeKey: "WRITE_KEY", cdnURL: "HOST/customerio" });',
        title="@customerio/cdp-analytics-browser",
        note="Customer.io's SDK looks for another name in its settings than Segment's, so the path is another.",
        loses={"busy": "it takes every answer for a success: what a busy server turned away is not sent again"},
    ),
    browser(
        "rudderstack-js",
        "@rudderstack/analytics-js",
        'const analytics = new RudderAnalytics();\nanalytics.load("WRITE_KEY", "HOST", { configUrl: "HOST" });',
        title="@rudderstack/analytics-js",
        note=WITHOUT_DOT,
        calls=tuple(kind for kind in KINDS if kind != "screen"),
        identify_traits="context.traits",
        keeps_nulls=False,
        loses={
            "large-batch": "in its batch mode, which is off by default, it makes batches of up to 524,288 bytes "
            "and drops one that gets 413: set `queueOptions.batch.maxSize` to 500 KB, or the collector's "
            "`--max-batch-bytes` to 524288"
        },
    ),
    browser(
        "rudderstack-js-beacon",
        "@rudderstack/analytics-js",
        "const analytics = new RudderAnalytics();\n"
        'analytics.load("WRITE_KEY", "HOST", { configUrl: "HOST", useBeacon: true });',
        title="@rudderstack/analytics-js (beacons)",
        note=WITHOUT_DOT,
        calls=tuple(kind for kind in KINDS if kind != "screen"),
        identify_traits="context.traits",
        keeps_nulls=False,
        sends_again=False,
        loses={
            "busy": "a beacon has no answer: what a busy server turned away is not sent again",
            "large-batch": "the browser takes 64 KB of beacons at a time: the SDK drops what is more",
        },
    ),
    go(
        "github.com/segmentio/analytics-go/v3",
        "segment",
        'import "github.com/segmentio/analytics-go/v3"\n'
        'client, err := analytics.NewWithConfig("WRITE_KEY", analytics.Config{Endpoint: "HOST"})',
    ),
    go(
        "github.com/rudderlabs/analytics-go/v4",
        "rudderstack",
        'import "github.com/rudderlabs/analytics-go/v4"\n'
        'client, err := analytics.NewWithConfig("WRITE_KEY", analytics.Config{DataPlaneUrl: "HOST"})',
    ),
    jvm(
        "com.segment.analytics.java:analytics",
        "segment",
        "Java",
        "Driver",
        "import com.segment.analytics.Analytics;\n"
        'Analytics analytics = Analytics.builder("WRITE_KEY").endpoint("HOST").build();',
        keeps_nulls=False,
    ),
    jvm(
        "com.rudderstack.sdk.java.analytics:analytics",
        "rudderstack",
        "Java",
        "Driver",
        "import com.rudderstack.sdk.java.analytics.RudderAnalytics;\n"
        'RudderAnalytics analytics = RudderAnalytics.builder("WRITE_KEY").setDataPlaneUrl("HOST").build();',
        keeps_nulls=False,
    ),
    jvm(
        "com.segment.analytics.kotlin:core",
        "kotlin",
        "Kotlin",
        "DriverKt",
        "import com.segment.analytics.kotlin.core.*\n"
        'val analytics = Analytics(Configuration("WRITE_KEY", apiHost = "HOST/v1", cdnHost = "HOST/v1"))',
        note="`HOST` has no scheme here, as in `events.example.com`: the SDK speaks HTTPS alone. The tests reach the "
        "collector without TLS through the `requestFactory` of its configuration, and have its own messages go through "
        "one thread. A call made in the moment in which the SDK is created is lost: it does not know its user yet.",
        calls=tuple(kind for kind in KINDS if kind != "page"),
        one_user=True,
        names_previous_id=False,
        stays_open=True,
        refused={"event": ""},
    ),
    rust(
        "segment",
        "segment",
        "use segment::{AutoBatcher, Batcher, HttpClient};\n"
        'let client = HttpClient::new(Default::default(), "HOST".into());',
        refused={"event": ""},
        sends_again=False,
        loses={"busy": "it never sends again: its caller gets the error"},
    ),
    rust(
        "rudderanalytics",
        "rudderstack",
        "use rudderanalytics::client::RudderAnalytics;\n"
        'let analytics = RudderAnalytics::load("WRITE_KEY".into(), "HOST".into());',
        refused={"event": ""},
    ),
)

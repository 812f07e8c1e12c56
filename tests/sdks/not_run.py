"""The SDKs that are not run here: those whose recorded requests are replayed, and those without any proof."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recorded:
    """An SDK that no registry here has. tests/golden replays requests that it sent."""

    name: str
    version: str
    language: str
    captures: tuple[str, ...]
    """The files in tests/golden/captures, without their ending."""
    recorded_from: str = "the SDK, elsewhere"
    in_place_of_message_id: str = ""
    """Where it does not always send a messageId: the value that it sends."""


RECORDED = (
    Recorded("analytics-ruby", "2.5.0", "Ruby", ("captured.analytics-ruby-2.5.0.ok",)),
    Recorded("analytics-php", "3.8.2", "PHP", ("captured.analytics-php-3.8.2-lib_curl.ok",)),
    Recorded(
        "simple_segment",
        "1.6.0",
        "Ruby",
        ("captured.simple_segment-1.6.0.ok", "captured.simple_segment-1.6.0.400"),
        in_place_of_message_id="`messageId: null` where the caller gives none",
    ),
    Recorded(
        "@ht-sdks/events-sdk-js-node",
        "1.1.0",
        "JavaScript (Node)",
        ("captured.events-sdk-js-node-1.1.0.source",),
        recorded_from="a build of its repository at 724abcf, not the published package",
    ),
    Recorded(
        "@metarouter/react-native-sdk",
        "1.7.0",
        "JavaScript (React Native)",
        ("captured.metarouter-react-native-sdk-1.7.0.source",),
        recorded_from="a build of its repository at e68f763, not the published package, in Node: "
        "React Native's modules were stubs, and the HTTP headers are Node's",
    ),
)

UNPROVED = {
    "rudder-sdk-ruby": "Debian has Ruby but not the SDK; RubyGems is out of reach here.",
    "rudder-sdk-php": "Debian has PHP but not the SDK; Packagist is out of reach here.",
    "Analytics.NET, Analytics-CSharp (Segment), rudder-sdk-.net": "NuGet is out of reach here.",
    "analytics-swift, analytics-ios, rudder-sdk-ios, MetaRouter's iOS SDK": "They need Apple's toolchain.",
    "analytics-android, rudder-sdk-android, MetaRouter's Android SDK": (
        "They need an Android device. analytics-kotlin, which is run, is what Segment's is made of."
    ),
    "@segment/analytics-react-native, rudder-sdk-react-native": "They need a device with React Native's modules.",
    "@metarouter/analytics-react-native": (
        "Its JavaScript sends nothing: it hands every call to a native module, which needs a device."
    ),
    "rudderlabs/analytics-go 4.2.2": "The Go module proxy serves no archive of it; 4.2.1 is run.",
}
"""Nothing here shows that these work, and why."""

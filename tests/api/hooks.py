"""What schemathesis needs to know of Trackside to make requests that are accepted."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import schemathesis
from hypothesis import strategies as st

_FORMAT = "event-in-base64"
_OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timedelta(minutes=minutes))
_TEXT = st.text(min_size=1, max_size=20)
_EVENT = st.fixed_dictionaries(
    # What any kind requires; the members of other kinds are kept as they are.
    dict.fromkeys(("messageId", "userId", "event", "groupId", "previousId"), _TEXT),
    optional={name: st.dictionaries(st.text(max_size=5), st.integers(), max_size=3) for name in ("context", "traits")},
)


def _base64(event: dict[str, Any], url_safe: bool) -> str:
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    return encode(json.dumps(event).encode()).decode()


schemathesis.openapi.format(_FORMAT, st.builds(_base64, _EVENT, st.booleans()))

# A time must be of the years 1 to 9999 in UTC too, which `date-time` does not say.
_TIMES = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.builds(timezone, _OFFSETS))
schemathesis.openapi.format("date-time", _TIMES.map(datetime.isoformat))


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Generators do not look into `contentSchema`, so a pixel's data gets a format that they know.

    OpenAPI cannot say that one of two parameters must be there, so flat pixels get those that every kind requires.
    """
    for path, methods in raw_schema["paths"].items():
        for operation in methods.values():
            if path.startswith("/pixel/v1/"):
                operation["parameters"] = [
                    {**parameter, "required": True, "schema": {"type": "string", "minLength": 1}}
                    for parameter in operation.get("parameters", ())
                    if parameter["name"] in ("messageId", "userId", "event")
                ]
            for parameter in operation.get("parameters", ()):
                if "contentSchema" in parameter["schema"]:
                    parameter["schema"] = {"type": "string", "format": _FORMAT}

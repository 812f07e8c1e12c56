"""The calls that the tests have SDKs make. Each carries its own mark, so that it is known again in the queue."""

from tests.sdks.catalog import Json, Sdk

NOTE = 'naïve — 日本語 🎉 "quoted" \\ \u2028 </script>'


def free_form(sdk: Sdk, mark: str) -> Json:
    """Properties or traits of every shape that JSON has."""
    return {
        "call": mark,
        "text": NOTE,
        "integer": sdk.largest_integer,
        "negative": -sdk.largest_integer,
        "fraction": 19.99,
        "yes": True,
        "nothing": None,
        "nested": {"list": [1, {"deep": {"deeper": [NOTE, None, {}]}}], "nothing": None},
    }


def every_call(sdk: Sdk) -> list[Json]:
    """Each call that the SDK has, once."""
    context = {"ip": "192.0.2.7", "campaign": {"name": NOTE}, "own": {"n": 1}}
    user = {"userId": "user-1"}
    calls: dict[str, Json] = {
        "identify": {**user, "traits": free_form(sdk, "identify"), "context": context},
        "track": {**user, "event": NOTE, "properties": free_form(sdk, "track"), "integrations": {"Mailer": False}},
        "page": {**user, "name": "Home", "properties": free_form(sdk, "page")},
        "screen": {**user, "name": "Main", "properties": free_form(sdk, "screen")},
        "group": {**user, "groupId": "group-1", "traits": free_form(sdk, "group")},
        "alias": {**user, "previousId": "user-0"} if sdk.names_previous_id else user,
    }
    return [{"call": kind, **calls[kind]} for kind in sdk.calls]


def tracks(*marks: str) -> list[Json]:
    """A small, valid track call for each mark."""
    return [track(mark) for mark in marks]


def track(mark: str, *, kilobytes: int = 0, **members: object) -> Json:
    """A track call with about so many kilobytes of properties. `members` replace the call's own."""
    properties = {"call": mark, "padding": "x" * (kilobytes * 1024)} if kilobytes else {"call": mark}
    return {"call": "track", "userId": "user-1", "event": "Tested", "properties": properties, **members}

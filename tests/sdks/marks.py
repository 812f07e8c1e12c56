"""Which calls a request carries: each call has its own mark, wherever an SDK puts it."""

from typing import cast

from tests.sdks.catalog import Json
from tests.sdks.fault_proxy import Exchange


def events_of(exchange: Exchange) -> list[tuple[Json, Json]]:
    """The events of one request, each with the context that the batch injects."""
    body = exchange.json()
    return [(event, body.get("context", {})) for event in body["batch"]] if "batch" in body else [(body, {})]


def marks_of(exchange: Exchange) -> list[str]:
    """The marks of the events of one request."""
    return [mark_of(event) for event, _ in events_of(exchange)]


def mark_of(event: Json) -> str:
    """Which call an event is: its `call` member in properties or traits, and for an alias its type."""
    if event.get("type") == "alias" or "previousId" in event:
        return "alias"
    for members in (event.get("properties"), event.get("traits"), event.get("context", {}).get("traits")):
        if isinstance(members, dict):
            return str(cast("Json", members).get("call"))
    return "without a mark"

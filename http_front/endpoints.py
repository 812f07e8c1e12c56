"""An endpoint collects events: it reads a request's events, sends them to the service, and gives the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from trackside.v1 import collector_service_pb2 as proto

from event_model import jsontext
from http_front import responses
from http_front.client_info import ClientInfo
from http_front.coalescer import Coalescer, Done, Verdicts
from http_front.collecting import Collected
from http_front.errors import Rejected
from http_front.responses import Encoded

Fill = Callable[[Collected, str], Iterable[None]]
"""Reads a body's text into a parsed request, step by step. Raises Rejected, and jsontext's errors."""


class Endpoint(NamedTuple):
    """A route that collects events. The router names it as the route's handler."""

    path: str
    """Its name in the metrics."""
    form: responses.Form
    fill: Fill
    key_in_query: bool = False
    """A write key in the query counts before every other."""
    is_pixel: bool = False
    """The event stands in the query, and the answer is an image."""

    def read(self, body: bytes | str) -> Collected:
        """The events of a body."""
        collected = Collected(self.form)
        for _ in self.steps(collected, body):
            pass
        return collected

    def steps(self, collected: Collected, body: bytes | str) -> Iterator[None]:
        """Add the events of a body, some at each step, so that other requests can have their turn in between.

        A body that is not JSON is read again after JavaScript's and Python's additions to JSON were mended.
        """
        text = ""
        try:
            text = body if isinstance(body, str) else decoded(body)
            try:
                yield from self.fill(collected, text)
            except jsontext.Malformed:
                collected.entries.clear()
                yield from self.fill(collected, jsontext.mend(text))
        except jsontext.Malformed as error:
            why = str(error) if text.strip() else "It is empty"
            collected.refuse(Rejected(proto.REASON_MALFORMED_JSON, "", why), text)
        except jsontext.TooDeep:
            collected.refuse(Rejected(proto.REASON_NESTED_TOO_DEEP), text)
        except Rejected as rejection:
            collected.refuse(rejection, text)

    def rejected(self, rejection: Rejected, body: str = "") -> Collected:
        """The parsed request that stands for a body that could not be read at all."""
        collected = Collected(self.form)
        collected.refuse(rejection, body)
        return collected

    def answer(self, collected: Collected, verdicts: Verdicts, *, partly: int) -> Encoded:
        """`partly` is the status where some events were accepted and some rejected."""
        if verdicts.retry:
            return responses.encode(responses.retry(verdicts.retry, verdicts.delay, collected.form))
        if verdicts.refusals:
            ids = collected.message_ids()
            return responses.encode(responses.rejected(verdicts.refusals, ids, collected.form, partly=partly))
        return responses.PIXEL if self.is_pixel else responses.SUCCESS


def decoded(body: bytes) -> str:
    """The body as text, without a byte-order mark. Raises Rejected."""
    try:
        return body.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise Rejected(proto.REASON_MALFORMED_JSON, "", f"not UTF-8 at byte {error.start}") from None


def submit(coalescer: Coalescer, collected: Collected, client: ClientInfo, done: Done) -> None:
    """Send the events to the service. `done` gets their verdicts, after this has returned."""
    delivery = client.encoded()
    if collected.delivery is not None:  # the batch's own fields follow, so that they count
        delivery += collected.delivery.SerializeToString()
    coalescer.submit(collected.entries, delivery, done)

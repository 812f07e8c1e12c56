"""What happens to a request's body, whichever way it came in: read, sent to the service, and answered."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from sanic import HTTPResponse
from trackside.v1 import collector_service_pb2 as proto

from event_model import jsontext
from http_front import answers
from http_front.coalescer import Coalescer, Done, Verdicts
from http_front.parsed_request import ParsedRequest
from http_front.refusals import Refused
from http_front.sender import Sender, delivery, encoded_delivery

Fill = Callable[[ParsedRequest, bytes], Iterable[None]]
"""Reads a body's text into what was collected, step by step. Raises Refused, and jsontext's errors."""


class Door(NamedTuple):
    """A route that collects events."""

    path: str
    """Its name in the metrics."""
    form: answers.Form
    fill: Fill
    key_in_query: bool = False
    """Whether a write key in the query goes before every other."""

    def read(self, body: bytes | str) -> ParsedRequest:
        """The events of a body."""
        collected = ParsedRequest(self.form)
        for _ in self.steps(collected, body):
            pass
        return collected

    def steps(self, collected: ParsedRequest, body: bytes | str) -> Iterator[None]:
        """Add the events of a body, some at each step: where there are many, others can have their turn in between.

        One that is not JSON is read again with what JavaScript and Python write mended.
        """
        text = b""
        try:
            text = body.encode() if isinstance(body, str) else utf8(body)
            try:
                yield from self.fill(collected, text)
            except jsontext.Malformed:
                collected.clear()
                yield from self.fill(collected, jsontext.mend(text.decode()).encode())
        except jsontext.Malformed as error:
            why = str(error) if text.strip() else "It is empty"
            collected.refuse(Refused(proto.REASON_MALFORMED_JSON, "", why), text)
        except jsontext.TooDeep:
            collected.refuse(Refused(proto.REASON_NESTED_TOO_DEEP), text)
        except Refused as refusal:
            collected.refuse(refusal, text)

    def refused(self, refusal: Refused, body: bytes = b"") -> ParsedRequest:
        """What stands for a body that could not be read at all."""
        collected = ParsedRequest(self.form)
        collected.refuse(refusal, body)
        return collected


def utf8(body: bytes) -> bytes:
    """The body without a byte-order mark. Raises Refused where it is not UTF-8, which msgspec does not check."""
    try:
        body.decode()
        return body.removeprefix(codecs.BOM_UTF8)
    except UnicodeDecodeError as error:
        raise Refused(proto.REASON_MALFORMED_JSON, "", f"not UTF-8 at byte {error.start}") from None


def submit(coalescer: Coalescer, collected: ParsedRequest, sender: Sender, connected: str, done: Done) -> None:
    """Send what was collected to the service; `connected` is the address of the sender's connection."""
    own = collected.delivery
    if own is None:
        coalescer.submit(collected.entries, encoded_delivery(sender, connected), done)
        return
    shared = delivery(sender, connected)
    write_key = own.write_key
    own.MergeFrom(shared)
    own.write_key = write_key or shared.write_key
    coalescer.submit(collected.entries, own.SerializeToString(), done)


def answer(collected: ParsedRequest, verdicts: Verdicts, *, partly: int) -> HTTPResponse | None:
    """The answer to a request, or None where all is well. `partly` is the status where some events were refused."""
    if verdicts.retry:
        return answers.retry(verdicts.retry, verdicts.delay, collected.form)
    if verdicts.refusals:
        return answers.refused(verdicts.refusals, collected.message_ids(), collected.form, partly=partly)
    return None

"""An endpoint collects events: it reads a request's events, sends them to the service, and gives the answer."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from trackside.v1 import collector_service_pb2 as proto

from event_model import jsontext
from http1.request_head import RequestHead
from http_front import form, responses
from http_front.api_description import Description
from http_front.coalescer import Verdicts
from http_front.cors import DUPLICATE
from http_front.errors import Rejected
from http_front.parsed_request import ParsedRequest
from http_front.responses import Encoded

_WORD = re.compile(r"\w+")
Fill = Callable[[ParsedRequest, bytes], Iterable[None]]
"""Reads a body's text into a parsed request, step by step. Raises Rejected, and jsontext's errors."""


class Endpoint(NamedTuple):
    """A route that collects events. The router names it as the route's handler."""

    path: str
    """Its name in the metrics."""
    form: responses.Form
    fill: Fill
    key_in_query: bool = False
    """A write key in the query counts before every other."""
    reads_form: bool = False
    """The body may be a form with one field, whose value is the body."""
    names: Mapping[str, str] = {}
    """What senders call members of an event otherwise, by the member."""
    text_in_query: Callable[[str], bytes] | None = None
    """Reads the event's text in the query, where it is not the body. Raises Rejected."""
    description: Description | None = None
    """For the OpenAPI document."""

    def read(self, body: bytes, head: RequestHead) -> ParsedRequest:
        """The events of a body."""
        request = ParsedRequest(self.form, head)
        for _ in self.steps(request, body):
            pass
        return request

    def steps(self, request: ParsedRequest, body: bytes) -> Iterator[None]:
        """Add the events of a body, some at each step, so that other requests can have their turn in between.

        A body that is not JSON is read again after JavaScript's and Python's additions to JSON were mended.
        """
        text = b""
        try:
            text = utf8(body)
            if self.reads_form and form.is_form(request.head, text):
                text = utf8((yield from form.only_value(text)))
            try:
                yield from self.fill(request, text)
            except jsontext.Malformed:
                request.clear()
                yield from self.fill(request, jsontext.mend(text.decode()).encode())
        except jsontext.Malformed as error:
            why = str(error) if text.strip() else "It is empty"
            request.refuse(Rejected(proto.REASON_MALFORMED_JSON, "", why), text)
        except jsontext.TooDeep:
            request.refuse(Rejected(proto.REASON_NESTED_TOO_DEEP), text)
        except Rejected as rejection:
            request.refuse(rejection, text)

    def rejected(self, rejection: Rejected, body: bytes = b"") -> ParsedRequest:
        """The parsed request that stands for a body that could not be read at all."""
        request = ParsedRequest(self.form)
        request.refuse(rejection, body)
        return request

    def answer(self, request: ParsedRequest, verdicts: Verdicts, *, partly: int) -> Encoded:
        """`partly` is the status where some events were accepted and some rejected."""
        answer = self._answer(request, verdicts, partly)
        duplicates = verdicts.outcomes.count(proto.OUTCOME_DUPLICATE)
        return answer.with_header(DUPLICATE, duplicates) if duplicates else answer

    def _answer(self, request: ParsedRequest, verdicts: Verdicts, partly: int) -> Encoded:
        if verdicts.retry:
            return responses.encode(responses.retry(verdicts.retry, verdicts.delay, request.form))
        if verdicts.refusals:
            ids = request.message_ids()
            refusals = [self._in_senders_names(refusal) for refusal in verdicts.refusals]
            return responses.encode(responses.rejected(refusals, ids, request.form, partly=partly))
        return responses.ACCEPTED[request.form]

    def _in_senders_names(self, refusal: proto.Refusal) -> proto.Refusal:
        if refusal.field not in self.names:
            return refusal
        description = _WORD.sub(lambda word: self.names.get(word[0], word[0]), refusal.description)
        return proto.Refusal(
            index=refusal.index, reason=refusal.reason, field=self.names[refusal.field], description=description
        )


def utf8(body: bytes) -> bytes:
    """The body without a byte-order mark. Raises Rejected where it is not UTF-8, which msgspec does not check."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise Rejected(proto.REASON_MALFORMED_JSON, "", f"not UTF-8 at byte {error.start}") from None
    return body.removeprefix(codecs.BOM_UTF8)

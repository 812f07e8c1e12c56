"""A connection: it reads one request after another, and writes their answers in the same order."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any, Protocol, cast

from sanic import Sanic
from sanic.exceptions import PayloadTooLarge, RequestTimeout, SanicException, ServiceUnavailable
from sanic.models.server_types import ConnInfo

from http1.request_head import RequestHead, check_start, parse_head

HEAD_BYTES = 49_152  # a pixel of 15 KB is 20 KB of base64, and up to three times that percent-encoded
DISCARDED_BYTES = 67_108_864
"""Bytes that nobody wants which are read, so that a client that writes before it reads sees the answer."""
_HEAD_END = b"\r\n\r\n"
_EMPTY_LINES = re.compile(rb"(?:\r\n)++")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BUFFER_BYTES = 65_536
"""With more unread bytes than these, nothing more is received until the request before them is answered."""
_LINGER_SECONDS = 2.0
"""Silence after which a connection that was told its last answer is closed."""
_LAST_REQUEST_SECONDS = 1.0
"""At a stop, the time in which an idle client may send once more, and is told that it was the last."""


class Exchange(Protocol):
    """One request and its answer."""

    answered: bool
    keep_alive: bool

    is_received: bool
    """The body has come to its end, or is not read any further."""

    def begin(self) -> None:
        """Handle a request whose head was read. It may be answered at once."""
        ...

    def receive(self, received: bytes, start: int) -> int:
        """Take the body's bytes from `start` on, and return where they end."""
        ...

    def fail(self, error: SanicException) -> None:
        """Answer that HTTP forbids this, if nothing else was answered, and read nothing more."""
        ...

    def cancel(self) -> None:
        """The client is gone."""
        ...


class Connection(asyncio.Protocol):
    """Sanic makes one for each connection. It calls `close_if_idle` and `abort` when it stops."""

    def __init__(
        self,
        *,
        exchange: Callable[[Any, RequestHead], Exchange],
        loop: asyncio.AbstractEventLoop,
        app: Sanic[Any, Any],
        signal: Any,
        connections: set[Any],
        **_: Any,
    ) -> None:
        """`exchange` makes the exchange of a request whose head was read on this connection."""
        self.app = app
        self._new_exchange = exchange
        self.transport: Any = None
        self.info: Any = None
        self._loop = loop
        self._signal = signal
        self._connections = connections
        self._exchange: Exchange | None = None
        """The request whose body is read, or that is being answered."""
        self._received = b""
        self._start = 0
        """Where the unread part of `_received` starts."""
        self._searched = 0
        """Up to where the end of a head was looked for."""
        self._is_reading_head = False
        self._is_scheduled = False
        """The event loop is going to call `_read_scheduled`."""
        self._can_write = True
        self._client_ended = False
        self._linger_until = 0.0
        """After the last answer, until when bytes are read and discarded."""
        self._lingered_bytes = 0
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        transport.set_write_buffer_limits(low=16_384, high=65_536)
        self.transport = transport
        self.info = ConnInfo(transport)
        self._connections.add(self)
        self._wait(self.app.config.KEEP_ALIVE_TIMEOUT)
        self._check_deadline()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._connections.discard(self)
        self._received, self._start = b"", 0
        if self._timer:
            self._timer.cancel()
        if self._exchange:
            self._exchange.cancel()

    def data_received(self, data: bytes) -> None:
        if self._linger_until:
            self._linger(len(data))
            return
        if unread := self._received[self._start :]:
            data = unread + data
        self._searched = max(0, self._searched - self._start)
        self._received, self._start = data, 0
        self._read()
        if len(data) > _BUFFER_BYTES and self._unread > _BUFFER_BYTES:
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        """The connection stays open while requests that came whole are not answered."""
        self._client_ended = True
        self._read()
        return not (self._linger_until or self.transport.is_closing())

    def pause_writing(self) -> None:
        self._can_write = False

    def resume_writing(self) -> None:
        self._can_write = True
        self._read_soon()

    def close_if_idle(self) -> bool:
        """An idle client that is about to send once more is answered, and told that it was the last time."""
        self._loop.call_later(_LAST_REQUEST_SECONDS, self._close_idle)
        return False

    def _close_idle(self) -> None:
        if not self._exchange and not self._unread:
            self.close()

    def close(self) -> None:
        """Close when the client has read its answers, for which it has as long as for a body."""
        self.transport.close()
        self._wait(self.app.config.REQUEST_TIMEOUT)

    def abort(self) -> None:
        self.transport.abort()

    @property
    def _unread(self) -> int:
        return len(self._received) - self._start

    def _read_soon(self) -> None:
        """Read on in the next iteration of the event loop: the requests of all connections take turns."""
        if self._unread and not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._read_scheduled)

    def _read_scheduled(self) -> None:
        self._is_scheduled = False
        self._read()
        if self._unread <= _BUFFER_BYTES and not self.transport.is_closing():
            self.transport.resume_reading()

    def _read(self) -> None:
        """Read at most one request of the bytes that were received."""
        if self._is_scheduled or self._linger_until or self.transport.is_closing():
            return
        exchange = self._exchange
        if exchange is None and self._can_write:
            exchange = self._read_head()
        if exchange is not None and not exchange.is_received:
            self._read_body(exchange)
        if self._client_ended:
            exchange = self._exchange
            waits_for_client = not exchange.is_received if exchange else self._can_write or not self._unread
            if waits_for_client and not self._is_scheduled:
                self.close()  # the rest of the request will not come

    def _read_head(self) -> Exchange | None:
        """Begin with the next request, if its head was received."""
        try:
            head = self._take_head()
        except SanicException as error:
            self._fail(error)
            return None
        if head is None:
            return None
        self._is_reading_head = False
        exchange = self._exchange = self._new_exchange(self, head)
        self._wait(self.app.config.REQUEST_TIMEOUT if head.has_body else self.app.config.RESPONSE_TIMEOUT)
        exchange.begin()
        self._settle()
        return self._exchange

    def _take_head(self) -> RequestHead | None:
        """The next head, if it was received to its end. Raises what HTTP forbids."""
        if self._received.startswith(b"\r\n", self._start):  # RFC 9112, 2.2
            self._start = cast("re.Match[bytes]", _EMPTY_LINES.match(self._received, self._start)).end()
        if self._received[self._start : self._start + 2] in (b"", b"\r"):
            return None
        check_start(self._received, self._start)
        end = self._received.find(_HEAD_END, max(self._start, self._searched - 3))
        if end < 0 and not self._is_reading_head:
            self._is_reading_head = True
            self._wait(self.app.config.REQUEST_TIMEOUT)
        if (end if end >= 0 else len(self._received)) - self._start > HEAD_BYTES:
            raise PayloadTooLarge(f"A request's head may have {HEAD_BYTES} bytes")
        if end >= 0:
            head = parse_head(self._received[self._start : end + len(_HEAD_END)])
            self._start, self._searched = end + len(_HEAD_END), 0
            return head
        self._searched = len(self._received)
        return None

    def _read_body(self, exchange: Exchange) -> None:
        end = exchange.receive(self._received, self._start)
        if self._linger_until:
            return  # its answer was the last, and what was received is gone
        before, self._start = self._start, end
        if self._exchange is not exchange:
            return  # it was answered at once
        if exchange.is_received:
            self._wait(self.app.config.RESPONSE_TIMEOUT)
            self._settle()
        elif end > before:
            self._read_soon()

    def _fail(self, error: SanicException) -> None:
        """Answer a request whose head could not be read."""
        self._is_reading_head = False
        head = RequestHead()
        head.method = self._received[self._start : self._start + 5].partition(b" ")[0].decode(errors="replace")
        self._exchange = self._new_exchange(self, head)
        self._exchange.fail(error)

    def write_continue(self) -> None:
        self.transport.write(_CONTINUE)

    @property
    def is_last(self) -> bool:
        """The connection ends after this answer."""
        return self._signal.stopped or (self._client_ended and not self._unread)

    def write_answer(self, answer: bytes) -> None:
        """Write the answer to the request that was read last."""
        if not self.transport.is_closing():
            self.transport.write(answer)
            self._settle()

    def _settle(self) -> None:
        """Go on with the next request, if the present one was answered and its body has ended."""
        exchange = self._exchange
        if not exchange or not exchange.answered or not (exchange.is_received or not exchange.keep_alive):
            return
        self._exchange = None
        if exchange.keep_alive and not self._signal.stopped:
            self._wait(self.app.config.KEEP_ALIVE_TIMEOUT)
            self._read_soon()
        else:
            self._end()

    def _end(self) -> None:
        """End our side, and read a while longer: a client that is still writing would lose the answer otherwise."""
        if self._client_ended or self._signal.stopped or not self.transport.can_write_eof():
            self.close()
            return
        self._received, self._start = b"", 0
        self._linger_until = time.monotonic() + self.app.config.REQUEST_TIMEOUT
        self.transport.write_eof()
        self.transport.resume_reading()
        self._wait(_LINGER_SECONDS)

    def _linger(self, size: int) -> None:
        self._lingered_bytes += size
        self._wait(_LINGER_SECONDS)
        if self._lingered_bytes > DISCARDED_BYTES or time.monotonic() > self._linger_until:
            self.close()

    def _wait(self, seconds: float) -> None:
        self._deadline = self._loop.time() + seconds

    def _check_deadline(self) -> None:
        now = self._loop.time()
        if now >= self._deadline:
            if self.transport.is_closing():
                self.abort()  # the client does not read its answers
            else:
                self._expire(self._exchange)
        next_look = min(self._deadline, now + min(self.app.config.REQUEST_TIMEOUT, _LINGER_SECONDS))
        self._timer = self._loop.call_at(max(next_look, now + 0.01), self._check_deadline)

    def _expire(self, exchange: Exchange | None) -> None:
        if exchange is None:
            if self._is_reading_head:
                self._fail(RequestTimeout("The request's head took too long to arrive"))
            else:
                self.close()
        elif exchange.answered:
            self.close()
        elif not exchange.is_received:
            self._wait(self.app.config.RESPONSE_TIMEOUT)
            exchange.fail(RequestTimeout("The request's body took too long to arrive"))
        else:
            exchange.fail(ServiceUnavailable("The answer took too long"))
            if not exchange.answered:
                self.close()

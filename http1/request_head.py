"""A request's head, parsed by httptools. A head that two servers could read differently is rejected."""

from __future__ import annotations

import re
from functools import lru_cache

import httptools
from sanic.exceptions import BadRequest

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_HOST = re.compile(rb"(?:[A-Za-z0-9\-._~!$&'()*+;=%]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")
_HOST_BYTES = 300  # a name has at most 253
_OPTIONS_BYTES = 100  # of a Connection header that is remembered
_VERSIONS = (b" HTTP/1.1", b" HTTP/1.0")
_LENGTH_DIGITS = 20  # the parser lets any number of zeros stand before the length

_FIRST_LINE = "A request's first line must be a method, a path and HTTP/1.1"
_LINE_END = "Each line of a request's head must end in CR LF"
_HEADER = "Each header must be a name, a colon and a value, on a line of its own"
_CONTROL = "A request's head must be free of control characters"
_LENGTH = "Content-Length must be a number of bytes"
_CODING = "Transfer-Encoding must be chunked, or left out"
_TWO_LENGTHS = "Content-Length and Transfer-Encoding must not stand in one head together, nor twice"
_NO_TLS = "A request must begin with its method: this port speaks HTTP without TLS"
_FAULTS = {
    "can't be present": _TWO_LENGTHS,
    "Duplicate Content-Length": _TWO_LENGTHS,
    "Content-Length": _LENGTH,
    "Transfer-Encoding": _CODING,
    "Missing expected": _LINE_END,
    "Invalid header value": _CONTROL,
    "header": _HEADER,
}
"""The parser's words for a fault, and the sentence that the sender gets."""


class RequestHead:
    """The method, target and headers of one request. httptools calls the methods that begin with `on_`."""

    method = path = query = version = ""
    target = b""
    content_length = 0
    complete = chunked = keep_alive = False

    def __init__(self) -> None:
        self.headers: dict[bytes, bytes] = {}
        """By lower-case name. A header that comes several times is one list, as RFC 9110 says."""

    @property
    def has_body(self) -> bool:
        return self.chunked or self.content_length > 0

    def header(self, name: bytes) -> str:
        """A header's value as text, with U+FFFD for bytes that are not UTF-8; empty where it is absent."""
        value = self.headers.get(name)
        return value.strip().decode(errors="replace") if value else ""

    def on_url(self, target: bytes) -> None:
        self.target = target

    def on_header(self, name: bytes, value: bytes) -> None:
        name, headers = name.lower(), self.headers
        headers[name] = b"%b, %b" % (headers[name], value) if name in headers else value

    def on_headers_complete(self) -> None:
        self.complete = True


def check_start(received: bytes, start: int) -> None:
    """Raises BadRequest where no method begins, as in TLS, whose bytes may never end a line."""
    if not _TOKEN.match(received, start):
        raise BadRequest(_NO_TLS)


def parse_head(text: bytes) -> RequestHead:
    """The head of a request, from its method to the empty line. Raises BadRequest, whose message is for the sender."""
    try:
        head = _parsed(text)
    except httptools.HttpParserInvalidMethodError:
        # The parser knows a fixed list of methods. The router answers the others, as it does PUT.
        method, _, rest = text.partition(b" ")
        if not _TOKEN.fullmatch(method):
            raise BadRequest(_FIRST_LINE) from None
        head = _parsed(b"PUT " + rest)
        head.method = method.decode()
    _check(head, text)
    return head


def _parsed(text: bytes) -> RequestHead:
    head = RequestHead()
    parser = httptools.HttpRequestParser(head)
    try:
        parser.feed_data(text)
    except httptools.HttpParserUpgrade:
        pass  # no protocol but HTTP/1.1 is spoken here; the body follows as without the header
    except httptools.HttpParserInvalidMethodError:
        if head.complete:  # of what follows the empty line
            raise BadRequest(_FIRST_LINE) from None
        raise
    except httptools.HttpParserError as error:
        raise BadRequest(_sentence(str(error))) from None
    if not head.complete:
        raise BadRequest(_LINE_END)
    head.method = parser.get_method().decode()
    head.version = parser.get_http_version()
    return head


def _sentence(fault: str) -> str:
    return next((sentence for words, sentence in _FAULTS.items() if words in fault), _FIRST_LINE)


def _check(head: RequestHead, text: bytes) -> None:
    """Raise BadRequest for what the parser accepts and another server could read differently."""
    line = text[: text.find(b"\r\n")]
    if not line.endswith(_VERSIONS) or line.count(b" ") != 2 or b"#" in line:
        raise BadRequest(_FIRST_LINE)
    headers = head.headers
    if coding := headers.get(b"transfer-encoding"):
        if coding.strip().lower() != b"chunked":
            raise BadRequest(_CODING)
        if head.version == "1.0":
            raise BadRequest("HTTP/1.0 has no Transfer-Encoding")
        head.chunked = True
    host = headers.get(b"host")
    if host is None:
        if head.version == "1.1":
            raise BadRequest("A request of HTTP/1.1 must have a Host header")
    elif len(host) > _HOST_BYTES or not _is_host(host):
        raise BadRequest("There must be one Host header, with a host name and at most a port")
    length = headers.get(b"content-length", b"0").strip()
    if len(length) > _LENGTH_DIGITS:
        raise BadRequest(_LENGTH)
    head.content_length = int(length)
    head.keep_alive = head.version == "1.1"
    if connection := headers.get(b"connection"):
        options = _options(connection) if len(connection) <= _OPTIONS_BYTES else _options.__wrapped__(connection)
        head.keep_alive = b"close" not in options and (head.keep_alive or b"keep-alive" in options)
    target = head.target
    if not target.startswith(b"/"):
        target = _without_authority(target)
    path, _, query = target.partition(b"?")
    head.path, head.query = path.decode(), query.decode()


@lru_cache(1024)
def _is_host(host: bytes) -> bool:
    return _HOST.fullmatch(host.strip()) is not None


@lru_cache(256)
def _options(connection: bytes) -> frozenset[bytes]:
    return frozenset([option.strip() for option in connection.lower().split(b",")])


def _without_authority(target: bytes) -> bytes:
    """The path and query of a target in absolute form (RFC 9112, 3.2.2)."""
    try:
        url = httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError:
        raise BadRequest(_FIRST_LINE) from None
    return (url.path or b"/") + (b"?" + url.query if url.query else b"")

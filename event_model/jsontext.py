"""JSON text that is checked and taken apart, but never re-spelled: what a sender wrote is what is kept.

Numbers, escapes and the order of members stay as they are, because values are carried as text (`msgspec.Raw`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import accumulate
from typing import TypeAlias, TypeVar

import msgspec

T = TypeVar("T")
Raw: TypeAlias = msgspec.Raw
Members: TypeAlias = dict[str, msgspec.Raw]


class Malformed(ValueError):
    """The text is not JSON. The message says where it stops being so."""


class NotAnObject(ValueError):
    """The text is JSON of another type than was asked for."""


class TooDeep(ValueError):
    """Objects and arrays nest deeper than they may."""


_members = msgspec.json.Decoder(Members).decode
_elements = msgspec.json.Decoder(list[Raw]).decode
_encode = msgspec.json.encode

string: Callable[[Raw], str] = msgspec.json.Decoder(str).decode
"""The decoded value of a JSON string. Raises msgspec.ValidationError where it is none."""

# Possessive, so that hostile text cannot make it backtrack: 9 ms on 500 KB.
_MENDED = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[ \t\r\n]?-?\b(?:NaN|Infinity)\b', re.DOTALL)
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)


def mend(text: str) -> str:
    """Replace what JavaScript and Python write but JSON lacks: NaN and Infinity by null, lone surrogates by U+FFFD.

    The text keeps its length, by which events are bounded; but a NaN without white space before it gets a byte more.
    """

    def mended(match: re.Match[str]) -> str:
        token = match[0]
        if not token.startswith('"'):
            return "null".ljust(len(token))
        if "\\ud" not in token and "\\uD" not in token:  # no surrogate, lone or in a pair
            return token
        return _ESCAPE.sub(lambda escape: r"\ufffd" if escape[1] else escape[0], token)

    return _MENDED.sub(mended, text)


def members(text: str | bytes | Raw) -> Members:
    """The members of an object: decoded names, values as text. Of two with one name the last counts.

    Raises Malformed, NotAnObject or TooDeep.
    """
    return _taken_apart(text, _members)


def elements(text: str | bytes | Raw) -> list[Raw]:
    """The elements of an array, as text. Raises as `members` does."""
    return _taken_apart(text, _elements)


def _taken_apart(text: str | bytes | Raw, decode: Callable[[str | bytes | Raw], T]) -> T:
    try:
        return decode(text)
    except msgspec.ValidationError:
        raise NotAnObject from None
    except msgspec.DecodeError as error:
        raise Malformed(str(error)) from None
    except RecursionError:
        raise TooDeep from None


def decoded_object(text: str, nesting: int, decode: Callable[[str], T]) -> tuple[str, T]:
    """The text, mended where it must be and on one line, if it is one object of at most `nesting` levels.

    With it, what `decode` made of it: a msgspec decoder's method for a Struct, which skips what it has no field for.
    Raises Malformed, NotAnObject or TooDeep.
    """
    # Counting takes as long as decoding; what is shorter than its brackets would be needs none.
    if len(text) > 2 * nesting and text.count("{") + text.count("[") > nesting and depth(text) > nesting:
        raise TooDeep
    try:
        decoded = decode(text)
    except msgspec.ValidationError:
        raise NotAnObject from None
    except msgspec.DecodeError:
        text = mend(text)
        try:
            decoded = decode(text)
        except msgspec.DecodeError as error:
            raise Malformed(str(error)) from None
    # White space between tokens is no part of what was sent, and a record is one line.
    return (msgspec.json.format(text, indent=-1) if "\n" in text or "\r" in text else text), decoded


def depth(text: str) -> int:
    """How many levels of objects and arrays a text nests, whether or not it is well-formed."""
    brackets = _STRING.sub("", text).encode(errors="replace").translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets), initial=0))


_NO_BRACKETS = bytes(set(range(256)).difference(b"[{]}"))
_STEPS = {**dict.fromkeys(b"[{", 1), **dict.fromkeys(b"]}", -1)}


def quote(value: str) -> str:
    """A string as JSON text."""
    return _encode(value).decode()


def with_members(text: str, added: Members | dict[str, str]) -> str:
    """The object's text with members added at its end. They must not be in it."""
    if not added:
        return text
    return with_tail(text, ",".join([f"{quote(name)}:{_text(value)}" for name, value in added.items()]))


def with_tail(text: str, tail: str) -> str:
    """The object's text with members, which are text already, at its end."""
    head = text.rstrip()[:-1].rstrip()
    return f"{head}{tail}}}" if head[-1] == "{" else f"{head},{tail}}}"


def merged(upper: str, lower: Members) -> str:
    """The object `upper` with what `lower` has besides, deeply; where both have a member, upper's stays."""
    own = members(upper)
    added: Members = {}
    rewritten = False
    for name, beneath in lower.items():
        mine = own.get(name)
        if mine is None:
            added[name] = beneath
        elif _is_object(mine) and _is_object(beneath):
            own[name] = Raw(merged(_text(mine), members(beneath)))
            rewritten = True
    if rewritten:
        return with_members("{}", own | added)
    return with_members(upper, added)


def _is_object(text: Raw) -> bool:
    return bytes(memoryview(text)[:1]) == b"{"


def _text(value: Raw | str) -> str:
    return value if isinstance(value, str) else str(memoryview(value), "utf-8")

"""Protobuf's encoding, as far as it is written by hand: a message's bytes are those of its fields, one after another.

What is put together so spares a message of Python's for every event, which takes six times as long (1.8 against 0.3
µs to put an event into a call).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

VARINT, BYTES = 0, 2
"""How a field's value is encoded: as one number, or as its length and its bytes (strings and messages)."""


@lru_cache(1 << 14)
def varint(number: int) -> bytes:
    """A number that is not negative."""
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def tag(field: int, kind: int) -> bytes:
    """What a field begins with, by its number in the proto."""
    return varint(field << 3 | kind)


Prefix = Callable[[int], bytes]
"""Gives what stands before the content of a field of bytes, by the content's length."""


def prefix(field: int) -> Prefix:
    """The prefix of a field, by its number in the proto."""
    begin = tag(field, BYTES)

    @lru_cache(1 << 12)
    def prefix(length: int) -> bytes:
        return begin + varint(length)

    return prefix


def put(parts: list[bytes], prefix: Prefix, content: bytes) -> None:
    """Add a field of bytes to the parts of a message."""
    parts += (prefix(len(content)), content)

"""Which messageIds were queued within the window: every mark, in memory, at about 20 bytes each."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from struct import iter_unpack

from service.queues import Record

MARK_BYTES = 16
_TAIL = MARK_BYTES - 2
_ENTRY = _TAIL + 4


def mark(record: Record) -> bytes:
    """What two records share exactly when they have one write key and one messageId."""
    key = record.write_key
    # The length keeps ("a", "bc") apart from ("ab", "c").
    return blake2b(
        f"{len(key)}:{key}{record.message_id}".encode(errors="surrogatepass"), digest_size=MARK_BYTES
    ).digest()


class Marks:
    """An exact set of marks, each with the second in which it was made.

    The first two bytes of a mark choose one of 65,536 buckets. A bucket is the marks' remaining bytes and seconds,
    one after the other in order of time, and is searched by `rfind`: in 20 million marks it is 5 KB long.
    That is a fifth of the memory of a set of Python objects, a lookup costs the same at any size, and what has expired
    is at a bucket's beginning.
    """

    def __init__(self, window: int) -> None:
        """`window` is in seconds, counted in whole seconds of the clock. 0: nothing is ever a duplicate."""
        self._window = window
        self._buckets = [bytearray() for _ in range(1 << 16)]
        self._swept = 0

    def horizon(self, now: int) -> int:
        """The first second that is still within the window."""
        return now - self._window

    def duplicates(self, marks: Sequence[bytes], now: int) -> list[int]:
        """The indexes of those that are held, or that stand earlier in `marks`."""
        if not self._window:
            return []
        buckets, horizon = self._buckets, self.horizon(now)
        found = [
            index
            for index, mark in enumerate(marks)
            if (place := (bucket := buckets[mark[0] | mark[1] << 8]).rfind(mark[2:])) >= 0
            and _second(bucket, mark[2:], place) >= horizon
        ]
        if len(set(marks)) == len(marks):
            return found
        first: dict[bytes, int] = {}
        return sorted({*found, *(index for index, mark in enumerate(marks) if first.setdefault(mark, index) != index)})

    def add(self, marks: bytes, second: int) -> None:
        """Hold marks, which stand one after the other, from this second on."""
        buckets, stamp = self._buckets, second.to_bytes(4, "little")
        for number, tail in iter_unpack(f"<H{_TAIL}s", marks):
            buckets[number] += tail + stamp

    def sweep(self, count: int, now: int) -> None:
        """Let go of what has expired in the next `count` buckets."""
        horizon = self.horizon(now)
        for number in range(self._swept, self._swept + count):
            bucket = self._buckets[number & 0xFFFF]
            end = 0
            while end < len(bucket) and int.from_bytes(bucket[end + _TAIL : end + _ENTRY], "little") < horizon:
                end += _ENTRY
            del bucket[:end]
        self._swept = (self._swept + count) & 0xFFFF


def _second(bucket: bytearray, tail: bytes, place: int) -> int:
    """The second of the newest entry that ends `tail` begins; -1 when the bytes at `place` only straddle entries."""
    while place >= 0 and place % _ENTRY:
        place = bucket.rfind(tail, 0, place + _TAIL - 1)
    return int.from_bytes(bucket[place + _TAIL : place + _ENTRY], "little") if place >= 0 else -1

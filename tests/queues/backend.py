"""What the tests of queues are made of: a clock that stands still, queues to open again and again, and records."""

from __future__ import annotations

from dataclasses import dataclass, field

from service.queues import Queue, Reader, Record, open_queue, open_reader

WINDOW = 60


@dataclass
class Clock:
    """Seconds that pass only when a test says so."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Backend:
    """A queue that can be opened again and again."""

    url: str
    clock: Clock = field(default_factory=Clock)

    def open(self, *, duplicate_window: int = WINDOW) -> Queue:
        return open_queue(self.url, duplicate_window=duplicate_window, clock=self.clock)

    def open_reader(self) -> Reader:
        return open_reader(self.url)

    async def values(self, *, last: int | None = None, limit: int | None = None) -> list[bytes]:
        """What a reader that has just come finds."""
        reader = self.open_reader()
        try:
            return [value async for value in reader.read(last=last, limit=limit, follow=False)]
        finally:
            await reader.close()


def record(message_id: str, *, write_key: str = "key", value: bytes | None = None) -> Record:
    return Record(value or f'{{"messageId":"{message_id}"}}'.encode(), write_key, message_id, "track", "user")


def records(*message_ids: str) -> list[Record]:
    return [record(message_id) for message_id in message_ids]

"""Knows a refused event again: some SDKs send it ten times over, and it was refused once."""

from __future__ import annotations

REMEMBERED = 10_000
SECONDS = 600
"""Longer than any SDK goes on. A sender with one messageId for everything is still counted now and then."""


class Resends:
    """Remembers the newest refusals for ten minutes."""

    def __init__(self) -> None:
        self._until: dict[int, int] = {}

    def has(self, write_key: str, message_id: str, reason: str, now: int) -> bool:
        """Whether this was refused before. `now` is in nanoseconds. Without a messageId nobody can know."""
        if not message_id:
            return False
        refusal = hash((write_key, message_id, reason))
        if now < self._until.get(refusal, 0):
            return True
        self._until.pop(refusal, None)
        self._until[refusal] = now + SECONDS * 1_000_000_000
        if len(self._until) > REMEMBERED:
            del self._until[next(iter(self._until))]
        return False

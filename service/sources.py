"""The sources that may send events, and their write keys, from a TOML file that is read again when it changes.

mode = "enforce"

[[source]]
key = "wk_3f9a…"
name = "website"
generate_message_id = true
"""

from __future__ import annotations

import logging
import time
import tomllib
from collections import Counter
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Annotated

import msgspec

log = logging.getLogger(__name__)

_LOOK_EVERY = 1.0  # seconds
_REPORT_EVERY = 60.0  # seconds
_REPORTED = 1_000


class Mode(Enum):
    """What becomes of events whose write key no source has."""

    OPEN = "open"
    """They are taken."""
    DRY_RUN = "dry-run"
    """They are taken, counted and logged."""
    ENFORCE = "enforce"
    """They are refused."""


class InvalidSources(Exception):
    """The sources file cannot be used. The message is one sentence for the operator."""


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sender of events."""

    key: Annotated[str, msgspec.Meta(min_length=1)]
    """The write key."""
    name: Annotated[str, msgspec.Meta(min_length=1)]
    """What metrics, logs and the refused events call it."""
    generate_message_id: bool | None = None
    """Whether events without a messageId get one made; None leaves it to the global setting."""


class Sources(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The contents of a sources file."""

    mode: Mode = Mode.ENFORCE
    source: list[Source] = []


OPEN = Sources(mode=Mode.OPEN)


def load(path: Path) -> Sources:
    """Read a sources file. Raises InvalidSources."""
    try:
        sources = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Sources)
    except OSError as error:
        raise InvalidSources(f"The sources file {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise InvalidSources(f"The sources file {path} is not valid: {error}.") from None
    keys = Counter([source.key for source in sources.source])
    for key, times in keys.items():
        if times > 1:
            raise InvalidSources(f"The sources file {path} has the write key {masked(key)} more than once.")
    return sources


def masked(key: str) -> str:
    """As much of a write key as a log may show: its first four characters, of a key that is longer than eight."""
    return f"{key[:4]}…" if len(key) > 8 else "…"


class Directory:
    """Looks write keys up in the file as it is now. A file that became invalid leaves the last valid one in force."""

    def __init__(self, path: Path | None, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Raises InvalidSources. Without a path every key is taken."""
        self._path = path
        self._monotonic = monotonic
        self._looked = monotonic()
        self._reporting = self._looked
        self._reported: set[str] = set()
        self._seen = self._stamp()
        self._use(load(path) if path else OPEN)

    def _use(self, sources: Sources) -> None:
        self.mode = sources.mode
        self._by_key = {source.key: source for source in sources.source}

    def find(self, key: str) -> Source | None:
        """The source with this write key, if the file names it."""
        return self._by_key.get(key)

    def report_unknown(self, key: str) -> None:
        """Log a key that is taken though no source has it: once a minute, however many events bring it."""
        now, shown = self._monotonic(), masked(key)
        if now - self._reporting >= _REPORT_EVERY:
            self._reporting = now
            self._reported.clear()
        if shown not in self._reported and len(self._reported) < _REPORTED:
            self._reported.add(shown)
            log.warning("dry run: no source has the write key %s", shown)

    def refresh(self) -> None:
        """Read the file again if it changed; looks at most once a second."""
        now = self._monotonic()
        if self._path is None or now - self._looked < _LOOK_EVERY:
            return
        self._looked = now
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._use(load(self._path))
        except InvalidSources as error:
            log.error("%s The sources as they were stay in force.", error)
        else:
            log.info("read the sources again: %d, mode %s", len(self._by_key), self.mode.value)

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            status = self._path.stat() if self._path else None
        except OSError:
            return None
        return status and (status.st_mtime_ns, status.st_size, status.st_ino)

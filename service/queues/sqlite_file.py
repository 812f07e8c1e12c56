"""The embedded queue's file: where it is, how it is laid out, and how it is opened."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from struct import pack, unpack
from typing import Literal, TextIO
from urllib.parse import quote

from service.queues import InvalidQueue

FORMAT = 2
"""What `user_version` says. A file of another format is refused."""

# A row is what one commit brought: the records' lengths (32 bits each, little-endian) and their values, one on a line;
# `last` is the number of the row's last record; numbers have no gaps and are never used again, as long as the newest
# row stays. Records in rows of their own cost 2.5 µs more each. In the queue a row also has the second of the commit,
# and its records' marks (see sqlite_marks): in tables of their own, these and SQLite's count of numbers made a commit
# write three pages in place of one. What is searched stands before what is large.
RECORDS = """
    CREATE TABLE records (
        last INTEGER PRIMARY KEY,
        second INTEGER NOT NULL DEFAULT 0,
        marks BLOB NOT NULL DEFAULT x'',
        lengths BLOB NOT NULL,
        lines BLOB NOT NULL
    );
"""
CHECKPOINT_PAGES = 256
"""After how many pages (4 MB) the log is written back, by the commit that reaches them: often, so that none takes
long. Done by a thread beside the writer, p99 with 64 connections was 4.2 in place of 5.3 ms, but batches were 10 %
fewer."""


def path_of(url: str) -> Path:
    """The file that `sqlite:///PATH` names. Raises InvalidQueue."""
    path = url.removeprefix("sqlite:///")
    if path == url or not path:
        raise InvalidQueue(f"{url!r} names no file: an embedded queue's URL is sqlite:/// and a path.")
    return Path(path)


def pack_row(values: Sequence[bytes]) -> tuple[bytes, bytes]:
    return pack(f"<{len(values)}I", *map(len, values)), b"\n".join(values)


def unpack_row(lengths: bytes, lines: bytes) -> Iterator[bytes]:
    start = 0
    for length in unpack(f"<{len(lengths) // 4}I", lengths):
        yield lines[start : start + length]
        start += length + 1


def numbers(connection: sqlite3.Connection) -> tuple[int, int]:
    """The number of the first record that is there, and of the next that will be."""
    # One statement sees one state: between two, the first record could come, and be passed over.
    select = "SELECT (SELECT last - length(lengths) / 4 + 1 FROM records ORDER BY last LIMIT 1), max(last) FROM records"
    first, last = connection.execute(select).fetchone()
    following = (last or 0) + 1
    return first or following, following


def lock(path: Path) -> TextIO:
    """Make this process the only one that writes the file, until what is returned is closed or the process dies.

    Makes the directories on the way. Raises InvalidQueue.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = open(f"{path}.lock", "a+", encoding="ascii")  # noqa: SIM115
    except OSError as error:
        raise InvalidQueue(f"{path} cannot be written: {error.strerror}.") from error
    try:
        flock(held, LOCK_EX | LOCK_NB)
    except OSError as error:
        held.seek(0)
        writer = held.read().strip()
        held.close()
        raise InvalidQueue(f"{path} is in use by another process ({writer}).") from error
    held.truncate(0)
    held.write(f"pid {os.getpid()}")
    held.flush()
    return held


def open_writer(path: Path, *, schema: str, synchronous: Literal["FULL", "NORMAL"]) -> sqlite3.Connection:
    """A connection to the file, which is made when it is not there, with these tables and one for records.

    With `FULL`, what is committed is durable; with `NORMAL` it is so some time later. Raises InvalidQueue.
    """
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1)
        try:
            connection.execute("PRAGMA page_size = 16384")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            connection.execute("PRAGMA secure_delete = OFF")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            connection.execute(f"PRAGMA journal_size_limit = {64 << 20}")
            if _format(connection, path) == 0:
                connection.executescript(f"BEGIN; {RECORDS} {schema} PRAGMA user_version = {FORMAT}; COMMIT;")
            _sync_directories(path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise InvalidQueue(f"{path} cannot be written: {error}.") from error
    return connection


def open_readonly(path: Path) -> sqlite3.Connection:
    """A connection that can only read, to a file that must be there. Raises InvalidQueue."""
    if not path.exists():
        raise InvalidQueue(f"There is no {path} yet: `trackside serve` makes it.")
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None, check_same_thread=False, timeout=1
        )
        try:
            if _format(connection, path) == 0:
                raise InvalidQueue(f"There is no {path} yet: `trackside serve` makes it.")
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise InvalidQueue(f"{path} cannot be read: {error}.") from error
    return connection


def _format(connection: sqlite3.Connection, path: Path) -> int:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found not in (0, FORMAT):
        raise InvalidQueue(f"{path} is of format {found}, and this version of Trackside reads {FORMAT}.")
    return found


def _sync_directories(path: Path) -> None:
    """Make the file's name durable, and those of the directories above it, which may be new too."""
    for directory in path.absolute().parents:
        with suppress(OSError):  # A directory above that is not ours to open; a file system that knows no such thing.
            handle = os.open(directory, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

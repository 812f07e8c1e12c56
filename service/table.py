"""Events as columns: read from their messages, divided by their kinds, and their free-form texts checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import compress, groupby
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from trackside.v1.event_pb2 import Event

from event_model import schema
from service.delivery import Delivery
from service.fields import Columns, Reader
from service.freeform import checked, checked_extra
from service.record import EXTRA, KINDS, Kind
from service.refusals import Refusals, Refused

Row = tuple[str, Event, int, Delivery]
"""An event: the field of its kind in Event, or empty; the event; its size in bytes; its delivery."""

_kind_of, _extra_of = itemgetter(0), attrgetter("extra_json")
_envelope = Reader(schema.ENVELOPE)


class Part(NamedTuple):
    """The rows of one kind."""

    kind: Kind
    rows: slice
    columns: Columns
    """Of the members that the kind adds."""

    def of(self, columns: Columns, names: Iterable[str]) -> Columns:
        """These columns: its share of the envelope's, and its own."""
        own = self.columns
        return {name: own[name] if name in own else columns[name][self.rows] for name in names}


class Table(NamedTuple):
    """Events in the order of their kinds. Those without a kind stand first, and belong to no part."""

    indexes: Sequence[int]
    """Each row's index among the rows that were read."""
    events: Sequence[Event]
    sizes: Sequence[int]
    deliveries: Sequence[Delivery]
    columns: Columns
    """Of the envelope's members, and of the texts of further members."""
    parts: list[Part]

    def without(self, refused: Refusals) -> Table:
        """The table without the rows of these indexes."""
        good = [index not in refused for index in self.indexes]
        parts: list[Part] = []
        start = sum(good[: self.parts[0].rows.start]) if self.parts else 0
        for kind, rows, columns in self.parts:
            following = start + sum(good[rows])
            if following > start:
                parts.append(Part(kind, slice(start, following), _compressed(columns, good[rows])))
            start = following
        return Table(
            [*compress(self.indexes, good)],
            [*compress(self.events, good)],
            [*compress(self.sizes, good)],
            [*compress(self.deliveries, good)],
            _compressed(self.columns, good),
            parts,
        )

    def checked(self, refused: Refusals) -> Table:
        """The table with each free-form text checked by itself, and mended where it must be.

        Adds to `refused`, for each row that has an invalid text, the first such text's refusal.
        """
        columns = self.columns | {
            name: _checked(self.columns[name], self.indexes, refused, checked, name)
            for name in ("context", "integrations")
        }
        parts = [
            part._replace(
                columns=part.columns
                | {
                    name: _checked(part.columns[name], self.indexes[part.rows], refused, checked, name)
                    for name in part.kind.objects
                }
            )
            for part in self.parts
        ]
        extras: list[str] = []
        for part in parts:
            texts = columns[EXTRA][part.rows]
            texts = _checked(texts, self.indexes[part.rows], refused, checked_extra, EXTRA)
            extras += _checked(texts, self.indexes[part.rows], refused, part.kind.check_extra)
        return self._replace(columns=columns | {EXTRA: extras}, parts=parts)


def read(rows: Sequence[Row], refused: Refusals) -> Table:
    """The rows as a table. Adds to `refused` each row that has an invalid time."""
    order = sorted(range(len(rows)), key=[kind for kind, *_ in rows].__getitem__)
    rows = [rows[index] for index in order]
    _, events, sizes, deliveries = zip(*rows, strict=True)
    columns, any_changed = _envelope.read(events, order, refused)
    columns[EXTRA] = [*map(_extra_of, events)]
    parts: list[Part] = []
    start = 0
    for field, group in groupby(map(_kind_of, rows)):
        part = slice(start, start := start + sum(1 for _ in group))
        if kind := KINDS.get(field):
            own, changed = kind.read(events[part], order[part], refused)
            any_changed = any_changed or changed
            parts.append(Part(kind, part, own))
    if any_changed:
        sizes = [*map(Event.ByteSize, events)]
    return Table(order, events, sizes, deliveries, columns, parts)


def _compressed(columns: Columns, good: Sequence[bool]) -> Columns:
    return {name: [*compress(column, good)] for name, column in columns.items()}


def _checked(
    texts: Sequence[str], indexes: Sequence[int], refused: Refusals, check: Callable[..., str], *names: Any
) -> list[str]:
    """What `check` makes of each text, given it and `names`."""
    column: list[str] = []
    for text, index in zip(texts, indexes, strict=True):
        try:
            column.append(text and check(text, *names))
        except Refused as why:
            refused.setdefault(index, why.with_traceback(None))
            column.append("")
    return column

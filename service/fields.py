"""Reads the members of messages into columns, and writes columns as JSON objects.

A column has one member's values of many messages, so that one call of a library goes through all of them. Loops of the
interpreter cost more (measured, docs/experiments.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter, methodcaller
from typing import Any, NamedTuple

import msgspec
from google.protobuf.message import Message
from msgspec import UNSET

from event_model.schema import Member, MemberType
from service.freeform import text_of
from service.refusals import Refusals, Refused
from service.stamping import all_nanoseconds

Columns = dict[str, Sequence[Any]]
"""By the members' names in JSON. An unset member is an empty text, or msgspec.UNSET where it is no text."""


class _Field(NamedTuple):
    """A field that may be asked whether it is set."""

    name: str
    """The name of its member."""
    has: Callable[[Any], bool]
    values: Callable[[Sequence[Any]], Sequence[Any]]
    """The column's values of messages that have the field. Raises Refused."""


class Reader:
    """Reads messages of one type."""

    def __init__(self, members: Iterable[Member]) -> None:
        members = [*members]
        self._texts = [(member.name, attrgetter(member.field)) for member in members if is_text(member)]
        self._forms = [_form(member) for member in members if member.type is MemberType.OBJECT]
        self._others = [_other(member) for member in members if not is_text(member)]

    def read(self, messages: Sequence[Message], indexes: Sequence[int], refused: Refusals) -> tuple[Columns, bool]:
        """The messages' members, and whether a message was changed.

        Times are in nanoseconds since 1970. A message with an invalid time is added to `refused`, under its index of
        `indexes`. A free-form member that is not in its text form is put into it.
        """
        changed = False
        columns: Columns = {name: [*map(get, messages)] for name, get in self._texts}
        for field in self._forms:
            if not all(texts := columns[field.name]):
                found = _column(field, messages, "")
                if any(found):
                    changed = True
                    columns[field.name] = [text or other for text, other in zip(texts, found, strict=True)]
        for field in self._others:
            try:
                columns[field.name] = _column(field, messages, UNSET)
            except Refused:
                columns[field.name] = _column_of_each(field, messages, indexes, refused)
        return columns, changed


class Writer:
    """Writes members as JSON, those that are set, in the order in which they are named."""

    def __init__(self, unset: Mapping[str, Any]) -> None:
        """`unset` has each member's value when it is not set, by the member's name."""
        self._names = list(unset)
        fields = [(name, Any, value) for name, value in unset.items()]
        self._structure = msgspec.defstruct("Members", fields, omit_defaults=True, gc=False)
        self._encode = msgspec.json.Encoder().encode

    def write(self, columns: Columns) -> list[bytes]:
        """An object, UTF-8, of each row of the columns."""
        rows = map(self._structure, *[columns[name] for name in self._names])
        return [*map(self._encode, rows)]


def is_text(member: Member) -> bool:
    """Whether it is a text that is empty where it is not set."""
    return member.type is MemberType.OBJECT or (member.type is MemberType.STRING and not member.presence)


def _column(field: _Field, messages: Sequence[Message], unset: Any) -> Sequence[Any]:
    has = [*map(field.has, messages)]
    if True not in has:
        return [unset] * len(has)
    if False not in has:
        return field.values(messages)
    values = iter(field.values([message for message, found in zip(messages, has, strict=True) if found]))
    return [next(values) if found else unset for found in has]


def _column_of_each(
    field: _Field, messages: Sequence[Message], indexes: Sequence[int], refused: Refusals
) -> Sequence[Any]:
    """The column of messages some of which are refused."""
    column: list[Any] = []
    for index, message in zip(indexes, messages, strict=True):
        try:
            column += _column(field, (message,), UNSET)
        except Refused as why:
            refused.setdefault(index, why.with_traceback(None))
            column.append(UNSET)
    return column


def _form(member: Member) -> _Field:
    """The other form of a free-form member, which is put into its text form."""
    get = attrgetter(member.comfortable)

    def texts(messages: Sequence[Message]) -> list[str]:
        texts = [text_of(get(message)) for message in messages]
        for message, text in zip(messages, texts, strict=True):
            setattr(message, member.field, text)
        return texts

    return _Field(member.name, methodcaller("HasField", member.comfortable), texts)


def _other(member: Member) -> _Field:
    get = attrgetter(member.field)

    def values(messages: Sequence[Message]) -> Sequence[Any]:
        found = [*map(get, messages)]
        return all_nanoseconds(found, member.name) if member.type is MemberType.TIME else found

    def is_not_empty(message: Message) -> bool:
        return bool(get(message))

    has = methodcaller("HasField", member.field) if member.presence else is_not_empty
    return _Field(member.name, has, values)

"""Reads the members of a message that are set into a structure with their names in JSON, which is written as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

import msgspec
from google.protobuf.message import Message
from msgspec import UNSET

from event_model.schema import Member, MemberType
from service.freeform import raw, text_of
from service.stamping import iso8601, nanoseconds

Presence = tuple[bool, ...]
"""Which members are set."""


class Reader:
    """Reads messages of one type, whose members these are.

    A structure has an attribute for each: a string, which is empty where it is not set, or msgspec.UNSET. A time is in
    nanoseconds since 1970, and what is free-form is text, until `finish` makes of them what the record has.
    """

    def __init__(self, members: Iterable[Member]) -> None:
        members = tuple(members)
        self._objects = [member for member in members if member.type is MemberType.OBJECT]
        plain = [member for member in members if member.type is MemberType.STRING and not member.presence]
        self._others = [member for member in members if member not in plain and member not in self._objects]
        # One attrgetter for all: 0.4 µs, where ListFields takes 1.5.
        self._get = _getter([member.field for member in (*plain, *self._objects)])
        self._at = len(plain)
        names = [member.name for member in (*plain, *self._objects, *self._others)]
        self._structure = msgspec.defstruct(
            "Members",
            [(name, Any, "" if index < self._at else UNSET) for index, name in enumerate(names)],
            omit_defaults=True,
            gc=False,
        )
        self._times = [member.name for member in self._others if member.type is MemberType.TIME]

    def read(self, message: Message) -> tuple[Any, Presence]:
        """The members, and which of them are set. Raises Refused where a time is none.

        A free-form member that is not in its text form is put into it.
        """
        values = [*self._get(message)]
        for index, member in enumerate(self._objects, self._at):
            if not values[index]:
                values[index] = UNSET
                if message.HasField(member.comfortable):
                    values[index] = text_of(getattr(message, member.comfortable))
                    setattr(message, member.field, values[index])
        for member in self._others:
            value = getattr(message, member.field) if not member.presence or message.HasField(member.field) else UNSET
            if value is not UNSET and member.type is MemberType.TIME:
                value = nanoseconds(value, member.name)
            values.append(value if member.presence else value or UNSET)
        return self._structure(*values), tuple([value is not UNSET and value != "" for value in values])

    def finish(self, structure: Any) -> None:
        """Make times and free-form members what the record has. Raises Refused where a text is no object."""
        for name in self._times:
            if (time := getattr(structure, name)) is not UNSET:
                setattr(structure, name, iso8601(time))
        for member in self._objects:
            text = getattr(structure, member.name)
            if isinstance(text, str):
                setattr(structure, member.name, raw(text, member.name))


def _getter(fields: list[str]) -> Callable[[Message], tuple[Any, ...]]:
    """The values of some fields. attrgetter gives a tuple only of two or more."""
    if len(fields) > 1:
        return attrgetter(*fields)
    return lambda message: tuple([getattr(message, field) for field in fields])

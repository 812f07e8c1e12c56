"""Reads the fields of a message that are set, by their names in JSON; free-form fields in their text form."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

from google.protobuf.message import Message

from event_model.schema import Member, MemberType
from service.freeform import text_of

Fields = dict[str, Any]


class Reader:
    """Reads messages of one type, whose members these are; `more` are string fields that are no members of JSON."""

    def __init__(self, members: Iterable[Member], *more: str) -> None:
        members = tuple(members)
        self._objects = [member for member in members if member.type is MemberType.OBJECT]
        self._present = [
            (member.name, member.field) for member in members if member.presence and member not in self._objects
        ]
        present = {name for name, _ in self._present}
        plain = {member.name: member.field for member in members if member.name not in present}
        plain |= {name: name for name in more}
        self._names = tuple(plain)
        self._get = _getter(tuple(plain.values()))

    def read(self, message: Message) -> Fields:
        """The fields that are set. A free-form field that is not in its text form is put into it."""
        # One attrgetter for all is a sixth of ListFields: 0.3 against 1.7 µs.
        fields = {name: value for name, value in zip(self._names, self._get(message), strict=True) if value}
        for name, field in self._present:
            if message.HasField(field):
                fields[name] = getattr(message, field)
        for member in self._objects:
            if member.name not in fields and message.HasField(member.comfortable):
                text = fields[member.name] = text_of(getattr(message, member.comfortable))
                setattr(message, member.field, text)
        return fields


def _getter(fields: tuple[str, ...]) -> Callable[[Message], tuple[Any, ...]]:
    """The values of some fields. attrgetter gives a tuple only of two or more."""
    if len(fields) > 1:
        return attrgetter(*fields)
    return lambda message: tuple([getattr(message, field) for field in fields])

"""The comments of our protos, which generated code lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from google.protobuf.descriptor_pb2 import FileDescriptorProto

# Field numbers of descriptor.proto, of which the places of comments are made.
MESSAGES, ENUMS, SERVICES = 4, 5, 6
MEMBERS = 2  # a message's fields, an enum's values, a service's methods
_ONEOFS = 8

Place = tuple[int, ...]


class Comments:
    """The comments of one file, by the place of what they stand before."""

    def __init__(self, file: FileDescriptorProto) -> None:
        self._found = {tuple(location.path): location.leading_comments for location in file.source_code_info.location}

    def at(self, *place: int) -> str:
        return " ".join(self._found.get(place, "").split())

    def paragraphs(self, *place: int) -> list[str]:
        """The same, but for the breaks between paragraphs."""
        found = self._found.get(place, "").replace("\n \n", "\n\n").split("\n\n")
        return [" ".join(paragraph.split()) for paragraph in found]


def by_name(files: Iterable[FileDescriptorProto]) -> dict[str, str]:
    """Every comment, by the full name of what it stands before."""
    found: dict[str, str] = {}
    for file in files:
        comments = Comments(file)
        found |= {name: text for name, place in _declared(file) if (text := comments.at(*place))}
    return dict(sorted(found.items()))


def _declared(file: FileDescriptorProto) -> Iterator[tuple[str, Place]]:
    scope = file.package
    for index, message in enumerate(file.message_type):
        name, place = f"{scope}.{message.name}", (MESSAGES, index)
        yield name, place
        yield from ((f"{name}.{field.name}", (*place, MEMBERS, at)) for at, field in enumerate(message.field))
        yield from ((f"{name}.{oneof.name}", (*place, _ONEOFS, at)) for at, oneof in enumerate(message.oneof_decl))
    for index, enum in enumerate(file.enum_type):
        yield f"{scope}.{enum.name}", (ENUMS, index)
        yield from ((f"{scope}.{value.name}", (ENUMS, index, MEMBERS, at)) for at, value in enumerate(enum.value))

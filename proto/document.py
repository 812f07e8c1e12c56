"""Writes the reference part of docs/protocol.md from the protos and their comments."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from comments import ENUMS, MEMBERS, MESSAGES, SERVICES, Comments
from generate import PROTO, write_dependencies, write_image
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

from event_model.schema import LIMITS

DOCUMENT = PROTO.parent / "docs" / "protocol.md"
START = "<!-- The rest is made by `make generate` from the comments in proto/trackside/v1. -->"
FILES = ("trackside/v1/collector_service.proto", "trackside/v1/event.proto", "trackside/v1/context.proto")
OPTIONS = "trackside/v1/options.proto"


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    cells = [list(columns), *[[cell.replace("|", "\\|") for cell in row] for row in rows]]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return [lines[0], "|" + "---|" * len(cells[0]), *lines[1:], ""]


def link(name: str) -> str:
    """A type of ours as a link to its section, another one by its full name."""
    name = name.removeprefix(".")
    short = name.removeprefix("trackside.v1.")
    return f"`{name}`" if short == name else f"[{short}](#{short.lower()})"


def type_of(message: DescriptorProto, field: FieldDescriptorProto) -> str:
    kind = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    text = link(field.type_name) if field.type_name else kind
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return f"repeated {text}"
    if field.HasField("oneof_index") and not field.proto3_optional:
        return f"{text}, one of `{message.oneof_decl[field.oneof_index].name}`"
    return f"optional {text}" if field.proto3_optional else text


def service_section(
    service: ServiceDescriptorProto, comments: Comments, at: int, options: FileDescriptorProto
) -> Iterator[str]:
    yield from (f"### {service.name}", "")
    for paragraph in comments.paragraphs(SERVICES, at):
        yield from (paragraph, "")
    rows = [
        (
            f"`{method.name}`",
            link(method.input_type),
            link(method.output_type),
            comments.at(SERVICES, at, MEMBERS, number),
        )
        for number, method in enumerate(service.method)
    ]
    yield from table(("call", "takes", "answers", ""), rows)
    of, index = next((message, at) for at, message in enumerate(options.message_type) if message.name == "Limits")
    said = Comments(options)
    yield from ("Limits:", "")
    values = [
        (f"`{field.name}`", f"{getattr(LIMITS, field.name):,}", said.at(MESSAGES, index, MEMBERS, number))
        for number, field in enumerate(of.field)
    ]
    yield from table(("limit", "value", ""), values)


def message_section(message: DescriptorProto, comments: Comments, at: int) -> Iterator[str]:
    yield from (f"### {message.name}", "", comments.at(MESSAGES, at), "")
    rows = [
        (f"`{field.name}`", str(field.number), type_of(message, field), comments.at(MESSAGES, at, MEMBERS, number))
        for number, field in enumerate(message.field)
    ]
    yield from table(("field", "number", "type", ""), rows)


def enum_section(enum: EnumDescriptorProto, comments: Comments, at: int) -> Iterator[str]:
    yield from (f"### {enum.name}", "", comments.at(ENUMS, at), "")
    rows = [
        (f"`{value.name}`", str(value.number), comments.at(ENUMS, at, MEMBERS, number))
        for number, value in enumerate(enum.value)
    ]
    yield from table(("value", "number", ""), rows)


def reference(files: dict[str, FileDescriptorProto]) -> str:
    lines: list[str] = []
    for name in FILES:
        file, comments = files[name], Comments(files[name])
        for at, service in enumerate(file.service):
            lines += service_section(service, comments, at, files[OPTIONS])
        for at, message in enumerate(file.message_type):
            lines += message_section(message, comments, at)
        for at, enum in enumerate(file.enum_type):
            lines += enum_section(enum, comments, at)
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the document is not current")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        dependencies, image = Path(folder) / "dependencies.binpb", Path(folder) / "image.binpb"
        write_dependencies(dependencies)
        files = FileDescriptorSet.FromString(write_image(dependencies, image).read_bytes()).file
    before = DOCUMENT.read_text("utf-8")
    head, _, _ = before.partition(START)
    after = f"{head}{START}\n\n{reference({file.name: file for file in files})}"
    if arguments.check:
        if before != after:
            print("docs/protocol.md is not current, run `make generate`", file=sys.stderr)
        return int(before != after)
    DOCUMENT.write_text(after, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The generated code is the protos', and the protos say what each thing is."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

PROTO = Path(__file__).parent.parent / "proto"
OPENINGS = (" Required.", " Required,", " Optional.")

# Field numbers of descriptor.proto, of which the places of comments are made.
_MESSAGES, _ENUMS, _SERVICES, _EXTENSIONS = 4, 5, 6, 7
_FIELDS, _NESTED, _NESTED_ENUMS, _ONEOFS = 2, 3, 4, 8
_VALUES = _METHODS = 2

Place = tuple[int, ...]


class Protos:
    """Everything that our protos declare, with its comment, by its full name."""

    def __init__(self, files: list[FileDescriptorProto]) -> None:
        self.comments: dict[str, str] = {}
        self.messages: dict[str, DescriptorProto] = {}
        self.inputs: list[str] = []
        for file in files:
            comments = {tuple(each.path): each.leading_comments for each in file.source_code_info.location}
            for name, place in self._declared(file):
                self.comments[name] = comments.get(place, "")

    def _declared(self, file: FileDescriptorProto) -> Iterator[tuple[str, Place]]:
        scope = f".{file.package}"
        for index, message in enumerate(file.message_type):
            yield from self._message(scope, message, (_MESSAGES, index))
        for index, enum in enumerate(file.enum_type):
            yield from self._enum(scope, enum, (_ENUMS, index))
        for index, extension in enumerate(file.extension):
            yield f"{scope}.{extension.name}", (_EXTENSIONS, index)
        for index, service in enumerate(file.service):
            yield f"{scope}.{service.name}", (_SERVICES, index)
            for number, method in enumerate(service.method):
                self.inputs.append(method.input_type)
                yield f"{scope}.{service.name}.{method.name}", (_SERVICES, index, _METHODS, number)

    def _message(self, scope: str, message: DescriptorProto, place: Place) -> Iterator[tuple[str, Place]]:
        name = f"{scope}.{message.name}"
        self.messages[name] = message
        yield name, place
        for index, field in enumerate(message.field):
            yield f"{name}.{field.name}", (*place, _FIELDS, index)
        made_by_protoc = {field.oneof_index for field in message.field if field.proto3_optional}
        for index, oneof in enumerate(message.oneof_decl):
            if index not in made_by_protoc:
                yield f"{name}.{oneof.name}", (*place, _ONEOFS, index)
        for index, nested in enumerate(message.nested_type):
            yield from self._message(name, nested, (*place, _NESTED, index))
        for index, enum in enumerate(message.enum_type):
            yield from self._enum(name, enum, (*place, _NESTED_ENUMS, index))

    def _enum(self, scope: str, enum: EnumDescriptorProto, place: Place) -> Iterator[tuple[str, Place]]:
        yield f"{scope}.{enum.name}", place
        for index, value in enumerate(enum.value):
            yield f"{scope}.{enum.name}.{value.name}", (*place, _VALUES, index)

    def of_requests(self) -> Iterator[tuple[str, str]]:
        """The fields of what a caller may send: their names, and those of the oneofs they are in, or empty."""
        waiting, seen = list(self.inputs), set(self.inputs)
        while waiting:
            name = waiting.pop()
            message = self.messages[name]
            for field in message.field:
                of_one = field.HasField("oneof_index") and not field.proto3_optional
                yield f"{name}.{field.name}", f"{name}.{message.oneof_decl[field.oneof_index].name}" if of_one else ""
                if field.type_name in self.messages and field.type_name not in seen:
                    seen.add(field.type_name)
                    waiting.append(field.type_name)


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """proto/generate.py, which is a script and in no package."""
    spec = importlib.util.spec_from_file_location("generate", PROTO / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def dependencies(generate: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("protos") / "dependencies.binpb"
    generate.write_dependencies(path)
    return path


@pytest.fixture(scope="module")
def protos(generate: ModuleType, dependencies: Path) -> Protos:
    image = generate.write_image(dependencies, dependencies.with_name("image.binpb"))
    files = FileDescriptorSet.FromString(image.read_bytes()).file
    return Protos([file for file in files if file.name in generate.OURS])


def test_generated_code_is_current(generate: ModuleType, dependencies: Path, tmp_path: Path) -> None:
    generate.generate(dependencies, tmp_path)
    assert generate.differences(tmp_path, PROTO / "gen") == []
    (tmp_path / "trackside/v1/event_pb2.py").write_text("# stale", "utf-8")
    (tmp_path / "buf/validate/py.typed").unlink()
    assert generate.differences(tmp_path, PROTO / "gen") == ["buf/validate/py.typed", "trackside/v1/event_pb2.py"]


def test_everything_that_the_protos_declare_has_a_comment_of_whole_sentences(protos: Protos) -> None:
    assert {".trackside.v1.Event", ".trackside.v1.CollectorService.Collect"} < protos.comments.keys()
    assert {name: text for name, text in protos.comments.items() if not text.rstrip().endswith(".")} == {}


def test_fields_of_requests_say_first_whether_they_are_required(protos: Protos) -> None:
    fields = dict(protos.of_requests())
    assert {".trackside.v1.Event.user_id", ".trackside.v1.Location.latitude"} < fields.keys()
    silent = [
        field
        for field, oneof in fields.items()
        if not any(protos.comments[name].startswith(OPENINGS) for name in (field, oneof) if name)
    ]
    assert silent == []

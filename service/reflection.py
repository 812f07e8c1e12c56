"""Server reflection (grpc.reflection.v1 and v1alpha): grpcurl and its like read the server's descriptors by it.

grpcio-reflection, whose messages are used here, finds no methods, leaves JSON names out, and has v1alpha alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from functools import lru_cache
from typing import Any, cast

import grpc
from google.protobuf import text_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import Default
from google.protobuf.message import DecodeError
from grpc_reflection.v1alpha import reflection_pb2

_POOL = Default()
_ALPHA = reflection_pb2.DESCRIPTOR


def _as_v1() -> FileDescriptor:
    """The file of v1: it is that of v1alpha under another name, so the messages are the same on the wire."""
    alpha = FileDescriptorProto.FromString(_ALPHA.serialized_pb)
    alpha.ClearField("options")
    file = text_format.Parse(text_format.MessageToString(alpha).replace("v1alpha", "v1"), FileDescriptorProto())
    _POOL.AddSerializedFile(file.SerializeToString())
    return _POOL.FindFileByName(file.name)


SERVICES = tuple(file.services_by_name["ServerReflection"].full_name for file in (_as_v1(), _ALPHA))
"""The names of the reflection service, the newest first."""


def add_reflection(server: grpc.aio.Server, services: Iterable[str]) -> None:
    """Offer reflection, which lists these services and its own."""
    names = sorted({*services, *SERVICES})

    async def answer(requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
        async for message in requests:
            try:
                request = reflection_pb2.ServerReflectionRequest.FromString(message)
            except DecodeError as error:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{error}.")
            yield _answer(request, names)

    serialize = reflection_pb2.ServerReflectionResponse.SerializeToString
    method = cast(
        "Any", grpc.stream_stream_rpc_method_handler(cast("Any", answer), response_serializer=cast("Any", serialize))
    )
    handlers = [grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": method}) for name in SERVICES]
    server.add_generic_rpc_handlers(tuple(handlers))


def _answer(request: Any, services: Iterable[str]) -> Any:
    answer = reflection_pb2.ServerReflectionResponse(valid_host=request.host, original_request=request)
    kind = request.WhichOneof("message_request")
    try:
        match kind:
            case "list_services":
                for name in services:
                    answer.list_services_response.service.add(name=name)
            case "all_extension_numbers_of_type":
                message = _POOL.FindMessageTypeByName(request.all_extension_numbers_of_type)
                found = answer.all_extension_numbers_response
                found.base_type_name = message.full_name
                found.extension_number.extend(sorted(field.number for field in _POOL.FindAllExtensions(message)))
            case None:
                answer.error_response.error_code = grpc.StatusCode.INVALID_ARGUMENT.value[0]
                answer.error_response.error_message = "The request asks for nothing."
            case _:
                file = _file(kind, getattr(request, kind))
                answer.file_descriptor_response.file_descriptor_proto.extend(_with_dependencies(file))
    except KeyError as error:
        answer.error_response.error_code = grpc.StatusCode.NOT_FOUND.value[0]
        answer.error_response.error_message = f"{str(error.args[0])[:200]}."
    return answer


def _file(kind: str, asked: Any) -> str:
    """The name of the file that holds what was asked for. Raises KeyError."""
    match kind:
        case "file_by_filename":
            return _POOL.FindFileByName(asked).name
        case "file_containing_extension":
            message = _POOL.FindMessageTypeByName(asked.containing_type)
            extension: Any = _POOL.FindExtensionByNumber(message, asked.extension_number)
            return extension.file.name
        case _:
            return _file_of_symbol(asked)


def _file_of_symbol(name: str) -> str:
    try:
        return _POOL.FindFileContainingSymbol(name).name
    except KeyError:
        # The pool knows no methods, and an enum's values only as protobuf scopes them: beside their enum.
        parent, _, member = name.rpartition(".")
        for find, members in (
            (_POOL.FindServiceByName, "methods_by_name"),
            (_POOL.FindEnumTypeByName, "values_by_name"),
        ):
            try:
                owner: Any = find(parent)
            except KeyError:
                continue
            if member in getattr(owner, members):
                return owner.file.name
        raise


@lru_cache(maxsize=256)
def _with_dependencies(name: str) -> tuple[bytes, ...]:
    """The file and all that it imports, each before those that it imports."""
    found: dict[str, bytes] = {}

    def visit(file: FileDescriptor) -> None:
        for dependency in file.dependencies:
            if dependency.name not in found:
                visit(dependency)
        found[file.name] = _serialized(file)

    visit(_POOL.FindFileByName(name))
    return tuple(reversed(found.values()))


def _serialized(file: FileDescriptor) -> bytes:
    """The file with the JSON names of its fields, which generated code lacks."""
    proto = FileDescriptorProto()
    file.CopyToProto(proto)
    pairs = [*_pairs(proto.extension, file.extensions_by_name)]
    for message in proto.message_type:
        pairs += _fields(message, file.message_types_by_name[message.name])
    for field, described in pairs:
        field.json_name = described.json_name
    return proto.SerializeToString()


def _fields(proto: DescriptorProto, message: Descriptor) -> Iterator[tuple[FieldDescriptorProto, FieldDescriptor]]:
    yield from _pairs(proto.field, message.fields_by_name)
    yield from _pairs(proto.extension, message.extensions_by_name)
    for nested in proto.nested_type:
        yield from _fields(nested, message.nested_types_by_name[nested.name])


def _pairs(
    fields: Iterable[FieldDescriptorProto], described: Any
) -> Iterator[tuple[FieldDescriptorProto, FieldDescriptor]]:
    return ((field, described[field.name]) for field in fields)

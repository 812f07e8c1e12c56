"""Server reflection, under both its names: what grpcurl, grpcui and Postman ask before they call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

import grpc
import pytest
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.reflection_pb2 import ExtensionRequest

from tests.cli.serving import PATIENCE
from tests.grpc.serving import Service, code, service

V1, V1ALPHA = "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"
SERVICE = "trackside/v1/collector_service.proto"
EVENT = "trackside/v1/event.proto"
OPTIONS = "trackside/v1/options.proto"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture
def channel(running: Service) -> Iterator[grpc.Channel]:
    with running.channel() as channel:
        yield channel


def ask(channel: grpc.Channel, questions: Iterable[bytes], name: str = V1) -> list[Any]:
    call = cast("Any", channel).stream_stream(
        f"/{name}/ServerReflectionInfo",
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    return list(call(iter(questions), timeout=PATIENCE))


def answer(channel: grpc.Channel, name: str = V1, **question: Any) -> Any:
    (answer,) = ask(channel, [reflection_pb2.ServerReflectionRequest(**question).SerializeToString()], name)
    return answer


def files(answer: Any) -> list[FileDescriptorProto]:
    assert not answer.HasField("error_response"), answer
    return [FileDescriptorProto.FromString(file) for file in answer.file_descriptor_response.file_descriptor_proto]


@pytest.mark.parametrize("name", [V1, V1ALPHA])
def test_every_service_is_listed(channel: grpc.Channel, name: str) -> None:
    listed = answer(channel, name, list_services="").list_services_response.service
    assert [each.name for each in listed] == ["grpc.health.v1.Health", V1, V1ALPHA, "trackside.v1.CollectorService"]


@pytest.mark.parametrize("name", [V1, V1ALPHA])
def test_every_listed_service_is_described(channel: grpc.Channel, name: str) -> None:
    for listed in answer(channel, name, list_services="").list_services_response.service:
        described = files(answer(channel, name, file_containing_symbol=listed.name))[0]
        assert f"{described.package}.{described.service[0].name}" == listed.name


@pytest.mark.parametrize("name", [V1, V1ALPHA])
@pytest.mark.parametrize(
    ("symbol", "file"),
    [
        ("trackside.v1.CollectorService", SERVICE),
        ("trackside.v1.CollectorService.Collect", SERVICE),
        ("trackside.v1.CollectorService.CollectStream", SERVICE),
        ("grpc.health.v1.Health.Check", "grpc_health/v1/health.proto"),
        ("trackside.v1.Event", EVENT),
        ("trackside.v1.Event.message_id", EVENT),
        ("trackside.v1.Event.kind", EVENT),
        ("trackside.v1.Outcome", SERVICE),
        ("trackside.v1.OUTCOME_ACCEPTED", SERVICE),
        ("trackside.v1.Outcome.OUTCOME_ACCEPTED", SERVICE),
        ("trackside.v1.routes", OPTIONS),
        ("google.protobuf.Timestamp.nanos", "google/protobuf/timestamp.proto"),
    ],
)
def test_symbol_is_found(channel: grpc.Channel, name: str, symbol: str, file: str) -> None:
    assert files(answer(channel, name, file_containing_symbol=symbol))[0].name == file


@pytest.mark.parametrize("name", [V1, V1ALPHA])
def test_file_comes_with_all_that_it_imports(channel: grpc.Channel, name: str) -> None:
    found = files(answer(channel, name, file_by_filename=SERVICE))
    names = [file.name for file in found]
    assert names[0] == SERVICE
    assert len(names) == len(set(names))
    assert {dependency for file in found for dependency in file.dependency} == set(names[1:])
    assert {EVENT, "buf/validate/validate.proto", "google/protobuf/descriptor.proto"} < set(names)


def test_fields_have_their_json_names(channel: grpc.Channel) -> None:
    found = {file.name: file for file in files(answer(channel, file_by_filename=SERVICE))}
    event = found[EVENT].message_type[0]
    assert {field.name: field.json_name for field in event.field}["message_id"] == "messageId"
    assert all(field.HasField("json_name") for message in found[SERVICE].message_type for field in message.field)
    assert [field.json_name for field in found[OPTIONS].extension] == ["routes", "member", "limits"]
    nested = found["google/protobuf/struct.proto"].message_type[0].nested_type[0]
    assert [field.json_name for field in nested.field] == ["key", "value"]


@pytest.mark.parametrize("name", [V1, V1ALPHA])
def test_extensions_are_found(channel: grpc.Channel, name: str) -> None:
    options = "google.protobuf.FieldOptions"
    extension = ExtensionRequest(containing_type=options, extension_number=52802)
    assert files(answer(channel, name, file_containing_extension=extension))[0].name == OPTIONS
    numbers = answer(channel, name, all_extension_numbers_of_type=options).all_extension_numbers_response
    assert numbers.base_type_name == options
    assert {52801, 52802} <= set(numbers.extension_number)


@pytest.mark.parametrize("name", [V1, V1ALPHA])
@pytest.mark.parametrize(
    "question",
    [
        {"file_containing_symbol": "trackside.v1.Nothing"},
        {"file_containing_symbol": "trackside.v1.CollectorService.Nothing"},
        {"file_containing_symbol": "trackside.v1.Outcome.NOTHING"},
        {"file_containing_symbol": "trackside.v1"},
        {"file_containing_symbol": ""},
        {"file_containing_symbol": "." * 1_000_000},
        {"file_by_filename": "no/such.proto"},
        {"file_by_filename": "\0"},
        {"file_containing_extension": ExtensionRequest(containing_type="trackside.v1.Event", extension_number=1)},
        {"file_containing_extension": ExtensionRequest(containing_type="no.Type", extension_number=1)},
        {"file_containing_extension": ExtensionRequest(containing_type="trackside.v1.Event", extension_number=-1)},
        {"all_extension_numbers_of_type": "no.Type"},
    ],
    ids=lambda question: str(question)[:60],
)
def test_what_is_not_there_is_not_found(channel: grpc.Channel, name: str, question: dict[str, Any]) -> None:
    said = answer(channel, name, host="h", **question)
    assert said.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
    assert 0 < len(said.error_response.error_message) < 300
    assert (said.valid_host, said.original_request) == (
        "h",
        reflection_pb2.ServerReflectionRequest(host="h", **question),
    )


def test_request_for_nothing_is_invalid_and_the_stream_goes_on(channel: grpc.Channel) -> None:
    listing = reflection_pb2.ServerReflectionRequest(list_services="").SerializeToString()
    nothing, listed = ask(channel, [b"", listing])
    assert nothing.error_response.error_code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert listed.list_services_response.service


def test_message_that_is_no_request_is_the_callers_fault(channel: grpc.Channel) -> None:
    assert code(lambda: ask(channel, [b"\xff"])) is grpc.StatusCode.INVALID_ARGUMENT


def test_client_that_knows_nothing_can_call_by_v1(channel: grpc.Channel) -> None:
    pool = DescriptorPool()
    for file in reversed(files(answer(channel, file_containing_symbol="trackside.v1.CollectorService.Collect"))):
        pool.Add(file)
    method = pool.FindServiceByName("trackside.v1.CollectorService").methods_by_name["Collect"]
    request_type, response_type = map(message_factory.GetMessageClass, (method.input_type, method.output_type))
    call = cast("Any", channel).unary_unary(
        "/trackside.v1.CollectorService/Collect",
        request_serializer=request_type.SerializeToString,
        response_deserializer=response_type.FromString,
    )
    event = {"messageId": "reflected", "userId": "u-1", "track": {"event": "Hello"}}
    request = json_format.ParseDict({"event": event, "delivery": {"writeKey": "k"}}, request_type())
    assert json_format.MessageToDict(call(request, timeout=PATIENCE)) == {"outcome": "OUTCOME_ACCEPTED"}

"""Events as the protos' descriptors describe them: the kinds, their routes, the members of their JSON, the limits.

This is the only reader of the descriptors and of the options of `options.proto`.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any, NamedTuple, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from trackside.v1 import collector_service_pb2, options_pb2
from trackside.v1.event_pb2 import Event


class MemberType(Enum):
    """What a member of an event's JSON may hold."""

    STRING = auto()
    BOOLEAN = auto()
    INTEGER = auto()
    NUMBER = auto()
    TIME = auto()
    """An ISO 8601 time; a Timestamp in the proto."""
    OBJECT = auto()
    """A free-form object; in the proto the oneof `<field>_form` of a message `<field>` and a text `<field>_json`."""


SCALARS = {
    FieldDescriptor.CPPTYPE_STRING: MemberType.STRING,
    FieldDescriptor.CPPTYPE_BOOL: MemberType.BOOLEAN,
    FieldDescriptor.CPPTYPE_INT32: MemberType.INTEGER,
    FieldDescriptor.CPPTYPE_INT64: MemberType.INTEGER,
    FieldDescriptor.CPPTYPE_UINT32: MemberType.INTEGER,
    FieldDescriptor.CPPTYPE_UINT64: MemberType.INTEGER,
    FieldDescriptor.CPPTYPE_DOUBLE: MemberType.NUMBER,
    FieldDescriptor.CPPTYPE_FLOAT: MemberType.NUMBER,
}


class Member(NamedTuple):
    """One member of an event's JSON and the field of the proto that holds it."""

    name: str
    """Its name in JSON."""
    field: str
    """The field; of a free-form member, the field of its text."""
    type: MemberType
    presence: bool
    """Whether the field tells an empty value from an absent one."""
    comfortable: str
    """The field of a free-form member's other form, else empty."""
    oneof: str
    """The oneof of a free-form member's two forms, else empty."""
    options: options_pb2.Member


class Kind(NamedTuple):
    """One kind of event."""

    name: str
    """Its name in JSON: the event's `type`."""
    field: str
    """Its field in Event."""
    routes: options_pb2.Routes
    members: tuple[Member, ...]
    """What it adds to the envelope."""


def _options(descriptor: Any, extension: Any) -> Any:
    return descriptor.GetOptions().Extensions[extension]


def _is_text_form(field: FieldDescriptor) -> bool:
    oneof = field.containing_oneof
    return oneof is not None and field.name == oneof.name.removesuffix("_form") + "_json"


def members_of(message: object) -> tuple[Member, ...]:
    """The members that a message's fields are in JSON, in the proto's order. `message` is a descriptor."""
    members: list[Member] = []
    for field in cast("Descriptor", message).fields:
        oneof = field.containing_oneof
        if field.name == "extra_json" or (oneof and oneof.name == "kind"):
            continue
        if _is_text_form(field) and oneof:
            (comfortable,) = (other for other in oneof.fields if other.name != field.name)
            options = _options(comfortable, options_pb2.member)
            type_, presence, name = MemberType.OBJECT, True, comfortable.json_name
            members.append(Member(name, field.name, type_, presence, comfortable.name, oneof.name, options))
        elif oneof is None or len(oneof.fields) == 1:
            options = _options(field, options_pb2.member)
            members.append(Member(field.json_name, field.name, _type(field), field.has_presence, "", "", options))
    return tuple(members)


def _type(field: FieldDescriptor) -> MemberType:
    if field.message_type is not None and field.message_type.full_name == "google.protobuf.Timestamp":
        return MemberType.TIME
    type_ = SCALARS.get(field.cpp_type)
    if type_ is None or field.is_repeated:
        raise TypeError(f"{field.full_name}: a field of an event is a scalar, a Timestamp or a free-form field")
    return type_


def _kinds() -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for field in Event.DESCRIPTOR.oneofs_by_name["kind"].fields:
        routes = _options(field, options_pb2.routes)
        kinds[field.json_name] = Kind(field.json_name, field.name, routes, members_of(field.message_type))
    return kinds


KINDS = _kinds()
"""Every kind of event, by its name in JSON."""

ENVELOPE = members_of(Event.DESCRIPTOR)
"""The members that every kind has."""

LIMITS: options_pb2.Limits = _options(
    collector_service_pb2.DESCRIPTOR.services_by_name["CollectorService"], options_pb2.limits
)
"""The bounds that hold on every door."""

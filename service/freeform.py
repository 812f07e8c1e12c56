"""Free-form fields: whichever form a caller chose, the text of one JSON object comes out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

import msgspec
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct, Value
from trackside.v1 import collector_service_pb2 as proto

from event_model import jsontext
from event_model.jsontext import Raw
from event_model.schema import LIMITS
from service.refusals import Refused

T = TypeVar("T")

_NESTING = LIMITS.nesting
_REFUSALS: dict[type[Exception], tuple[proto.Reason, str]] = {
    jsontext.Malformed: (proto.REASON_MALFORMED_JSON, "{} is not valid JSON"),
    jsontext.NotAnObject: (proto.REASON_WRONG_TYPE, "{} must be an object"),
    jsontext.TooDeep: (proto.REASON_NESTED_TOO_DEEP, f"{{}} nests deeper than {_NESTING} levels"),
}


class AnyObject(msgspec.Struct):
    """Decoding into a structure without fields checks that a text is one object, and builds nothing."""


def checked(text: str, name: str) -> str:
    """The text if it is one JSON object, on one line. Raises Refused, naming the member."""
    return decoded(text, name, _any_object)[0]


def raw(text: str, name: str) -> Raw:
    """As `checked`, to be written as it is."""
    return Raw(checked(text, name))


def raws(texts: Sequence[str], name: str) -> list[Raw | Literal[""]]:
    """As `raw`, of each text that is not empty."""
    return [raw(text, name) if text else "" for text in texts]


def decoded(text: str, name: str, decode: Callable[[str], T]) -> tuple[str, T]:
    """As `checked`, with what a msgspec decoder of a Struct makes of it."""
    try:
        return jsontext.decoded_object(text, _NESTING, decode)
    except (jsontext.Malformed, jsontext.NotAnObject, jsontext.TooDeep) as error:
        raise _refused(error, name) from None


def checked_members(text: str, name: str) -> jsontext.Members:
    """The members of an object each of which may nest as deep as a free-form field. Raises Refused, naming the one."""
    try:
        return jsontext.members(jsontext.decoded_object(text, _NESTING + 1, _any_object)[0])
    except jsontext.TooDeep as error:
        raise _refused(error, _deepest(text) or name) from None
    except (jsontext.Malformed, jsontext.NotAnObject) as error:
        raise _refused(error, name) from None


def _deepest(text: str) -> str:
    """The name of the member that nests deepest, where the text can be taken apart."""
    try:
        members = jsontext.members(text)
    except (jsontext.Malformed, jsontext.TooDeep):
        return ""
    return max(members, key=lambda name: jsontext.depth(bytes(members[name]).decode()))


def _refused(error: Exception, name: str) -> Refused:
    reason, sentence = _REFUSALS[type(error)]
    return Refused(reason, name, sentence.format(name))


def text_of(message: Message) -> str:
    """A Struct, or a message of documented fields, as JSON text with the fields' JSON names."""
    return msgspec.json.encode(_plain(message)).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, Struct):
        return {name: _of_value(member) for name, member in value.fields.items()}
    if isinstance(value, Message):
        return {field.json_name: _plain(content) for field, content in value.ListFields()}
    return _number(value) if isinstance(value, float) else value


def _of_value(value: Value) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            return _plain(value.struct_value)
        case "list_value":
            return [_of_value(item) for item in value.list_value.values]
        case "number_value":
            return _number(value.number_value)
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _number(value: float) -> float | int | None:
    """JSON has no NaN and no Infinity; a whole number is written as one, as protobuf's own JSON does."""
    if not math.isfinite(value):
        return None
    whole = value.is_integer() and abs(value) < 1 << 53 and (value != 0 or math.copysign(1, value) > 0)
    return int(value) if whole else value


_any_object = msgspec.json.Decoder(AnyObject).decode

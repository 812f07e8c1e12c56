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
_SHALLOW, _SHALLOW_OBJECTS = 2 * _NESTING, 5 * _NESTING
"""Up to how many characters an object nests no deeper than it may; and one that has no array (`{"":` and `}`)."""
_REFUSALS: dict[type[Exception], tuple[proto.Reason, str]] = {
    jsontext.Malformed: (proto.REASON_MALFORMED_JSON, "{} is not valid JSON"),
    jsontext.NotAnObject: (proto.REASON_WRONG_TYPE, "{} must be an object"),
    jsontext.TooDeep: (proto.REASON_NESTED_TOO_DEEP, f"{{}} nests deeper than {_NESTING} levels"),
}


class AnyObject(msgspec.Struct):
    """Decoding into a structure without fields checks that a text is one object, and builds nothing."""


class Doubtful(Exception):
    """One of several texts may be invalid, or needs to be mended: each has to be checked by itself."""


def checked(text: str, name: str, nesting: int = _NESTING) -> str:
    """The text on one line, mended where it must be, if it is one JSON object. Raises Refused, naming the member."""
    try:
        return jsontext.decoded_object(text, nesting, _skip)[0]
    except (jsontext.Malformed, jsontext.NotAnObject, jsontext.TooDeep) as error:
        raise _refused(error, name) from None


def checked_extra(text: str, name: str) -> str:
    """As `checked`. Each member may nest as deep as a free-form field; Refused names the one that nests deeper."""
    try:
        return checked(text, name, _NESTING + 1)
    except Refused as refused:
        if refused.reason == proto.REASON_NESTED_TOO_DEEP:
            raise _refused(jsontext.TooDeep(), _deepest(text) or name) from None
        raise


def raw(text: str) -> Raw:
    """The text of one JSON object, to be written as it is. Raises Doubtful."""
    decoded(_skip, text)
    return Raw(text)


def raws(texts: Sequence[str]) -> list[Raw | Literal[""]]:
    """As `raw`, of each text that is not empty."""
    try:
        for _ in map(_skip, filter(None, texts)):
            pass
    except (msgspec.DecodeError, RecursionError):
        raise Doubtful from None
    if max(map(len, texts)) > _SHALLOW and any(map(_nests_too_deep, texts)):
        raise Doubtful
    return [Raw(text) if text else "" for text in texts]


def decoded(decode: Callable[[str], T], text: str) -> T:
    """The text of one JSON object by the decoder of a Struct. Raises Doubtful."""
    try:
        found = decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise Doubtful from None
    if len(text) > _SHALLOW and _nests_too_deep(text):
        raise Doubtful
    return found


def over(text: str, members: jsontext.Members) -> str:
    """The text with these members merged beneath its own. Raises Doubtful."""
    try:
        return jsontext.merged(text, members)
    except (jsontext.Malformed, jsontext.NotAnObject, jsontext.TooDeep):
        raise Doubtful from None


def extra_members(text: str) -> jsontext.Members:
    """The members of an object each of which may nest as deep as a free-form field. Raises Doubtful."""
    try:
        members = jsontext.members(text)
    except (jsontext.Malformed, jsontext.NotAnObject, jsontext.TooDeep):
        raise Doubtful from None
    if len(text) > _SHALLOW and _nests_too_deep(text, _NESTING + 1):
        raise Doubtful
    return members


def _nests_too_deep(text: str, nesting: int = _NESTING) -> bool:
    """Whether an object nests deeper. To count its brackets takes as long as to decode it: most texts need no count."""
    if len(text) <= _SHALLOW_OBJECTS and "[" not in text:
        return False
    return text.count("{") + text.count("[") > nesting and jsontext.depth(text) > nesting


def _deepest(text: str) -> str:
    """The name of the member that nests deepest, where the text can be taken apart."""
    try:
        members = jsontext.members(text)
    except (jsontext.Malformed, jsontext.NotAnObject, jsontext.TooDeep):
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


_skip = msgspec.json.Decoder(AnyObject).decode

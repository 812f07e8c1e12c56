from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor
ROUTES_FIELD_NUMBER: _ClassVar[int]
routes: _descriptor.FieldDescriptor
MEMBER_FIELD_NUMBER: _ClassVar[int]
member: _descriptor.FieldDescriptor
LIMITS_FIELD_NUMBER: _ClassVar[int]
limits: _descriptor.FieldDescriptor

class Routes(_message.Message):
    __slots__ = ("long", "short", "pixel", "other", "flat_pixel", "free_form")
    LONG_FIELD_NUMBER: _ClassVar[int]
    SHORT_FIELD_NUMBER: _ClassVar[int]
    PIXEL_FIELD_NUMBER: _ClassVar[int]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    FLAT_PIXEL_FIELD_NUMBER: _ClassVar[int]
    FREE_FORM_FIELD_NUMBER: _ClassVar[int]
    long: str
    short: str
    pixel: str
    other: str
    flat_pixel: str
    free_form: str
    def __init__(self, long: _Optional[str] = ..., short: _Optional[str] = ..., pixel: _Optional[str] = ..., other: _Optional[str] = ..., flat_pixel: _Optional[str] = ..., free_form: _Optional[str] = ...) -> None: ...

class Member(_message.Message):
    __slots__ = ("alias", "accepts_integer", "accepts_empty_array", "stand_in")
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    ACCEPTS_INTEGER_FIELD_NUMBER: _ClassVar[int]
    ACCEPTS_EMPTY_ARRAY_FIELD_NUMBER: _ClassVar[int]
    STAND_IN_FIELD_NUMBER: _ClassVar[int]
    alias: str
    accepts_integer: bool
    accepts_empty_array: bool
    stand_in: str
    def __init__(self, alias: _Optional[str] = ..., accepts_integer: _Optional[bool] = ..., accepts_empty_array: _Optional[bool] = ..., stand_in: _Optional[str] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("event_bytes", "batch_bytes", "injected_bytes", "delivery_bytes", "delivery_events", "message_bytes", "nesting")
    EVENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    BATCH_BYTES_FIELD_NUMBER: _ClassVar[int]
    INJECTED_BYTES_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_BYTES_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_EVENTS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    NESTING_FIELD_NUMBER: _ClassVar[int]
    event_bytes: int
    batch_bytes: int
    injected_bytes: int
    delivery_bytes: int
    delivery_events: int
    message_bytes: int
    nesting: int
    def __init__(self, event_bytes: _Optional[int] = ..., batch_bytes: _Optional[int] = ..., injected_bytes: _Optional[int] = ..., delivery_bytes: _Optional[int] = ..., delivery_events: _Optional[int] = ..., message_bytes: _Optional[int] = ..., nesting: _Optional[int] = ...) -> None: ...

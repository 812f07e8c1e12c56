import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from trackside.v1 import context_pb2 as _context_pb2
from trackside.v1 import options_pb2 as _options_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Event(_message.Message):
    __slots__ = ("message_id", "user_id", "anonymous_id", "timestamp", "sent_at", "original_timestamp", "write_key", "context", "context_json", "integrations", "integrations_json", "extra_json", "identify", "track", "page", "screen", "group", "alias")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ANONYMOUS_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_FIELD_NUMBER: _ClassVar[int]
    ORIGINAL_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    WRITE_KEY_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_JSON_FIELD_NUMBER: _ClassVar[int]
    INTEGRATIONS_FIELD_NUMBER: _ClassVar[int]
    INTEGRATIONS_JSON_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    IDENTIFY_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    SCREEN_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    user_id: str
    anonymous_id: str
    timestamp: _timestamp_pb2.Timestamp
    sent_at: _timestamp_pb2.Timestamp
    original_timestamp: _timestamp_pb2.Timestamp
    write_key: str
    context: _context_pb2.Context
    context_json: str
    integrations: _struct_pb2.Struct
    integrations_json: str
    extra_json: str
    identify: Identify
    track: Track
    page: Page
    screen: Screen
    group: Group
    alias: Alias
    def __init__(self, message_id: _Optional[str] = ..., user_id: _Optional[str] = ..., anonymous_id: _Optional[str] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sent_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., original_timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., write_key: _Optional[str] = ..., context: _Optional[_Union[_context_pb2.Context, _Mapping]] = ..., context_json: _Optional[str] = ..., integrations: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., integrations_json: _Optional[str] = ..., extra_json: _Optional[str] = ..., identify: _Optional[_Union[Identify, _Mapping]] = ..., track: _Optional[_Union[Track, _Mapping]] = ..., page: _Optional[_Union[Page, _Mapping]] = ..., screen: _Optional[_Union[Screen, _Mapping]] = ..., group: _Optional[_Union[Group, _Mapping]] = ..., alias: _Optional[_Union[Alias, _Mapping]] = ...) -> None: ...

class Identify(_message.Message):
    __slots__ = ("traits", "traits_json")
    TRAITS_FIELD_NUMBER: _ClassVar[int]
    TRAITS_JSON_FIELD_NUMBER: _ClassVar[int]
    traits: _struct_pb2.Struct
    traits_json: str
    def __init__(self, traits: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., traits_json: _Optional[str] = ...) -> None: ...

class Track(_message.Message):
    __slots__ = ("event", "properties", "properties_json")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_JSON_FIELD_NUMBER: _ClassVar[int]
    event: str
    properties: _struct_pb2.Struct
    properties_json: str
    def __init__(self, event: _Optional[str] = ..., properties: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., properties_json: _Optional[str] = ...) -> None: ...

class Page(_message.Message):
    __slots__ = ("name", "properties", "properties_json")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_JSON_FIELD_NUMBER: _ClassVar[int]
    name: str
    properties: _struct_pb2.Struct
    properties_json: str
    def __init__(self, name: _Optional[str] = ..., properties: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., properties_json: _Optional[str] = ...) -> None: ...

class Screen(_message.Message):
    __slots__ = ("name", "properties", "properties_json")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_JSON_FIELD_NUMBER: _ClassVar[int]
    name: str
    properties: _struct_pb2.Struct
    properties_json: str
    def __init__(self, name: _Optional[str] = ..., properties: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., properties_json: _Optional[str] = ...) -> None: ...

class Group(_message.Message):
    __slots__ = ("group_id", "traits", "traits_json")
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    TRAITS_FIELD_NUMBER: _ClassVar[int]
    TRAITS_JSON_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    traits: _struct_pb2.Struct
    traits_json: str
    def __init__(self, group_id: _Optional[str] = ..., traits: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., traits_json: _Optional[str] = ...) -> None: ...

class Alias(_message.Message):
    __slots__ = ("previous_id",)
    PREVIOUS_ID_FIELD_NUMBER: _ClassVar[int]
    previous_id: str
    def __init__(self, previous_id: _Optional[str] = ...) -> None: ...

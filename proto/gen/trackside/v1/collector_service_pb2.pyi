import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from trackside.v1 import context_pb2 as _context_pb2
from trackside.v1 import event_pb2 as _event_pb2
from trackside.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_ACCEPTED: _ClassVar[Outcome]
    OUTCOME_DUPLICATE: _ClassVar[Outcome]
    OUTCOME_REFUSED: _ClassVar[Outcome]
    OUTCOME_RETRY: _ClassVar[Outcome]

class RetryReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RETRY_REASON_UNSPECIFIED: _ClassVar[RetryReason]
    RETRY_REASON_OVERLOADED: _ClassVar[RetryReason]
    RETRY_REASON_QUEUE_UNAVAILABLE: _ClassVar[RetryReason]

class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REASON_UNSPECIFIED: _ClassVar[Reason]
    REASON_MALFORMED_JSON: _ClassVar[Reason]
    REASON_NOT_AN_OBJECT: _ClassVar[Reason]
    REASON_NESTED_TOO_DEEP: _ClassVar[Reason]
    REASON_MALFORMED_BASE64: _ClassVar[Reason]
    REASON_MALFORMED_ENCODING: _ClassVar[Reason]
    REASON_INVALID_WRITE_KEY: _ClassVar[Reason]
    REASON_REQUIRED: _ClassVar[Reason]
    REASON_WRONG_TYPE: _ClassVar[Reason]
    REASON_INVALID_VALUE: _ClassVar[Reason]
    REASON_INVALID_TIMESTAMP: _ClassVar[Reason]
    REASON_UNKNOWN_TYPE: _ClassVar[Reason]
    REASON_TYPE_MISMATCH: _ClassVar[Reason]
    REASON_RESERVED_MEMBER: _ClassVar[Reason]
    REASON_EVENT_TOO_LARGE: _ClassVar[Reason]
    REASON_REQUEST_TOO_LARGE: _ClassVar[Reason]
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_ACCEPTED: Outcome
OUTCOME_DUPLICATE: Outcome
OUTCOME_REFUSED: Outcome
OUTCOME_RETRY: Outcome
RETRY_REASON_UNSPECIFIED: RetryReason
RETRY_REASON_OVERLOADED: RetryReason
RETRY_REASON_QUEUE_UNAVAILABLE: RetryReason
REASON_UNSPECIFIED: Reason
REASON_MALFORMED_JSON: Reason
REASON_NOT_AN_OBJECT: Reason
REASON_NESTED_TOO_DEEP: Reason
REASON_MALFORMED_BASE64: Reason
REASON_MALFORMED_ENCODING: Reason
REASON_INVALID_WRITE_KEY: Reason
REASON_REQUIRED: Reason
REASON_WRONG_TYPE: Reason
REASON_INVALID_VALUE: Reason
REASON_INVALID_TIMESTAMP: Reason
REASON_UNKNOWN_TYPE: Reason
REASON_TYPE_MISMATCH: Reason
REASON_RESERVED_MEMBER: Reason
REASON_EVENT_TOO_LARGE: Reason
REASON_REQUEST_TOO_LARGE: Reason

class CollectRequest(_message.Message):
    __slots__ = ("event", "delivery")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    event: _event_pb2.Event
    delivery: Delivery
    def __init__(self, event: _Optional[_Union[_event_pb2.Event, _Mapping]] = ..., delivery: _Optional[_Union[Delivery, _Mapping]] = ...) -> None: ...

class CollectResponse(_message.Message):
    __slots__ = ("outcome",)
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    outcome: Outcome
    def __init__(self, outcome: _Optional[_Union[Outcome, str]] = ...) -> None: ...

class CollectBatchRequest(_message.Message):
    __slots__ = ("entries", "deliveries")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[Entry]
    deliveries: _containers.RepeatedCompositeFieldContainer[Delivery]
    def __init__(self, entries: _Optional[_Iterable[_Union[Entry, _Mapping]]] = ..., deliveries: _Optional[_Iterable[_Union[Delivery, _Mapping]]] = ...) -> None: ...

class Entry(_message.Message):
    __slots__ = ("event", "refused", "delivery")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    event: _event_pb2.Event
    refused: RefusedEvent
    delivery: int
    def __init__(self, event: _Optional[_Union[_event_pb2.Event, _Mapping]] = ..., refused: _Optional[_Union[RefusedEvent, _Mapping]] = ..., delivery: _Optional[int] = ...) -> None: ...

class Delivery(_message.Message):
    __slots__ = ("write_key", "overriding_write_key", "sent_at", "timestamp", "context", "context_json", "integrations", "integrations_json", "ip", "user_agent")
    WRITE_KEY_FIELD_NUMBER: _ClassVar[int]
    OVERRIDING_WRITE_KEY_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_JSON_FIELD_NUMBER: _ClassVar[int]
    INTEGRATIONS_FIELD_NUMBER: _ClassVar[int]
    INTEGRATIONS_JSON_FIELD_NUMBER: _ClassVar[int]
    IP_FIELD_NUMBER: _ClassVar[int]
    USER_AGENT_FIELD_NUMBER: _ClassVar[int]
    write_key: str
    overriding_write_key: str
    sent_at: _timestamp_pb2.Timestamp
    timestamp: _timestamp_pb2.Timestamp
    context: _context_pb2.Context
    context_json: str
    integrations: _struct_pb2.Struct
    integrations_json: str
    ip: str
    user_agent: str
    def __init__(self, write_key: _Optional[str] = ..., overriding_write_key: _Optional[str] = ..., sent_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., context: _Optional[_Union[_context_pb2.Context, _Mapping]] = ..., context_json: _Optional[str] = ..., integrations: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., integrations_json: _Optional[str] = ..., ip: _Optional[str] = ..., user_agent: _Optional[str] = ...) -> None: ...

class RefusedEvent(_message.Message):
    __slots__ = ("reason", "field", "description", "payload", "message_id", "type", "write_key")
    REASON_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    WRITE_KEY_FIELD_NUMBER: _ClassVar[int]
    reason: Reason
    field: str
    description: str
    payload: bytes
    message_id: str
    type: str
    write_key: str
    def __init__(self, reason: _Optional[_Union[Reason, str]] = ..., field: _Optional[str] = ..., description: _Optional[str] = ..., payload: _Optional[bytes] = ..., message_id: _Optional[str] = ..., type: _Optional[str] = ..., write_key: _Optional[str] = ...) -> None: ...

class CollectBatchResponse(_message.Message):
    __slots__ = ("outcomes", "refusals", "retry")
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedScalarFieldContainer[Outcome]
    refusals: _containers.RepeatedCompositeFieldContainer[Refusal]
    retry: Retry
    def __init__(self, outcomes: _Optional[_Iterable[_Union[Outcome, str]]] = ..., refusals: _Optional[_Iterable[_Union[Refusal, _Mapping]]] = ..., retry: _Optional[_Union[Retry, _Mapping]] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("index", "reason", "field", "description")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    index: int
    reason: Reason
    field: str
    description: str
    def __init__(self, index: _Optional[int] = ..., reason: _Optional[_Union[Reason, str]] = ..., field: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class Retry(_message.Message):
    __slots__ = ("reason", "delay")
    REASON_FIELD_NUMBER: _ClassVar[int]
    DELAY_FIELD_NUMBER: _ClassVar[int]
    reason: RetryReason
    delay: _duration_pb2.Duration
    def __init__(self, reason: _Optional[_Union[RetryReason, str]] = ..., delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

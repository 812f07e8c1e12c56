from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Context(_message.Message):
    __slots__ = ("active", "app", "campaign", "device", "ip", "library", "locale", "location", "network", "os", "page", "referrer", "screen", "timezone", "group_id", "traits", "user_agent")
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    APP_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    IP_FIELD_NUMBER: _ClassVar[int]
    LIBRARY_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    OS_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    REFERRER_FIELD_NUMBER: _ClassVar[int]
    SCREEN_FIELD_NUMBER: _ClassVar[int]
    TIMEZONE_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    TRAITS_FIELD_NUMBER: _ClassVar[int]
    USER_AGENT_FIELD_NUMBER: _ClassVar[int]
    active: bool
    app: App
    campaign: Campaign
    device: Device
    ip: str
    library: Library
    locale: str
    location: Location
    network: Network
    os: OperatingSystem
    page: PageContext
    referrer: Referrer
    screen: ScreenContext
    timezone: str
    group_id: str
    traits: _struct_pb2.Struct
    user_agent: str
    def __init__(self, active: _Optional[bool] = ..., app: _Optional[_Union[App, _Mapping]] = ..., campaign: _Optional[_Union[Campaign, _Mapping]] = ..., device: _Optional[_Union[Device, _Mapping]] = ..., ip: _Optional[str] = ..., library: _Optional[_Union[Library, _Mapping]] = ..., locale: _Optional[str] = ..., location: _Optional[_Union[Location, _Mapping]] = ..., network: _Optional[_Union[Network, _Mapping]] = ..., os: _Optional[_Union[OperatingSystem, _Mapping]] = ..., page: _Optional[_Union[PageContext, _Mapping]] = ..., referrer: _Optional[_Union[Referrer, _Mapping]] = ..., screen: _Optional[_Union[ScreenContext, _Mapping]] = ..., timezone: _Optional[str] = ..., group_id: _Optional[str] = ..., traits: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., user_agent: _Optional[str] = ...) -> None: ...

class App(_message.Message):
    __slots__ = ("name", "version", "build")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    BUILD_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    build: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., build: _Optional[str] = ...) -> None: ...

class Campaign(_message.Message):
    __slots__ = ("name", "source", "medium", "term", "content")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    MEDIUM_FIELD_NUMBER: _ClassVar[int]
    TERM_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    name: str
    source: str
    medium: str
    term: str
    content: str
    def __init__(self, name: _Optional[str] = ..., source: _Optional[str] = ..., medium: _Optional[str] = ..., term: _Optional[str] = ..., content: _Optional[str] = ...) -> None: ...

class Device(_message.Message):
    __slots__ = ("id", "manufacturer", "model", "name", "type", "version")
    ID_FIELD_NUMBER: _ClassVar[int]
    MANUFACTURER_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    id: str
    manufacturer: str
    model: str
    name: str
    type: str
    version: str
    def __init__(self, id: _Optional[str] = ..., manufacturer: _Optional[str] = ..., model: _Optional[str] = ..., name: _Optional[str] = ..., type: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class Library(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class Location(_message.Message):
    __slots__ = ("city", "country", "latitude", "longitude", "region", "speed")
    CITY_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    LATITUDE_FIELD_NUMBER: _ClassVar[int]
    LONGITUDE_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    SPEED_FIELD_NUMBER: _ClassVar[int]
    city: str
    country: str
    latitude: float
    longitude: float
    region: str
    speed: float
    def __init__(self, city: _Optional[str] = ..., country: _Optional[str] = ..., latitude: _Optional[float] = ..., longitude: _Optional[float] = ..., region: _Optional[str] = ..., speed: _Optional[float] = ...) -> None: ...

class Network(_message.Message):
    __slots__ = ("bluetooth", "carrier", "cellular", "wifi")
    BLUETOOTH_FIELD_NUMBER: _ClassVar[int]
    CARRIER_FIELD_NUMBER: _ClassVar[int]
    CELLULAR_FIELD_NUMBER: _ClassVar[int]
    WIFI_FIELD_NUMBER: _ClassVar[int]
    bluetooth: bool
    carrier: str
    cellular: bool
    wifi: bool
    def __init__(self, bluetooth: _Optional[bool] = ..., carrier: _Optional[str] = ..., cellular: _Optional[bool] = ..., wifi: _Optional[bool] = ...) -> None: ...

class OperatingSystem(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class PageContext(_message.Message):
    __slots__ = ("hash", "path", "referrer", "search", "title", "url")
    HASH_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    REFERRER_FIELD_NUMBER: _ClassVar[int]
    SEARCH_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    hash: str
    path: str
    referrer: str
    search: str
    title: str
    url: str
    def __init__(self, hash: _Optional[str] = ..., path: _Optional[str] = ..., referrer: _Optional[str] = ..., search: _Optional[str] = ..., title: _Optional[str] = ..., url: _Optional[str] = ...) -> None: ...

class Referrer(_message.Message):
    __slots__ = ("type", "name", "url", "link")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    type: str
    name: str
    url: str
    link: str
    def __init__(self, type: _Optional[str] = ..., name: _Optional[str] = ..., url: _Optional[str] = ..., link: _Optional[str] = ...) -> None: ...

class ScreenContext(_message.Message):
    __slots__ = ("density", "height", "width")
    DENSITY_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    density: float
    height: float
    width: float
    def __init__(self, density: _Optional[float] = ..., height: _Optional[float] = ..., width: _Optional[float] = ...) -> None: ...

"""The front's settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from event_model.schema import LIMITS
from http_front.proxies import HOST, networks

_URL = re.compile(rf"https?://{HOST}(?:/[A-Za-z0-9.\-_~%/]*)?")

LARGEST = LIMITS.message_bytes // 2
"""What a request may bring goes to the service in one message, and so does why each of its events is refused."""


class FrontConfig(BaseSettings):
    """Read from `TRACKSIDE_*` variables; the command line adds flags and a TOML file."""

    model_config = SettingsConfigDict(env_prefix="TRACKSIDE_", frozen=True, extra="ignore")

    host: str = Field(default="127.0.0.1", description="Address that the HTTP and gRPC ports listen on.")
    http_port: int = Field(default=8080, ge=0, le=65535, description="Port of the HTTP API.")
    service: str = Field(
        default="",
        description="gRPC target of the service (`host:port`, `dns:///host:port`, `unix:path`), or several with commas "
        "between them. [default: the service that this command runs]",
    )
    service_ca: Path | None = Field(
        default=None,
        description="PEM file of the authorities of the service's certificate; with it the front uses TLS.",
    )
    service_cert: Path | None = Field(
        default=None, description="PEM file of the certificate that the front shows the service."
    )
    service_key: Path | None = Field(default=None, description="PEM file of the key of `service_cert`.")
    max_event_bytes: int = Field(
        default=LIMITS.event_bytes, ge=1, le=LARGEST, description="The largest event, in bytes; at most 2 MB."
    )
    max_batch_bytes: int = Field(
        default=LIMITS.batch_bytes,
        ge=1,
        le=LARGEST,
        description="The largest decompressed body of a batch, in bytes; at most 2 MB.",
    )
    public_url: str = Field(
        default="",
        description="Where clients reach the HTTP API, as in `https://events.example.com`: SDKs that ask are told to "
        "send there. [default: the address that they asked]",
    )
    trusted_proxies: str = Field(
        default="",
        description="Networks of the proxies in front, with commas between them, as in `10.0.0.0/8, ::1`; `unix` is a "
        "Unix socket. Only they can say who the client is. [default: no one]",
    )
    client_address_header: str = Field(
        default="X-Forwarded-For",
        pattern=r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$",
        description="Header in which a trusted proxy names the client: this one, `Forwarded`, or one with a single "
        "address, such as `X-Real-IP` and `CF-Connecting-IP`. No other is believed.",
    )
    stand_in_for_207: bool = Field(
        default=True,
        description="Answer 200 in place of 207 to clients that are known to send everything again on 207.",
    )
    body_timeout: float = Field(default=30.0, gt=0, description="Seconds that a request's body may take to arrive.")
    keep_alive_timeout: float = Field(
        default=120.0,
        gt=0,
        description="Seconds for which an idle HTTP connection is kept. Set it above the time of a load balancer in "
        "front, which else sends a request as the connection ends.",
    )
    service_timeout: float = Field(default=10.0, gt=0, description="Seconds that a call of the service may take.")
    drain_timeout: float = Field(
        default=20.0, ge=0, description="Seconds that a stopping process may take to answer what it is answering."
    )
    front_pending_bytes: int = Field(
        default=67_108_864,
        ge=1,
        description="Bytes of events that may wait for the service before callers are told to retry.",
    )

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _are_networks(cls, value: Any) -> Any:
        try:
            networks(value if isinstance(value, str) else str(value))
        except ValueError:
            hint = "name the networks or addresses of the proxies, with commas between them, as in '10.0.0.0/8, ::1'"
            raise PydanticCustomError("networks", hint) from None
        return value

    @field_validator("public_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if value and not _URL.fullmatch(value):
            raise PydanticCustomError(
                "url", "write http or https, a host and a port or path, as in 'https://a.example'"
            )
        return value.rstrip("/")

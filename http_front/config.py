"""The front's settings."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from event_model.schema import LIMITS

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
    trusted_proxies: int = Field(
        default=0,
        ge=0,
        description="How many proxies in front append to X-Forwarded-For; the sender's address is taken there.",
    )
    stand_in_for_207: bool = Field(
        default=True,
        description="Answer 200 in place of 207 to clients that are known to send everything again on 207.",
    )
    body_timeout: float = Field(default=30.0, gt=0, description="Seconds that a request's body may take to arrive.")
    service_timeout: float = Field(default=10.0, gt=0, description="Seconds that a call of the service may take.")
    drain_timeout: float = Field(
        default=20.0, ge=0, description="Seconds that a stopping process may take to answer what it is answering."
    )
    front_pending_bytes: int = Field(
        default=67_108_864,
        ge=1,
        description="Bytes of events that may wait for the service before callers are told to retry.",
    )

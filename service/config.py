"""The service's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from event_model.schema import LIMITS


class ServiceConfig(BaseSettings):
    """Read from `TRACKSIDE_*` variables; the command line adds flags and a TOML file."""

    model_config = SettingsConfigDict(env_prefix="TRACKSIDE_", frozen=True, extra="ignore")

    host: str = Field(default="127.0.0.1", description="Address that the HTTP and gRPC ports listen on.")
    grpc_port: int = Field(default=50051, ge=0, le=65535, description="Port of the gRPC API.")
    grpc_socket: Path | None = Field(default=None, description="Unix socket that the gRPC API listens on as well.")
    grpc_cert: Path | None = Field(
        default=None, description="PEM file of the gRPC port's certificate; with it the port speaks TLS alone."
    )
    grpc_key: Path | None = Field(default=None, description="PEM file of the key of `grpc_cert`.")
    grpc_client_ca: Path | None = Field(
        default=None,
        description="PEM file of the authorities that callers of the gRPC port must have a certificate of.",
    )
    grpc_max_streams: int = Field(  # of which a front keeps one open, to follow the service's health
        default=100, ge=2, description="Calls that one gRPC connection may have open at once; more wait at the caller."
    )
    grpc_connection_age: float = Field(
        default=300.0,
        ge=0,
        description="Seconds after which a gRPC caller is told to connect anew, so that load spreads; 0 is never.",
    )
    data_dir: Path = Field(default=Path("data"), description="Directory of the embedded queue and the refused events.")
    queue: str = Field(default="", description="URL of the queue. [default: sqlite:///queue.db in the data directory]")
    sources: Path | None = Field(default=None, description="TOML file of the sources and their write keys.")
    generate_message_id: bool = Field(
        default=False,
        description="Make a messageId for events that lack one; a source in the file of sources may say otherwise.",
    )
    duplicate_window: int = Field(
        default=86_400,
        ge=0,
        description="Seconds for which a second event with one write key and messageId is a duplicate.",
    )
    client_address: Literal["full", "truncated", "off"] = Field(
        default="full", description="What of the sender's address fills context.ip where an event has none."
    )
    max_clock_skew: int = Field(
        default=315_360_000,
        ge=0,
        description="Seconds between sentAt and receivedAt past which timestamp is not corrected.",
    )
    max_event_bytes: int = Field(
        default=LIMITS.event_bytes,
        ge=1,
        le=LIMITS.message_bytes // 2,
        description="The largest event, in bytes; at most 2 MB.",
    )
    max_pending_bytes: int = Field(
        default=67_108_864,
        ge=1,
        description="Bytes of records that may wait for the queue before callers are told to retry.",
    )
    drain_timeout: float = Field(
        default=20.0, ge=0, description="Seconds that a stopping process may take to answer what it is answering."
    )
    refused_events: int = Field(default=10_000, ge=0, description="How many refused events are kept to be looked at.")

    @property
    def grpc_address(self) -> str:
        """Where the gRPC port is, as gRPC writes it."""
        return f"[{self.host}]:{self.grpc_port}" if ":" in self.host else f"{self.host}:{self.grpc_port}"

    @property
    def queue_url(self) -> str:
        return self.queue or f"sqlite:///{self.data_dir.absolute() / 'queue.db'}"

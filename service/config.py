"""The service's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from trackside.v1 import collector_service_pb2, options_pb2

LIMITS = collector_service_pb2.DESCRIPTOR.services_by_name["CollectorService"].GetOptions().Extensions[options_pb2.limits]


class ServiceConfig(BaseSettings):
    """Read from `TRACKSIDE_*` variables; the command line adds flags and a TOML file."""

    model_config = SettingsConfigDict(env_prefix="TRACKSIDE_", frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="Address that the HTTP and gRPC ports listen on.")
    grpc_port: int = Field(50051, ge=0, le=65535, description="Port of the gRPC API.")
    grpc_socket: Path | None = Field(None, description="Unix socket that the gRPC API listens on as well.")
    data_dir: Path = Field(Path("data"), description="Directory of the embedded queue and the refused events.")
    queue: str = Field("", description="URL of the queue. [default: sqlite:///queue.db in the data directory]")
    sources: Path | None = Field(None, description="TOML file of the sources and their write keys.")
    generate_message_id: bool = Field(False, description="Make a messageId for events that lack one.")
    duplicate_window: int = Field(
        86_400, ge=0, description="Seconds for which a second event with one write key and messageId is a duplicate."
    )
    client_address: Literal["full", "truncated", "off"] = Field(
        "full", description="What of the sender's address fills context.ip where an event has none."
    )
    max_clock_skew: int = Field(
        315_360_000, ge=0, description="Seconds between sentAt and receivedAt past which timestamp is not corrected."
    )
    max_event_bytes: int = Field(LIMITS.event_bytes, ge=1, description="The largest event, in bytes.")
    max_pending_bytes: int = Field(
        67_108_864, ge=1, description="Bytes of records that may wait for the queue before callers are told to retry."
    )
    refused_events: int = Field(10_000, ge=0, description="How many refused events are kept to be looked at.")

    @property
    def queue_url(self) -> str:
        return self.queue or f"sqlite:///{self.data_dir.absolute() / 'queue.db'}"

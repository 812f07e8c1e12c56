"""Sends events to Trackside over gRPC. `Client` is where to start."""

from trackside_client.client import Client
from trackside_client.options import Closed, Lost, Options, QueueFull, Refused

__all__ = ["Client", "Closed", "Lost", "Options", "QueueFull", "Refused"]

"""Sends events to Trackside over gRPC. `Client` is where to start."""

from trackside_client.client import Client
from trackside_client.options import Closed, Lost, QueueFull

__all__ = ["Client", "Closed", "Lost", "QueueFull"]

"""Why an event is not taken, as the service says it to itself."""

from __future__ import annotations

from trackside.v1.collector_service_pb2 import Reason


class Refused(Exception):
    """An event that is refused: its reason, the JSON name of the member at fault, and a sentence for people."""

    def __init__(self, reason: Reason, field: str = "", description: str = "") -> None:
        super().__init__(description)
        self.reason = reason
        self.field = field
        self.description = description


Refusals = dict[int, Refused]
"""Why events are refused, by their indexes among those that are processed together."""

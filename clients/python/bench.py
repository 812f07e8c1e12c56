"""Sends events of 950 bytes through the client's batcher: `bench.py TARGET EVENTS CALLS BATCH`.

It prints EVENTS and the seconds from the first call until all were settled.
"""

import sys
import time

from trackside_client import Client

from benchmarks import payload


def main() -> None:
    target, events, calls, batch = sys.argv[1], *map(int, sys.argv[2:])
    given = payload.members()
    properties, context, integrations = given["properties"], given["context"], given["integrations"]
    began = time.perf_counter()
    with Client(target, write_key="bench", calls=calls, batch_events=batch, full_wait=60) as client:
        for _ in range(events):
            client.track(
                given["userId"],
                given["event"],
                properties,
                anonymous_id=given["anonymousId"],
                context=context,
                integrations=integrations,
            )
        client.flush()
    print(events, time.perf_counter() - began)


if __name__ == "__main__":
    main()

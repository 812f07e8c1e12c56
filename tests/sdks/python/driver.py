"""Makes the calls on standard input with the SDK named on the command line, and ends when it has let go of each.

All of these packages are one family: the same Client with the same methods.
"""

import importlib
import json
import logging
import sys

ARGUMENTS = {
    "userId": "user_id",
    "anonymousId": "anonymous_id",
    "previousId": "previous_id",
    "groupId": "group_id",
    "event": "event",
    "name": "name",
    "category": "category",
    "properties": "properties",
    "traits": "traits",
    "context": "context",
    "integrations": "integrations",
}


def main() -> None:
    logging.basicConfig(level=logging.INFO)
    scenario = json.load(sys.stdin)
    module = importlib.import_module(f"{sys.argv[1]}.client")
    client = module.Client(
        scenario["writeKey"],
        host=scenario["host"],
        # The calls are one batch, however slowly this machine makes them.
        upload_size=scenario["batchSize"] or len(scenario["calls"]),
        upload_interval=5,
    )
    for call in scenario["calls"]:
        arguments = {ARGUMENTS[name]: value for name, value in call.items() if name != "call"}
        try:
            getattr(client, call["call"])(**arguments)
        except RuntimeError as refusal:  # Larger than the SDK takes.
            print(f"refused by the SDK: {str(refusal)[:80]}", file=sys.stderr)
    client.shutdown()


main()

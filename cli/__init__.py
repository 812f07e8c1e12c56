"""The `trackside` command, and the supervisor that runs the processes."""

import os

# What gRPC's core prints on stderr, of ports and handshakes, is said by this program where a person needs it. It must
# be set before gRPC is imported; the processes that are started inherit it.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

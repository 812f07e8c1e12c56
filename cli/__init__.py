"""The `trackside` command, and the supervisor that runs the processes."""

import os

# What gRPC's core prints on stderr, of ports and handshakes, is said by this program where a person needs it. It must
# be set before gRPC is imported; the processes that are started inherit it.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
# Its older way to wait for sockets wakes fewer threads: a lone event takes 0.97 ms and 921 µs of CPU in place of 1.03
# and 997, and with 64 connections an event 72 µs in place of 78. gRPC says so if it ever does not know these names.
os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_client,-event_engine_listener")

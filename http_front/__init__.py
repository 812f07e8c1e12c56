"""The public HTTP API: it translates the documented routes into calls of the gRPC service."""

"""The public HTTP door: it translates the documented routes into calls of the gRPC service."""

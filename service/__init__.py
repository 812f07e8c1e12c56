"""The gRPC service: it merges, validates, stamps and enqueues events, and owns every outcome."""

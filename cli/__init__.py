"""The `trackside` command, and the supervisor that runs the processes."""

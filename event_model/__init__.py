"""What the front and the service both know: events as protos and JSON have them, and what connects the two needs."""

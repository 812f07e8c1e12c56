"""What the front and the service both know of events: what the protos say of them, and how their JSON is text."""

package dev.trackside.client;

/** The client is closed, and the event was not taken. */
public final class ClosedException extends IllegalStateException {
    private static final long serialVersionUID = 1;
}

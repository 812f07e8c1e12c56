package dev.trackside.client;

/** The client is closed. The event was not taken. */
public final class ClosedException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    ClosedException() {
        super("the client is closed");
    }
}

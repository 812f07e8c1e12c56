package dev.trackside.client;

/** There was no room for the event, and it was not taken. */
public final class QueueFullException extends IllegalStateException {
    private static final long serialVersionUID = 1;
}

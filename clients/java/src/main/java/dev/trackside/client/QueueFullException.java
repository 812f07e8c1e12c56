package dev.trackside.client;

import java.util.concurrent.RejectedExecutionException;

/** The queue stayed full for {@link Options#fullWait}. The event was not taken. */
public final class QueueFullException extends RejectedExecutionException {
    private static final long serialVersionUID = 1;

    QueueFullException(Options options) {
        super("the queue held " + options.queueEvents + " events for " + options.fullWait.toMillis() + " ms");
    }
}

package dev.trackside.client;

import dev.trackside.v1.Event;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** The events that are not settled. It bounds their number, and gives them out in batches. */
final class Queue {
    private record Waiting(Event event, int bytes, long since) {}

    private final Options options;
    private final Object turn = new Object(); // of the thread that waits for events
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    private long bytes; // of those that wait
    private int unsettled; // events, those in calls included
    private int flushing; // flushes that go on
    private boolean closed;
    private boolean stopped;

    Queue(Options options) {
        this.options = options;
    }

    /** Waits for room. An interrupt ends the wait as the end of its time does. */
    synchronized void put(Event event, int size) {
        if (!await(() -> closed || unsettled < options.queueEvents, Options.nanos(options.fullWait))) {
            throw new QueueFullException();
        }
        if (closed) {
            throw new ClosedException();
        }
        waiting.add(new Waiting(event, size, System.nanoTime()));
        bytes += size;
        unsettled++;
        if (waiting.size() == 1 || isFull()) {
            notifyAll();
        }
    }

    private boolean isFull() {
        return waiting.size() >= options.batchEvents || bytes >= options.batchBytes;
    }

    /** Waits for a batch. When all is over it is empty. */
    List<Event> take() {
        synchronized (turn) {
            return next();
        }
    }

    private synchronized List<Event> next() {
        await(() -> stopped || !waiting.isEmpty(), Long.MAX_VALUE);
        if (!waiting.isEmpty()) {
            long left = Options.nanos(options.flushInterval) - (System.nanoTime() - waiting.peek().since);
            await(() -> flushing > 0 || stopped || isFull(), left);
        }
        var batch = new ArrayList<Event>();
        for (int room = options.batchBytes; !waiting.isEmpty() && batch.size() < options.batchEvents;) {
            var first = waiting.peek();
            room -= first.bytes;
            if (room < 0 && !batch.isEmpty()) {
                break;
            }
            bytes -= first.bytes;
            batch.add(waiting.remove().event);
        }
        return batch;
    }

    synchronized void settled(int count) {
        unsettled -= count;
        notifyAll();
    }

    /** How many events are not settled, when it is none or after the time. */
    synchronized int flush(long nanos) {
        flushing++;
        notifyAll();
        await(() -> unsettled == 0, nanos);
        flushing--;
        return unsettled;
    }

    /** Takes no more events: false, if it did not before. */
    synchronized boolean close() {
        boolean first = !closed;
        closed = true;
        notifyAll();
        return first;
    }

    synchronized void stop() {
        stopped = true;
        notifyAll();
    }

    /** Waits, unless or until it is stopped: whether it is. */
    synchronized boolean pause(long nanos) {
        return await(() -> stopped, nanos);
    }

    /** Waits until it is so, the time is over or the thread is interrupted: whether it is so. */
    private boolean await(BooleanSupplier so, long nanos) {
        long began = System.nanoTime();
        try {
            for (long left = nanos; left > 0 && !so.getAsBoolean(); left = nanos - (System.nanoTime() - began)) {
                TimeUnit.NANOSECONDS.timedWait(this, left);
            }
        } catch (InterruptedException interrupt) {
            Thread.currentThread().interrupt();
        }
        return so.getAsBoolean();
    }
}

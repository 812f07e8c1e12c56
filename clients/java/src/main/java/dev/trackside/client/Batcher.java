package dev.trackside.client;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import com.google.common.util.concurrent.Uninterruptibles;
import dev.trackside.v1.Event;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The queue of events that are not settled, grouped into batches of one call each. Programs put events, the sender's
 * threads take batches.
 */
final class Batcher {
    private static final class Batch {
        final List<Event> events = new ArrayList<>();
        final long due; // of System.nanoTime
        int bytes;

        Batch(long due) {
            this.due = due;
        }
    }

    private final Options options;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition room = lock.newCondition();
    private final Condition work = lock.newCondition();
    private final Condition allSettled = lock.newCondition();
    private final Deque<Batch> batches = new ArrayDeque<>(); // only the last one grows
    private int unsettled;
    private int flushes; // calls of flush that wait
    private volatile boolean closed;

    Batcher(Options options) {
        this.options = options;
    }

    void checkOpen() {
        if (closed) {
            throw new ClosedException();
        }
    }

    /** Waits for room, then adds the event. */
    void put(Event event, int bytes) {
        lock.lock();
        try {
            waitForRoom();
            checkOpen();
            if (!fits(bytes)) {
                batches.addLast(new Batch(System.nanoTime() + options.flushInterval.toNanos()));
            }
            var batch = batches.getLast();
            batch.events.add(event);
            batch.bytes += bytes;
            unsettled++;
            if (batch.events.size() == 1 || batch.events.size() == options.batchEvents) {
                work.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    private void waitForRoom() {
        long until = System.nanoTime() + options.fullWait.toNanos();
        while (!closed && unsettled >= options.queueEvents) {
            long left = until - System.nanoTime();
            if (left <= 0) {
                throw new QueueFullException(options);
            }
            Uninterruptibles.awaitUninterruptibly(room, left, NANOSECONDS);
        }
    }

    private boolean fits(int bytes) {
        var last = batches.peekLast();
        return last != null && last.events.size() < options.batchEvents && last.bytes + bytes <= options.batchBytes;
    }

    /** Waits for a batch that is due. It is empty when the batcher is closed and empty. */
    List<Event> take() {
        lock.lock();
        try {
            while (!isDue()) {
                if (!batches.isEmpty()) {
                    Uninterruptibles.awaitUninterruptibly(work, batches.getFirst().due - System.nanoTime(), NANOSECONDS);
                } else if (closed) {
                    return List.of();
                } else {
                    work.awaitUninterruptibly();
                }
            }
            var batch = batches.removeFirst();
            if (!batches.isEmpty()) {
                work.signal(); // another thread must watch the next batch
            }
            return batch.events;
        } finally {
            lock.unlock();
        }
    }

    private boolean isDue() {
        var first = batches.peekFirst();
        if (first == null) {
            return false;
        }
        boolean full = batches.size() > 1 || first.events.size() >= options.batchEvents;
        return full || flushes > 0 || closed || first.due - System.nanoTime() <= 0;
    }

    /** Says that a callback was called for so many events. */
    void settle(int count) {
        lock.lock();
        try {
            unsettled -= count;
            for (int i = 0; i < count; i++) {
                room.signal();
            }
            if (unsettled == 0) {
                allSettled.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Sends without delay until all events are settled. It returns how many are not, after the timeout or an interrupt. */
    int flush(Duration timeout) {
        lock.lock();
        flushes++;
        try {
            work.signalAll();
            long left = NANOSECONDS.convert(timeout);
            while (unsettled > 0 && left > 0) {
                left = allSettled.awaitNanos(left);
            }
            return unsettled;
        } catch (InterruptedException interrupt) {
            Thread.currentThread().interrupt();
            return unsettled;
        } finally {
            flushes--;
            lock.unlock();
        }
    }

    /** Takes no more events. It returns whether the batcher was open. */
    boolean close() {
        lock.lock();
        try {
            boolean wasOpen = !closed;
            closed = true;
            room.signalAll();
            work.signalAll();
            return wasOpen;
        } finally {
            lock.unlock();
        }
    }
}

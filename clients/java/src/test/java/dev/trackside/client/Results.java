package dev.trackside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.trackside.v1.Event;
import dev.trackside.v1.Refusal;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** What the callbacks of a client received. */
final class Results {
    final List<String> accepted = Collections.synchronizedList(new ArrayList<>());
    final List<String> duplicates = Collections.synchronizedList(new ArrayList<>());
    final List<String> notAccepted = Collections.synchronizedList(new ArrayList<>());
    final List<Refusal> refused = Collections.synchronizedList(new ArrayList<>());
    final List<Status> lost = Collections.synchronizedList(new ArrayList<>());

    void listen(Options options) {
        options.onAccepted = this::accept;
        options.onRefused = (event, why) -> {
            notAccepted.add(event.getMessageId());
            refused.add(why);
        };
        options.onLost = (event, why) -> {
            notAccepted.add(event.getMessageId());
            lost.add(why);
        };
    }

    private void accept(Event event, boolean duplicate) {
        synchronized (accepted) {
            accepted.add(event.getMessageId());
            accepted.notifyAll();
        }
        if (duplicate) {
            duplicates.add(event.getMessageId());
        }
    }

    void awaitAccepted(int count) throws InterruptedException {
        synchronized (accepted) {
            while (accepted.size() < count) {
                accepted.wait();
            }
        }
    }

    /** Each of the expected is there once, and nothing else is. */
    static void assertOnce(List<String> expected, List<String> actual) {
        assertEquals(expected.stream().sorted().toList(), actual.stream().sorted().toList());
    }
}

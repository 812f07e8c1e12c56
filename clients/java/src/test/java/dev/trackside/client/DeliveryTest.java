package dev.trackside.client;

import static dev.trackside.client.Results.assertOnce;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.trackside.v1.Event;
import dev.trackside.v1.Page;
import dev.trackside.v1.Reason;
import io.grpc.ChannelCredentials;
import io.grpc.Status;
import io.grpc.TlsChannelCredentials;
import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of events whatever the server does: each is settled once, and queued once or not at all. */
@Timeout(180)
class DeliveryTest {
    private static final Duration LONG = Duration.ofMinutes(1);
    private final Results results = new Results();

    private Client client(Server server, Consumer<Options> configure) {
        return new Client(server.target, options -> {
            options.writeKey = "k";
            results.listen(options);
            configure.accept(options);
        });
    }

    /** Sends events that differ in nothing but their messageIds, which it returns. */
    private static List<String> track(Client client, int count) {
        var sent = new ArrayList<String>();
        for (int i = 0; i < count; i++) {
            sent.add(client.track("u", "E", null));
        }
        return sent;
    }

    @Test
    void anEventThatIsSentTwiceIsAcceptedThenADuplicate() throws Exception {
        try (var server = new Server(); var client = client(server, options -> options.calls = 1)) {
            client.track("u", "E", null, with -> with.setMessageId("m"));
            client.track("u", "E", null, with -> with.setMessageId("m"));
            assertEquals(0, client.flush(LONG));
            assertEquals(List.of("m", "m"), results.accepted);
            assertEquals(List.of("m"), results.duplicates);
            assertEquals(List.of("m"), server.queued());
        }
    }

    @Test
    void theWriteKeyTravelsAsMetadataAndAnUnknownOneIsRefused() throws Exception {
        try (var server = new Server("--enforce", "right");
                var right = client(server, options -> options.writeKey = "right");
                var wrong = client(server, options -> options.writeKey = "wrong")) {
            var sent = track(right, 1);
            assertEquals(0, right.flush(LONG));
            track(wrong, 1);
            assertEquals(0, wrong.flush(LONG));
            assertEquals(Reason.REASON_INVALID_WRITE_KEY, results.refused.get(0).getReason());
            assertEquals("writeKey", results.refused.get(0).getField());
            assertEquals(sent, server.queued());
        }
    }

    @Test
    void anEventThatTheCallerBuiltIsCompleted() throws Exception {
        try (var server = new Server(); var client = client(server, options -> {})) {
            var before = Instant.now().minusMillis(1);
            var messageId = client.collect(
                    Event.newBuilder().setUserId("u").setWriteKey("own").setPage(Page.newBuilder().setName("Home")));
            assertEquals(0, client.flush(LONG));
            var record = server.records().get(0);
            assertEquals(messageId, record.get("messageId"));
            assertEquals("own", record.get("writeKey"));
            var timestamp = Instant.parse((String) record.get("timestamp"));
            assertTrue(timestamp.isAfter(before) && !timestamp.isAfter(Instant.now()));
            assertEquals(0, timestamp.getNano() % 1_000_000);
        }
    }

    @Test
    void eventsAreSentAgainAloneUntilTheQueueCanBeWritten() throws Exception {
        try (var server = new Server(); var client = client(server, options -> {})) {
            server.command("break");
            var refused = client.track("u", "E", null, with -> with.setExtraJson("{\"type\": \"mine\"}"));
            var sent = track(client, 10);
            assertEquals(10, client.flush(Duration.ofSeconds(1)));
            assertEquals(List.of(refused), results.notAccepted);
            server.command("mend");
            assertEquals(0, client.flush(LONG));
            assertEquals(sent, results.accepted);
            assertEquals(sent, server.queued());
        }
    }

    @Test
    void eventsAreGivenUpWithTheLastStatusAfterRetryFor() throws Exception {
        try (var server = new Server(); var client = client(server, options -> options.retryFor = Duration.ZERO)) {
            server.command("break");
            var sent = track(client, 2);
            assertEquals(0, client.flush(LONG));
            assertEquals(sent, results.notAccepted);
            assertEquals(Status.Code.UNAVAILABLE, results.lost.get(0).getCode());
        }
    }

    @Test
    void anOverloadedServerGetsEveryEventInTheEnd() throws Exception {
        var sent = new ArrayList<String>();
        try (var server = new Server("TRACKSIDE_MAX_PENDING_BYTES=1"); var client = client(server, options -> {
            options.batchEvents = 1;
            options.calls = 8;
        })) {
            long slowest = 0;
            while (slowest < 1_000_000_000 && sent.size() < 2_000) { // the server's delay when it is overloaded
                long began = System.nanoTime();
                sent.addAll(track(client, 100));
                assertEquals(0, client.flush(LONG));
                slowest = System.nanoTime() - began;
            }
            assertTrue(slowest >= 1_000_000_000, "the server was never overloaded");
            assertOnce(sent, results.accepted);
            assertOnce(sent, server.queued());
        }
    }

    @Test
    void aCallPastItsDeadlineIsSentAgain() throws Exception {
        try (var server = new Server(); var client = client(server, options -> options.callTimeout = Duration.ofMillis(300))) {
            var sent = track(client, 1);
            assertEquals(0, client.flush(LONG));
            server.command("pause");
            sent.addAll(track(client, 1));
            assertEquals(1, client.flush(Duration.ofSeconds(1)));
            server.command("resume");
            assertEquals(0, client.flush(LONG));
            assertEquals(sent, results.accepted);
            assertEquals(sent, server.queued());
        }
    }

    @Test
    void aRestartInTheMiddleLosesNothing() throws Exception {
        try (var server = new Server(); var client = client(server, options -> options.batchEvents = 10)) {
            var sent = track(client, 500);
            server.command("restart");
            sent.addAll(track(client, 500));
            assertEquals(0, client.flush(LONG));
            assertOnce(sent, results.accepted);
            assertOnce(sent, server.queued());
        }
    }

    @Test
    void tenThousandEventsAreConservedThroughKillsOfTheServer() throws Exception {
        try (var server = new Server(); var client = client(server, options -> {
            options.batchEvents = 20;
            options.queueEvents = 1_000;
            options.fullWait = LONG;
        })) {
            var killed = CompletableFuture.runAsync(() -> killFiveTimes(server));
            var sent = track(client, 10_000);
            killed.join();
            assertEquals(0, client.flush(LONG));
            assertEquals(List.of(), results.notAccepted);
            assertOnce(sent, results.accepted);
            assertOnce(sent, server.queued());
        }
    }

    private void killFiveTimes(Server server) {
        for (int accepted = 1_500; accepted < 9_000; accepted += 1_500) {
            try {
                results.awaitAccepted(accepted);
            } catch (InterruptedException interrupt) {
                throw new AssertionError(interrupt);
            }
            server.command("kill");
            server.command("start");
        }
    }

    @Test
    void closeFlushes() throws Exception {
        try (var server = new Server()) {
            var client = client(server, options -> options.flushInterval = Duration.ofHours(1));
            var sent = track(client, 300);
            assertEquals(0, client.close(LONG));
            assertOnce(sent, results.accepted);
            assertOnce(sent, server.queued());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"--tls", "--mutual-tls"})
    void tlsWithAndWithoutACertificateOfTheClient(String asked) throws Exception {
        try (var server = new Server(asked)) {
            var known = TlsChannelCredentials.newBuilder().trustManager(file(server, "ca"))
                    .keyManager(file(server, "cert"), file(server, "key")).build();
            var unknown = TlsChannelCredentials.newBuilder().trustManager(file(server, "ca")).build();
            var expected = new ArrayList<>(trackOnce(server, known));
            var other = trackOnce(server, unknown);
            if (asked.equals("--tls")) {
                expected.addAll(other);
            }
            trackOnce(server, TlsChannelCredentials.create()); // trusts others
            assertEquals(expected, results.accepted);
            assertEquals(expected, server.queued());
            assertEquals(Status.Code.UNAVAILABLE, results.lost.get(results.lost.size() - 1).getCode());
        }
    }

    private List<String> trackOnce(Server server, ChannelCredentials tls) {
        try (var client = client(server, options -> {
            options.tls = tls;
            options.retryFor = Duration.ZERO;
        })) {
            var sent = track(client, 1);
            assertEquals(0, client.flush(LONG));
            return sent;
        }
    }

    private static File file(Server server, String name) throws IOException {
        return new File(server.ready.get(name).getAsString());
    }
}

package dev.trackside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.util.concurrent.Uninterruptibles;
import com.google.gson.JsonIOException;
import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import com.google.rpc.RetryInfo;
import dev.trackside.v1.CollectBatchRequest;
import dev.trackside.v1.CollectBatchResponse;
import dev.trackside.v1.Outcome;
import dev.trackside.v1.Reason;
import dev.trackside.v1.Refusal;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.io.File;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the client asks of a server, and what its calls return. */
@Timeout(60)
class CallsTest {
    private static final java.time.Duration LONG = java.time.Duration.ofSeconds(30);
    private static final java.time.Duration HOUR = java.time.Duration.ofHours(1);
    private static final java.time.Duration SHORT = java.time.Duration.ofMillis(50);

    private static List<String> track(Client client, int count) {
        var sent = new ArrayList<String>();
        for (int i = 0; i < count; i++) {
            sent.add(client.track("u", "E", null));
        }
        return sent;
    }

    private static List<String> messageIds(CollectBatchRequest request) {
        return request.getEntriesList().stream().map(entry -> entry.getEvent().getMessageId()).toList();
    }

    @Test
    void aCallReturnsTheMessageIdThatItMade() {
        try (var client = new Client(Server.NOWHERE, options -> options.onLost = (event, why) -> {})) {
            var made = track(client, 2);
            assertTrue(made.get(0).matches("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
            assertFalse(made.get(0).equals(made.get(1)));
            assertEquals("mine", client.page("u", null, null, with -> with.setMessageId("mine")));
            assertEquals(3, client.close(SHORT));
        }
    }

    @Test
    void aBatchGoesOutWhenItIsFullAndTheRestWithAFlush() throws Exception {
        var expected = new HashMap<Consumer<Options>, List<Integer>>();
        expected.put(options -> options.batchEvents = 3, List.of(3, 3, 1));
        expected.put(options -> options.batchBytes = 2_500, List.of(2, 2, 2, 1)); // three are more
        expected.put(options -> options.batchBytes = 500, List.of(1, 1, 1, 1, 1, 1, 1)); // one is more
        for (var each : expected.entrySet()) {
            try (var server = new RecordingServer(); var client = new Client(server.target, options -> {
                options.calls = 1;
                options.flushInterval = HOUR;
                each.getKey().accept(options);
            })) {
                for (int i = 0; i < 7; i++) {
                    client.track("u", "E", Map.of("text", "x".repeat(1_000)));
                }
                assertEquals(0, client.flush(LONG));
                assertEquals(each.getValue(), server.sizes());
            }
        }
    }

    @Test
    void theLargestBatchFitsAMessage() throws Exception {
        try (var server = new RecordingServer(); var client = new Client(server.target, options -> {
            options.batchEvents = 5_000;
            options.batchBytes = Options.LARGEST_EVENT;
            options.calls = 1;
            options.flushInterval = HOUR;
        })) {
            for (int i = 0; i < 6_000; i++) {
                client.track("u", "E", Map.of("text", "x".repeat(800)));
            }
            assertEquals(0, client.flush(LONG));
            assertEquals(6_000, server.sizes().stream().mapToInt(Integer::intValue).sum());
            assertTrue(server.sizes().get(0) < 5_000, "the batch was bounded by its bytes");
        }
    }

    @Test
    void oneCallAtATimeKeepsTheOrder() throws Exception {
        try (var server = new RecordingServer(); var client = new Client(server.target, options -> {
            options.calls = 1;
            options.batchEvents = 7;
        })) {
            var sent = track(client, 100);
            assertEquals(0, client.flush(LONG));
            assertEquals(sent, server.requests.stream().flatMap(request -> messageIds(request).stream()).toList());
        }
    }

    @Test
    void aBatchGoesOutWhenItsFirstEventHasWaited() throws Exception {
        var arrived = new Semaphore(0);
        try (var server = new RecordingServer(); var client = new Client(server.target, options -> {
            options.flushInterval = SHORT;
            options.onAccepted = (event, duplicate) -> arrived.release();
        })) {
            for (int i = 0; i < 2; i++) {
                long began = System.nanoTime();
                track(client, 1);
                arrived.acquire();
                assertTrue(System.nanoTime() - began >= SHORT.toNanos());
            }
        }
    }

    @Test
    void theDelayOfRetryInfoIsKeptAndTheSameEventsAreSentAgain() throws Exception {
        var codes = List.of(Status.Code.UNAVAILABLE, Status.Code.RESOURCE_EXHAUSTED).iterator();
        Function<CollectBatchRequest, CollectBatchResponse> answer = request -> {
            if (!codes.hasNext()) {
                return RecordingServer.accept(request);
            }
            var delay = RetryInfo.newBuilder().setRetryDelay(Duration.newBuilder().setNanos(1_000_000)).build();
            throw StatusProto.toStatusRuntimeException(com.google.rpc.Status.newBuilder()
                    .setCode(codes.next().value()).addDetails(Any.pack(delay)).build());
        };
        var results = new Results();
        try (var server = new RecordingServer(answer); var client = new Client(server.target, options -> {
            results.listen(options);
            options.retryFor = java.time.Duration.ofSeconds(20);
        })) {
            long began = System.nanoTime();
            var sent = track(client, 3);
            assertEquals(0, client.flush(LONG));
            assertTrue(System.nanoTime() - began < 10_000_000_000L);
            assertEquals(sent, results.accepted);
            assertEquals(3, server.requests.size());
            assertEquals(1, server.requests.stream().distinct().count());
        }
    }

    @Test
    void withoutADelayTheWaitsDouble() throws Exception {
        var times = Collections.synchronizedList(new ArrayList<Long>());
        try (var server = new RecordingServer(request -> {
            times.add(System.nanoTime());
            if (times.size() < 4) {
                throw new StatusRuntimeException(Status.CANCELLED);
            }
            return RecordingServer.accept(request);
        }); var client = new Client(server.target, options -> {})) {
            track(client, 1);
            assertEquals(0, client.flush(LONG));
            for (int resend = 0; resend < 3; resend++) {
                assertTrue(times.get(resend + 1) - times.get(resend) >= 50_000_000L << resend, times::toString);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = Status.Code.class, names = {"INVALID_ARGUMENT", "INTERNAL", "PERMISSION_DENIED", "UNIMPLEMENTED"})
    void aStatusThatDoesNotPassGivesTheEventsUpAtOnce(Status.Code code) throws Exception {
        var results = new Results();
        try (var server = new RecordingServer(request -> {
            throw new StatusRuntimeException(code.toStatus().withDescription("no"));
        }); var client = new Client(server.target, results::listen)) {
            var sent = track(client, 2);
            assertEquals(0, client.flush(LONG));
            assertEquals(sent, results.notAccepted);
            assertEquals(code, results.lost.get(0).getCode());
            assertEquals("no", results.lost.get(0).getDescription());
            assertEquals(List.of(2), server.sizes());
        }
    }

    @Test
    void eventsThatTheAnswerForgotAreSentAgain() throws Exception {
        var answers = List.of(0, 1, 1).iterator();
        var results = new Results();
        try (var server = new RecordingServer(request -> CollectBatchResponse.newBuilder()
                .addAllOutcomes(Collections.nCopies(answers.next(), Outcome.OUTCOME_ACCEPTED)).build());
                var client = new Client(server.target, results::listen)) {
            var sent = track(client, 2);
            assertEquals(0, client.flush(LONG));
            assertEquals(sent, results.accepted);
            assertEquals(List.of(2, 2, 1), server.sizes());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aCallThatIsCutOffIsSentAgain(boolean reset) throws Exception {
        var results = new Results();
        try (var server = new BreakingServer(reset); var client = new Client(server.target, results::listen)) {
            var sent = track(client, 1);
            server.awaitCalls(3);
            assertEquals(1, client.close(java.time.Duration.ZERO));
            assertEquals(sent, results.notAccepted);
            assertTrue(results.lost.get(0).getDescription().contains("the last status of " + server.target), results.lost::toString);
        }
    }

    @Test
    void aFullQueueFailsAfterItsWait() {
        try (var client = new Client(Server.NOWHERE, options -> {
            options.queueEvents = 2;
            options.fullWait = SHORT;
            options.onLost = (event, why) -> {};
        })) {
            track(client, 2);
            long began = System.nanoTime();
            assertThrows(QueueFullException.class, () -> client.track("u", "E", null));
            assertTrue(System.nanoTime() - began >= SHORT.toNanos());
            client.close(java.time.Duration.ZERO);
        }
    }

    @Test
    void aWaitForRoomEndsWithRoomAndWithClose() throws Exception {
        try (var server = new RecordingServer(); var client = new Client(server.target, options -> {
            options.queueEvents = 1;
            options.fullWait = HOUR;
        })) {
            var sent = track(client, 5);
            assertEquals(0, client.flush(LONG));
            assertEquals(sent, server.requests.stream().flatMap(request -> messageIds(request).stream()).toList());
        }
        var client = new Client(Server.NOWHERE, options -> {
            options.queueEvents = 1;
            options.fullWait = HOUR;
            options.onLost = (event, why) -> {};
        });
        track(client, 1);
        var waiting = new CountDownLatch(1);
        var failed = CompletableFuture.runAsync(() -> {
            waiting.countDown();
            assertThrows(ClosedException.class, () -> client.track("u", "E", null));
        });
        waiting.await();
        assertEquals(1, client.close(SHORT));
        failed.get(10, TimeUnit.SECONDS);
        assertThrows(ClosedException.class, () -> client.track("u", "E", null));
        assertThrows(ClosedException.class, () -> client.track("u", "", null)); // would be refused by an open client
    }

    @Test
    void closeGivesUpWhatIsLeftWithTheLastStatusAndTheTarget() {
        var results = new Results();
        var client = new Client(Server.NOWHERE, results::listen);
        var sent = track(client, 300);
        assertEquals(300, client.close(java.time.Duration.ofSeconds(1)));
        assertEquals(0, client.close(HOUR));
        Results.assertOnce(sent, results.notAccepted);
        for (var why : results.lost) {
            assertEquals(Status.Code.UNAVAILABLE, why.getCode());
            var said = "the client was closed; the last status of 127.0.0.1:1 was UNAVAILABLE: ";
            assertTrue(why.getDescription().startsWith(said), why::toString);
        }
    }

    @Test
    void closeSaysThatNoCallWasAnswered() throws Exception {
        var results = new Results();
        var answer = new CountDownLatch(1);
        try (var server = new RecordingServer(request -> {
            Uninterruptibles.awaitUninterruptibly(answer);
            return RecordingServer.accept(request);
        })) {
            var client = new Client(server.target, results::listen);
            track(client, 1);
            assertEquals(1, client.close(java.time.Duration.ofMillis(300)));
            answer.countDown();
            assertEquals(Status.Code.CANCELLED, results.lost.get(0).getCode());
            var said = "the client was closed before " + server.target + " answered";
            assertEquals(said, results.lost.get(0).getDescription());
        }
    }

    @Test
    void flushWakesAtTheLastAnswerAndElseAtItsTimeout() throws Exception {
        var answer = new CountDownLatch(1);
        try (var server = new RecordingServer(request -> {
            Uninterruptibles.awaitUninterruptibly(answer);
            return RecordingServer.accept(request);
        }); var client = new Client(server.target, options -> options.flushInterval = HOUR)) {
            track(client, 1);
            assertEquals(1, client.flush(SHORT));
            var flushes = new ArrayList<CompletableFuture<Integer>>();
            for (int i = 0; i < 3; i++) {
                flushes.add(CompletableFuture.supplyAsync(() -> client.flush(HOUR)));
            }
            answer.countDown();
            for (var flush : flushes) {
                assertEquals(0, flush.get());
            }
        }
    }

    @Test
    void anEventWhoseOutcomeIsUnknownIsSentAgain() throws Exception {
        var first = CollectBatchResponse.newBuilder().addOutcomesValue(99).addOutcomes(Outcome.OUTCOME_ACCEPTED).build();
        var answers = List.of(first).iterator();
        try (var server = new RecordingServer(request -> answers.hasNext() ? answers.next() : RecordingServer.accept(request));
                var client = new Client(server.target, options -> options.flushInterval = HOUR)) {
            var sent = track(client, 2);
            assertEquals(0, client.flush(LONG));
            assertEquals(List.of(sent, sent.subList(0, 1)), server.requests.stream().map(CallsTest::messageIds).toList());
        }
    }

    @Test
    void aRefusalReachesTheEventOfItsIndex() throws Exception {
        var response = CollectBatchResponse.newBuilder()
                .addOutcomes(Outcome.OUTCOME_REFUSED).addOutcomes(Outcome.OUTCOME_ACCEPTED).addOutcomes(Outcome.OUTCOME_REFUSED);
        response.addRefusalsBuilder().setIndex(2).setDescription("number 2");
        response.addRefusalsBuilder().setIndex(0).setDescription("number 0");
        var results = new Results();
        try (var server = new RecordingServer(request -> response.build()); var client = new Client(server.target, options -> {
            results.listen(options);
            options.flushInterval = HOUR;
        })) {
            var sent = track(client, 3);
            assertEquals(0, client.flush(LONG));
            assertEquals(List.of(sent.get(0), sent.get(2)), results.notAccepted);
            assertEquals(List.of("number 0", "number 2"), results.refused.stream().map(Refusal::getDescription).toList());
        }
    }

    @Test
    void closeSettlesEveryEventThoughItsThreadIsInterrupted() {
        var results = new Results();
        var client = new Client(Server.NOWHERE, results::listen);
        var sent = track(client, 300);
        Thread.currentThread().interrupt();
        assertEquals(300, client.close(HOUR));
        assertTrue(Thread.interrupted(), "the interrupt is kept");
        Results.assertOnce(sent, results.notAccepted);
    }

    @Test
    void severalFlushesAtOnceAllEnd() throws Exception {
        try (var server = new RecordingServer(); var client = new Client(server.target, options -> options.flushInterval = HOUR)) {
            track(client, 1_000);
            var flushes = new ArrayList<CompletableFuture<Integer>>();
            for (int i = 0; i < 4; i++) {
                flushes.add(CompletableFuture.supplyAsync(() -> client.flush(LONG)));
            }
            for (var flush : flushes) {
                assertEquals(0, flush.get());
            }
        }
    }

    static List<Object> withoutAForm() {
        Runnable function = () -> {};
        return List.of(Thread.currentThread(), List.of(new File("f")), Map.of("function", function), new Results());
    }

    @ParameterizedTest
    @MethodSource("withoutAForm")
    void aValueWithoutAFormFailsInTheCall(Object value) {
        try (var client = new Client(Server.NOWHERE, options -> {})) {
            assertThrows(JsonIOException.class, () -> client.track("u", "E", Map.of("value", value)));
            assertEquals(0, client.flush(java.time.Duration.ZERO));
        }
    }

    @Test
    void aTimePastTheYear9999IsRefusedInTheCall() {
        var results = new Results();
        try (var client = new Client(Server.NOWHERE, results::listen)) {
            client.track("u", "E", null, with -> with.setTimestamp(Timestamp.newBuilder().setSeconds(253_402_300_800L)));
            assertEquals(Reason.REASON_INVALID_TIMESTAMP, results.refused.get(0).getReason());
            assertEquals("timestamp", results.refused.get(0).getField());
        }
    }

    @Test
    void javasOwnValuesHaveTheirForms() throws Exception {
        var properties = new HashMap<String, Object>();
        properties.put("array", new int[] {1, 2});
        properties.put("strings", new String[] {"a", null});
        properties.put("enum", TimeUnit.DAYS);
        properties.put("character", 'c');
        properties.put("map", new EnumMap<>(Map.of(TimeUnit.DAYS, new StringBuilder("text"))));
        properties.put("set", new TreeSet<>(Set.of(true)));
        properties.put("markup", "<&\u2028");
        properties.put("not finite", Arrays.asList(0.5, Double.NaN, Float.NEGATIVE_INFINITY, new double[] {Double.POSITIVE_INFINITY}));
        try (var server = new RecordingServer(); var client = new Client(server.target, options -> {})) {
            client.track("half \ud83d", "E", properties);
            assertEquals(0, client.flush(LONG));
            var event = server.requests.get(0).getEntries(0).getEvent();
            assertEquals("half \ufffd", event.getUserId());
            var expected = new HashMap<String, Object>(Map.of("array", List.of(1L, 2L), "enum", "DAYS", "character", "c"));
            expected.put("strings", Arrays.asList("a", null));
            expected.put("map", Map.of("DAYS", "text"));
            expected.put("set", List.of(true));
            expected.put("markup", "<&\u2028");
            expected.put("not finite", Arrays.asList(0.5, null, null, Collections.singletonList(null)));
            assertEquals(expected, Values.object(event.getTrack().getPropertiesJson()));
        }
    }

    static Map<String, Consumer<Options>> outOfBounds() {
        return Map.of(
                "batchEvents", options -> options.batchEvents = 5_001,
                "batchBytes", options -> options.batchBytes = 4_194_304 - 1_023,
                "queueEvents", options -> options.queueEvents = 0,
                "calls", options -> options.calls = 0,
                "retryFor", options -> options.retryFor = SHORT.negated(),
                "writeKey", options -> options.writeKey = "schlüssel");
    }

    @Test
    void anOptionOutOfItsBoundsIsAnError() {
        outOfBounds().forEach((name, set) -> {
            var failure = assertThrows(IllegalArgumentException.class, () -> new Client(Server.NOWHERE, set));
            assertTrue(failure.getMessage().contains(name));
        });
    }

    @Test
    void aCallbackThatFailsIsLoggedAndDoesNoOtherHarm() throws Exception {
        var calls = new AtomicInteger();
        try (var log = new Log(); var server = new RecordingServer(); var client = new Client(server.target, options -> {
            options.calls = 1;
            options.onAccepted = (event, duplicate) -> {
                calls.incrementAndGet();
                throw new AssertionError("oh no");
            };
        })) {
            track(client, 1);
            assertEquals(0, client.flush(LONG));
            track(client, 2);
            assertEquals(0, client.flush(LONG));
            assertEquals(3, calls.get());
            assertEquals(3, log.records.stream().filter(record -> record.getThrown().getMessage().equals("oh no")).count());
        }
    }

    @Test
    void withoutCallbacksAWarningNamesTheEventAndNotItsContent() {
        try (var log = new Log(); var client = new Client(Server.NOWHERE, options -> {})) {
            var sent = List.of(client.track("", "secret", null), client.track("secret", "secret", null));
            client.close(java.time.Duration.ZERO);
            for (int i = 0; i < 2; i++) {
                var record = log.records.get(i);
                assertEquals(sent.get(i), record.getParameters()[0]);
                assertFalse(List.of(record.getParameters()).toString().contains("secret"));
            }
        }
    }

    /** What is logged meanwhile. */
    private static final class Log extends Handler implements AutoCloseable {
        final List<LogRecord> records = Collections.synchronizedList(new ArrayList<>());
        private final Logger logger = Logger.getLogger("dev.trackside.client");

        Log() {
            logger.addHandler(this);
            logger.setUseParentHandlers(false);
        }

        @Override
        public void publish(LogRecord record) {
            records.add(record);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {
            logger.removeHandler(this);
            logger.setUseParentHandlers(true);
        }
    }
}

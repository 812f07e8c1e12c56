package dev.trackside.client;

import com.google.gson.Gson;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Sends events of 950 bytes through the client's batcher, and prints how long it took until all were settled:
 * {@code Bench [TARGET [EVENTS [CALLS [BATCH [BEFORE]]]]]}. BEFORE is how many more it sends first, which warm the JVM: 0.
 */
final class Bench {
    // The event of benchmarks/payload.py.
    private static final String ANONYMOUS_ID = "cf09e649-fd0b-46b6-9fc1-53ab9cd05c47";
    private static final Map<String, Object> INTEGRATIONS = Map.of("All", true);
    private static final Map<String, Object> CONTEXT = Map.of(
            "library", Map.of("name", "analytics.js", "version", "2.11.1"),
            "page", Map.of("path", "/academy/", "title", "Academy", "url", "https://example.com/academy/"),
            "locale", "en-US",
            "userAgent", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36");

    public static void main(String[] arguments) {
        var target = arguments.length > 0 ? arguments[0] : "localhost:50051";
        var events = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 100_000;
        var calls = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 4;
        var batch = arguments.length > 3 ? Integer.parseInt(arguments[3]) : 200;
        var properties = properties(950 - json(properties("")).length());
        var accepted = new AtomicInteger();
        var before = arguments.length > 4 ? Integer.parseInt(arguments[4]) : 0;
        long began;
        try (var client = new Client(target, options -> {
            options.writeKey = "bench";
            options.calls = calls;
            options.batchEvents = batch;
            options.fullWait = Duration.ofMinutes(1);
            options.onAccepted = (event, duplicate) -> accepted.incrementAndGet();
        })) {
            track(client, before, properties);
            accepted.set(0);
            began = System.nanoTime();
            track(client, events, properties);
        }
        var seconds = (System.nanoTime() - began) / 1e9;
        System.out.println(new Gson().toJson(Map.of("events", events, "seconds", seconds, "accepted", accepted)));
    }

    private static void track(Client client, int events, Map<String, Object> properties) {
        for (int i = 0; i < events; i++) {
            client.track("user-12345", "Order Completed", properties,
                    new With().anonymousId(ANONYMOUS_ID).context(CONTEXT).integrations(INTEGRATIONS));
        }
        client.flush(Duration.ofMinutes(1));
    }

    private static Map<String, Object> properties(int padding) {
        return properties("x".repeat(padding));
    }

    private static Map<String, Object> properties(String note) {
        var product = Map.of("productId", "507f1f77bcf86cd799439011", "name", "Monopoly: 3rd Edition", "price", 19, "quantity", 1);
        return Map.of("orderId", "50314b8e9bcf000000000000", "total", 27.5, "currency", "USD", "products", List.of(product), "note", note);
    }

    private static String json(Map<String, Object> properties) {
        return new Gson().toJson(Map.of("type", "track", "messageId", UUID.randomUUID().toString(), "userId", "user-12345",
                "anonymousId", ANONYMOUS_ID, "event", "Order Completed", "timestamp", "2026-11-23T08:00:00.123Z",
                "sentAt", "2026-11-23T08:00:01.456Z", "integrations", INTEGRATIONS, "context", CONTEXT, "properties", properties));
    }
}

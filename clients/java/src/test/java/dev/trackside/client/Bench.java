package dev.trackside.client;

import com.google.gson.Gson;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Sends events of 950 bytes through the client's batcher: {@code Bench TARGET EVENTS CALLS BATCH}. It prints EVENTS, and in
 * how many seconds all were settled. As many more are sent before, at most 100,000, which warm the JVM.
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
        var events = Integer.parseInt(arguments[1]);
        var properties = properties(950 - json(properties("")).length());
        long began;
        try (var client = new Client(arguments[0], options -> {
            options.writeKey = "bench";
            options.calls = Integer.parseInt(arguments[2]);
            options.batchEvents = Integer.parseInt(arguments[3]);
            options.fullWait = Duration.ofMinutes(1);
        })) {
            track(client, Math.min(events, 100_000), properties);
            began = System.nanoTime();
            track(client, events, properties);
        }
        System.out.println(events + " " + (System.nanoTime() - began) / 1e9);
    }

    private static void track(Client client, int events, Map<String, Object> properties) {
        for (int i = 0; i < events; i++) {
            client.track("user-12345", "Order Completed", properties, with -> with.setAnonymousId(ANONYMOUS_ID)
                    .setContextJson(Client.json(CONTEXT)).setIntegrationsJson(Client.json(INTEGRATIONS)));
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

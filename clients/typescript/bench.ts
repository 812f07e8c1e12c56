/**
 * Sends events of 950 bytes through the client's batcher: `node dist/bench.js TARGET EVENTS CALLS BATCH`. It prints EVENTS
 * and the seconds from the first call until all were settled.
 */
import { randomUUID } from "node:crypto";
import { Client } from "@trackside/client";

const [target = "localhost:50051", ...numbers] = process.argv.slice(2);
const [events = 100_000, calls = 4, batchEvents = 200] = numbers.map(Number);

// The event of benchmarks/payload.py.
const properties = {
  orderId: "50314b8e9bcf000000000000",
  total: 27.5,
  currency: "USD",
  products: [{ productId: "507f1f77bcf86cd799439011", name: "Monopoly: 3rd Edition", price: 19, quantity: 1 }],
  note: "",
};
const common = {
  anonymousId: "cf09e649-fd0b-46b6-9fc1-53ab9cd05c47",
  integrations: { All: true },
  context: {
    library: { name: "analytics.js", version: "2.11.1" },
    page: { path: "/academy/", title: "Academy", url: "https://example.com/academy/" },
    locale: "en-US",
    userAgent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36",
  },
};
const ids = { type: "track", messageId: randomUUID(), userId: "user-12345", event: "Order Completed" };
const times = { timestamp: "2026-11-23T08:00:00.123Z", sentAt: "2026-11-23T08:00:01.456Z" };
properties.note = "x".repeat(950 - JSON.stringify({ ...ids, ...times, ...common, properties }).length);

const client = new Client(target, { writeKey: "bench", calls, batchEvents, fullWaitMs: 60_000 });
const began = performance.now();
for (let number = 0; number < events; number++) {
  await client.track("user-12345", "Order Completed", properties, common);
}
await client.close(60_000);
console.log(events, (performance.now() - began) / 1_000);

import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { after, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Client, Closed, Code, EventSchema, QueueFull, Reason, type Event } from "@trackside/client";
import { Server } from "./server.js";
import { Results } from "./results.js";

const NOBODY = "127.0.0.1:1";
const server = await Server.start();
after(() => server.end());

test("a call waits for room in a full queue, then fails", async () => {
  const results = new Results();
  await using client = new Client(NOBODY, { ...results.callbacks, queueEvents: 2, fullWaitMs: 50 });
  await client.track("u-1", "First");
  await client.track("u-1", "Second");
  await assert.rejects(client.track("u-1", "Third"), QueueFull);
  assert.equal(await client.close(0), 2);
  assert.equal(results.count, 2);
});

test("a call that waits for room fails when the client is closed", async () => {
  const client = new Client(NOBODY, { ...new Results().callbacks, queueEvents: 1 });
  await client.track("u-1", "First");
  const waiting = assert.rejects(client.track("u-1", "Second"), Closed);
  assert.equal(await client.close(0), 1);
  await waiting;
  await assert.rejects(client.track("u-1", "Third"), Closed);
  await assert.rejects(client.track("u-1", ""), Closed); // would be refused by an open client
  assert.equal(await client.close(), 0);
});

test("one call in flight keeps the order, also of calls that waited for room", async () => {
  const client = new Client(server.target, { writeKey: "order", queueEvents: 100, calls: 1, batchEvents: 30 });
  const ids = Array.from({ length: 1_000 }, (_, number) => `m-${number}`);
  const sent = await Promise.all(ids.map((messageId) => client.track("u-1", "Seen", {}, { messageId })));
  assert.equal(await client.close(), 0);
  assert.deepEqual(await server.messageIds("order"), sent);
});

test("calls are filled to what a message may have, and fit", async () => {
  const results = new Results();
  const largest = { batchEvents: 5_000, batchBytes: 2 ** 22 - 1024, flushIntervalMs: 60_000, calls: 8 };
  const client = new Client(server.target, { writeKey: "full", ...largest, ...results.callbacks });
  const text = "x".repeat(4_000);
  for (let number = 0; number < 4_000; number++) await client.track("u-1", "Large", { number, text });
  assert.equal(await client.close(30_000), 0);
  assert.equal(results.accepted.length, 4_000);
});

test("an event goes out when it has waited for others long enough, with no flush", async () => {
  const accepted = new EventEmitter();
  const onAccepted = ({ messageId }: Event) => accepted.emit("event", messageId);
  await using client = new Client(server.target, { writeKey: "waited", onAccepted, flushIntervalMs: 10 });
  const settled = once(accepted, "event");
  assert.deepEqual([await client.track("u-1", "Seen")], await settled);
});

test("flush wakes at the last answer, and else at its timeout", async () => {
  await using paused = await Server.start();
  await using client = new Client(paused.target, { flushIntervalMs: 60_000 });
  await paused.command("pause");
  await client.track("u-1", "Seen");
  assert.equal(await client.flush(50), 1);
  const flushes = [client.flush(60_000), client.flush(60_000), client.flush(60_000)];
  const resumedAt = performance.now();
  await paused.command("resume");
  assert.deepEqual(await Promise.all(flushes), [0, 0, 0]);
  assert.ok(performance.now() - resumedAt < 30_000, "woke before its timeout");
});

test("close says the last status and the target", async () => {
  const results = new Results();
  const client = new Client(NOBODY, results.callbacks);
  await client.track("u-1", "Seen");
  assert.equal(await client.close(500), 1);
  const [{ why } = assert.fail()] = results.lost;
  assert.equal(why.code, Code.Unavailable);
  assert.match(why.description, /^the client was closed; the last status of 127\.0\.0\.1:1 was UNAVAILABLE: ./);
});

test("close says that no call was answered", async () => {
  await using paused = await Server.start();
  await paused.command("pause");
  const results = new Results();
  const client = new Client(paused.target, results.callbacks);
  await client.track("u-1", "Seen");
  assert.equal(await client.close(200), 1);
  await paused.command("resume");
  const description = `the client was closed before ${paused.target} answered`;
  assert.deepEqual(results.lost.map(({ why }) => why), [{ code: Code.Canceled, description }]);
});

test("close and `await using` send what is queued", async () => {
  {
    await using client = new Client(server.target, { writeKey: "closed", flushIntervalMs: 60_000 });
    await client.track("u-1", "Seen");
  }
  assert.equal((await server.messageIds("closed")).length, 1);
});

test("a callback that fails does no harm", async (t) => {
  const logged = t.mock.method(console, "error", () => {});
  const onAccepted = async () => Promise.reject(new Error("mine"));
  const client = new Client(server.target, { writeKey: "fails", onAccepted });
  await client.track("u-1", "First");
  await client.track("u-1", "Second");
  assert.equal(await client.close(), 0);
  assert.equal(logged.mock.callCount(), 2);
});

test("values that JSON does not have are the caller's error", async () => {
  await using client = new Client(NOBODY, new Results().callbacks);
  const circle: Record<string, unknown> = {};
  circle.circle = circle;
  for (const value of [() => {}, Symbol("s"), circle]) {
    await assert.rejects(client.track("u-1", "Seen", { value }), TypeError);
  }
  assert.equal(await client.flush(0), 0);
});

test("a bigint stays an integer where the program has taught it toJSON", async () => {
  const prototype = BigInt.prototype as { toJSON?: () => string };
  prototype.toJSON = () => "text";
  try {
    await using client = new Client(server.target, { writeKey: "toJSON" });
    await client.track("u-1", "Seen", { integer: 2n ** 64n });
  } finally {
    delete prototype.toJSON;
  }
  const [record] = await server.records("toJSON");
  assert.deepEqual(record?.properties, { integer: 2n ** 64n });
});

test("collect gives a ready-made event the messageId and the timestamp that it lacks", async () => {
  await using client = new Client(NOBODY, new Results().callbacks);
  const event = create(EventSchema, { userId: "u-1", kind: { case: "page", value: {} } });
  assert.equal(await client.collect(event), event.messageId);
  assert.match(event.messageId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(event.timestamp!.nanos % 1_000_000, 0);
  await client.close(0);
});

test("a time past the year 9999 is refused", async () => {
  const results = new Results();
  await using client = new Client(NOBODY, results.callbacks);
  await client.track("u-1", "Seen", {}, { timestamp: new Date(8.64e15) });
  assert.deepEqual(results.refused.map(({ why }) => [why.reason, why.field]), [[Reason.INVALID_TIMESTAMP, "timestamp"]]);
});

test("an option outside its bounds is an error at construction", () => {
  const counts = [{ batchEvents: 0 }, { batchEvents: 5_001 }, { batchBytes: 2 ** 22 }, { calls: NaN }];
  for (const options of [...counts, { fullWaitMs: -1 }, { retryForMs: Infinity }, { retries: 1 }, { writeKey: "ключ" }]) {
    assert.throws(() => new Client(NOBODY, options), RangeError);
  }
});

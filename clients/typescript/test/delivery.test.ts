import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp2Server } from "node:http2";
import { connect, createServer, type AddressInfo, type Server as Listener, type Socket } from "node:net";
import { after, test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Client, Code, Reason, type Event } from "@trackside/client";
import {
  CollectorService,
  Outcome,
  type CollectBatchRequest,
  type CollectBatchResponseSchema,
} from "../src/gen/trackside/v1/collector_service_pb.js";
import { Server } from "./server.js";
import { Results } from "./results.js";

const server = await Server.start();
after(() => server.end());

/** The target of what listens. */
async function listening(listener: Pick<Listener, "listen" | "address" | "once">): Promise<string> {
  listener.listen(0, "127.0.0.1");
  await once(listener as Listener, "listening");
  return `127.0.0.1:${(listener.address() as AddressInfo).port}`;
}

test("every outcome reaches its callback, once for each event", async () => {
  const results = new Results();
  const client = new Client(server.target, { writeKey: "outcomes", ...results.callbacks });
  const accepted = await client.track("u-1", "Seen");
  assert.equal(await client.flush(), 0);
  await client.track("u-1", "Seen", {}, { messageId: accepted });
  const refused = await client.track("u-1", "Large", { text: "x".repeat(16_000) });
  const beside = await client.track("u-1", "Small");
  assert.equal(await client.flush(), 0);
  await server.command("break");
  const retried = await client.track("u-1", "Retried");
  assert.equal(await client.flush(200), 1);
  await server.command("mend");
  assert.equal(await client.flush(), 0);
  await server.command("kill");
  const lost = await client.track("u-1", "Lost");
  assert.equal(await client.close(50), 1);
  await server.command("start");

  // What was answered RETRY may have been written all the same: then it is a duplicate when it comes again.
  assert.deepEqual([...results.accepted, ...results.duplicates].sort(), [accepted, accepted, beside, retried].sort());
  assert.ok(results.duplicates.includes(accepted));
  const reasons = results.refused.map(({ event, why }) => [event.messageId, why.reason]);
  assert.deepEqual(reasons, [[refused, Reason.EVENT_TOO_LARGE]]);
  assert.deepEqual(results.lost.map(({ event }) => event.messageId), [lost]);
  assert.match(results.lost[0]!.why.description, /^the client was closed/);
  assert.deepEqual(await server.messageIds("outcomes"), [accepted, beside, retried]);
});

test("events are given up when they were sent for long enough", async () => {
  const results = new Results();
  const unreachable = new Client("127.0.0.1:1", { ...results.callbacks, retryForMs: 300 });
  await unreachable.track("u-1", "Seen");
  assert.equal(await unreachable.close(), 0);
  await server.command("break");
  const broken = new Client(server.target, { writeKey: "given up", ...results.callbacks, retryForMs: 0 });
  await broken.track("u-1", "Seen");
  assert.equal(await broken.close(), 0);
  await server.command("mend");
  assert.deepEqual(results.lost.map(({ why }) => why.code), [Code.Unavailable, Code.Unavailable]);
});

/** Answers each call with the next response, and then accepts all. */
async function answering(...responses: MessageInitShape<typeof CollectBatchResponseSchema>[]) {
  const requests: string[][] = [];
  const collectBatch = ({ entries }: CollectBatchRequest) => {
    requests.push(entries.map(({ content }) => (content.value as Event).messageId));
    return responses.shift() ?? { outcomes: entries.map(() => Outcome.ACCEPTED) };
  };
  const routes = (router: ConnectRouter) => void router.service(CollectorService, { collectBatch });
  const listener = createHttp2Server(connectNodeAdapter({ routes }));
  return { target: await listening(listener), requests, [Symbol.dispose]: () => void listener.close() };
}

test("an event without an outcome, or with one that is unknown, is sent again", async () => {
  using answers = await answering({ outcomes: [99 as Outcome, Outcome.ACCEPTED] }, {});
  const results = new Results();
  const client = new Client(answers.target, { ...results.callbacks, flushIntervalMs: 60_000 });
  const sent = [await client.track("u-1", "First"), await client.track("u-1", "Second"), await client.track("u-1", "Third")];
  assert.equal(await client.close(), 0);
  const left = [sent[2], sent[0]].sort();
  assert.deepEqual(answers.requests.map((request) => [...request].sort()), [[...sent].sort(), left, left]);
  assert.deepEqual([...results.accepted].sort(), sent.sort());
});

test("a refusal reaches the event of its index", async () => {
  const refusals = [2, 0].map((index) => ({ index, description: `number ${index}` }));
  using answers = await answering({ outcomes: [Outcome.REFUSED, Outcome.ACCEPTED, Outcome.REFUSED], refusals });
  const results = new Results();
  const client = new Client(answers.target, { ...results.callbacks, flushIntervalMs: 60_000 });
  const sent = [await client.track("u-1", "First"), await client.track("u-1", "Second"), await client.track("u-1", "Third")];
  assert.equal(await client.close(), 0);
  const refused = results.refused.map(({ event, why }) => [event.messageId, why.description]);
  assert.deepEqual(refused, [[sent[0], "number 0"], [sent[2], "number 2"]]);
});

test("events are given up at once on a status that sending again cannot help", async () => {
  const stranger = createHttp2Server((_, response) => void response.writeHead(404).end());
  const results = new Results();
  const client = new Client(await listening(stranger), results.callbacks);
  await client.track("u-1", "Seen");
  assert.equal(await client.close(), 0);
  stranger.close();
  assert.deepEqual(results.lost.map(({ why }) => why.code), [Code.Unimplemented]);
});

test("an event whose answer is cut off is sent again with its messageId, and is a duplicate", async () => {
  const [host, port] = server.target.split(":") as [string, string];
  const sockets: Socket[] = [];
  const proxy = createServer((socket) => {
    const upstream = connect(Number(port), host);
    socket.pipe(upstream);
    socket.on("close", () => upstream.destroy());
    if (sockets.push(socket) > 1) upstream.pipe(socket); // the first connection's answers get lost
  });
  const results = new Results();
  const client = new Client(await listening(proxy), { writeKey: "cut off", ...results.callbacks });
  const messageId = await client.track("u-1", "Seen");
  while ((await server.messageIds("cut off")).length === 0);
  sockets[0]!.destroy();
  assert.equal(await client.close(), 0);
  proxy.close();
  assert.deepEqual(results.duplicates, [messageId]);
  assert.deepEqual(await server.messageIds("cut off"), [messageId]);
});

test("a call that gets no answer in time is made again", async () => {
  const results = new Results();
  const client = new Client(server.target, { writeKey: "paused", ...results.callbacks, callTimeoutMs: 100 });
  await server.command("pause");
  const messageId = await client.track("u-1", "Seen");
  assert.equal(await client.flush(300), 1);
  await server.command("resume");
  assert.equal(await client.close(), 0);
  assert.deepEqual([...results.accepted, ...results.duplicates], [messageId]);
  assert.deepEqual(await server.messageIds("paused"), [messageId]);
});

test("a server that restarts in the middle loses and repeats nothing", async () => {
  const results = new Results();
  const client = new Client(server.target, { writeKey: "restarts", ...results.callbacks, batchEvents: 20 });
  const sent: string[] = [];
  for (let number = 0; number < 1_000; number++) sent.push(await client.track("u-1", "Seen", { number }));
  const restarted = server.command("restart");
  for (let number = 1_000; number < 2_000; number++) sent.push(await client.track("u-1", "Seen", { number }));
  await restarted;
  assert.equal(await client.close(30_000), 0);
  assert.deepEqual([...results.accepted, ...results.duplicates].sort(), sent.sort());
  assert.deepEqual((await server.messageIds("restarts")).sort(), sent);
});

test("10,000 events survive kill -9 of the server: none is lost, none is there twice", async () => {
  const kills = [1_500, 3_000, 4_500, 6_000, 7_500];
  const results = new Results();
  let settled = 0;
  let killed: Promise<unknown> = Promise.resolve();
  const onAccepted = (event: Event, duplicate: boolean) => {
    results.callbacks.onAccepted!(event, duplicate);
    if (kills.includes(++settled)) killed = server.command("kill").then(() => server.command("start"));
  };
  const options = { writeKey: "killed", ...results.callbacks, onAccepted, queueEvents: 1_000, batchEvents: 20 };
  const client = new Client(server.target, options);
  const sent: string[] = [];
  for (let number = 0; number < 10_000; number++) sent.push(await client.track("u-1", "Seen", { number }));
  assert.equal(await client.close(60_000), 0);
  await killed;
  assert.deepEqual([...results.accepted, ...results.duplicates].sort(), sent.sort());
  assert.deepEqual((await server.messageIds("killed")).sort(), sent);
});

test("an overloaded server gets every event in the end", async () => {
  await using small = await Server.start("TRACKSIDE_MAX_PENDING_BYTES=1");
  const results = new Results();
  const client = new Client(small.target, { writeKey: "k", ...results.callbacks, calls: 8, batchEvents: 100 });
  for (let number = 0; number < 2_000; number++) await client.track("u-1", "Seen", { number });
  assert.equal(await client.close(60_000), 0);
  assert.equal(results.accepted.length, 2_000);
  assert.equal((await small.messageIds("k")).length, 2_000);
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Client, EventSchema, Reason, type Options } from "@trackside/client";
import { Server } from "./server.js";
import { Results } from "./results.js";

async function send(server: Server, options: Options): Promise<Results> {
  const results = new Results();
  await using client = new Client(server.target, { writeKey: "k", retryForMs: 100, ...results.callbacks, ...options });
  await client.track("u-1", "Seen");
  assert.equal(await client.flush(), 0);
  return results;
}

test("the write key goes with each call, and an event's own before it", async () => {
  await using server = await Server.start("--enforce", "right");
  assert.equal((await send(server, { writeKey: "right" })).accepted.length, 1);
  for (const writeKey of ["wrong", ""]) {
    const { refused } = await send(server, { writeKey });
    assert.deepEqual(refused.map(({ why }) => why.reason), [Reason.INVALID_WRITE_KEY]);
  }
  const results = new Results();
  const client = new Client(server.target, { writeKey: "wrong", ...results.callbacks });
  await client.collect(create(EventSchema, { userId: "u-1", writeKey: "right", kind: { case: "page", value: {} } }));
  await client.close();
  assert.equal(results.accepted.length, 1);
});

test("TLS trusts the roots that are given, and the system's without", async () => {
  await using server = await Server.start("--tls");
  const ca = readFileSync(server.ready.ca);
  assert.equal((await send(server, { tls: { ca } })).accepted.length, 1);
  assert.equal((await send(server, { tls: true })).lost.length, 1);
});

test("mutual TLS shows the client's certificate", async () => {
  await using server = await Server.start("--mutual-tls");
  const [ca, cert, key] = [server.ready.ca, server.ready.cert, server.ready.key].map((path) => readFileSync(path));
  assert.equal((await send(server, { tls: { ca, cert, key } })).accepted.length, 1);
  assert.equal((await send(server, { tls: { ca } })).lost.length, 1);
});

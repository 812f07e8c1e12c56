import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Client, Reason } from "@trackside/client";
import { Server } from "./server.js";
import { Results } from "./results.js";
import { calls, event, make, refusals, type Call, type Refusal, type Values } from "./values.js";

const server = await Server.start();
after(() => server.end());

/** A record without what the server stamps, and without a timestamp that the call did not give. */
function comparable(record: Values | undefined, { arguments: given }: Call): Values {
  const { receivedAt: _, writeKey: __, timestamp, ...rest } = record ?? {};
  return given.timestamp ? { ...rest, timestamp } : rest;
}

async function arrive(writeKey: string, expected: Call[], send: (client: Client, call: Call) => Promise<string>) {
  const results = new Results();
  const client = new Client(server.target, { writeKey, ...results.callbacks });
  for (const call of expected) await send(client, call);
  assert.equal(await client.close(), 0);
  assert.equal(results.accepted.length, expected.length);
  const records = new Map((await server.records(writeKey)).map((record) => [record.messageId, record]));
  for (const call of expected) {
    assert.deepEqual(comparable(records.get(call.arguments.message_id), call), call.record, call.name);
  }
}

async function refuse(target: string, refusal: Refusal) {
  const results = new Results();
  await using client = new Client(target, { writeKey: "refused", ...results.callbacks });
  const messageId = await make(client, refusal);
  if (refusal.found === "server") assert.equal(await client.flush(), 0);
  const reasons = results.refused.map(({ event, why }) => [event.messageId, `REASON_${Reason[why.reason]}`, why.field]);
  assert.deepEqual(reasons, [[messageId, refusal.reason, refusal.field]]);
}

test("the vectors' calls arrive as the vectors' records", () => arrive("text", calls, make));

test("ready-made events in the Struct form make the same records", () =>
  arrive("struct", calls.filter(({ struct }) => struct), (client, call) => client.collect(event(call))));

for (const refusal of refusals) {
  const target = refusal.found === "client" ? "127.0.0.1:1" : server.target;
  test(`the ${refusal.found} refuses: ${refusal.name}`, () => refuse(target, refusal));
}

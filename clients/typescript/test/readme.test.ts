/** What the README tells a new user to do. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ROOT, Server } from "./server.js";

test("the README's example sends its event and prints that it was accepted", async () => {
  await using server = await Server.start();
  const [, example] = /```js\n(.*?)```/s.exec(readFileSync(`${ROOT}clients/typescript/README.md`, "utf8"))!;
  const program = example!.replace("localhost:50051", server.target);
  const cwd = `${ROOT}clients/typescript`;
  const printed = execFileSync(process.execPath, ["--input-type=module", "--eval", program], { cwd, encoding: "utf8" });
  const [record] = await server.records("my-key");
  assert.deepEqual([record?.event, record?.properties], ["Order Completed", { total: 12.5 }]);
  assert.equal(printed, `accepted ${record?.messageId as string}\n`);
});

/** What the npm package ships. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { ROOT } from "./server.js";

test("the package ships the built client with its generated code, and nothing else", () => {
  const cwd = `${ROOT}clients/typescript`;
  const printed = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd, encoding: "utf8" });
  const [packed] = JSON.parse(printed) as { files: { path: string }[] }[];
  const paths = packed!.files.map(({ path }) => path);
  const names = ["trackside/v1/event_pb", "trackside/v1/collector_service_pb", "google/rpc/error_details_pb"];
  for (const name of names) assert.ok(paths.includes(`dist/src/gen/${name}.js`) && paths.includes(`dist/src/gen/${name}.d.ts`));
  const others = paths.filter((path) => !path.startsWith("dist/src/")).sort();
  assert.deepEqual(others, ["README.md", "package.json"]);
});

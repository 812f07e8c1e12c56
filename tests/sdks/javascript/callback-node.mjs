// Makes the calls with an SDK of the old analytics-node family: a callback an event tells when it was let go.
import { createRequire } from "node:module";
import { scenario } from "./scenario.mjs";

const require = createRequire(import.meta.url);
const { host, writeKey, batchSize, calls } = scenario;
const create = {
  "analytics-node": () => new (require("analytics-node"))(writeKey, { host, flushAt: batchSize ?? 20, errorHandler }),
  "@rudderstack/rudder-sdk-node": () =>
    new (require("@rudderstack/rudder-sdk-node"))(writeKey, { dataPlaneUrl: host, flushAt: batchSize ?? 20, errorHandler }),
}[process.argv[2]];

function errorHandler(error) {
  console.error("gave up:", error.message);
}

const analytics = create();
const settled = calls.map(
  ({ call, ...message }) => new Promise((resolve) => analytics[call](message, resolve)),
);
await analytics.flush();
await Promise.all(settled);

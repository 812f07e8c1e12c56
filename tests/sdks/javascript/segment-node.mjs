// Makes the calls with an SDK of the @segment/analytics-node family; its package is the argument.
import { scenario } from "./scenario.mjs";

const { Analytics } = await import(process.argv[2]);
const { host, writeKey, batchSize, calls } = scenario;
const analytics = new Analytics({ host, writeKey, ...(batchSize && { flushAt: batchSize }) });
analytics.on("error", (error) => console.error("gave up:", error.code));
for (const { call, ...message } of calls) {
  analytics[call](message);
}
await analytics.closeAndFlush({ timeout: 90_000 });

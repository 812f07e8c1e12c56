// Makes the calls with a browser's SDK, from a page in headless Chromium that stays open until standard input ends.
//
//   node browser.mjs SDK
//
// A scenario that leaves: the page is left after the calls and opened once more, as a visitor does.
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { launch } from "./chromium.mjs";
import { closed, scenario } from "./scenario.mjs";

const require = createRequire(import.meta.url);

// Which file is the SDK, and how a page starts it: `start` runs in the page and returns what the calls are made on.
const SDKS = {
  "analytics-next": {
    file: join(dirname(require.resolve("@segment/analytics-next/package.json")), "dist/umd/index.js"),
    start: ({ host, writeKey }) => window.AnalyticsNext.AnalyticsBrowser.load({ writeKey, cdnURL: host }),
  },
  "analytics-next-batching": {
    file: join(dirname(require.resolve("@segment/analytics-next/package.json")), "dist/umd/index.js"),
    // A page that leaves does so before the first batch is due.
    start: ({ host, writeKey, batchSize, leaves }) =>
      window.AnalyticsNext.AnalyticsBrowser.load(
        { writeKey, cdnURL: host },
        {
          integrations: {
            "Segment.io": {
              deliveryStrategy: { strategy: "batching", config: { size: batchSize ?? 10, timeout: leaves ? 60_000 : 1000 } },
            },
          },
        },
      ),
  },
  "customerio-browser": {
    file: join(dirname(require.resolve("@customerio/cdp-analytics-browser/package.json")), "dist/umd/index.js"),
    start: ({ host, writeKey }) => window.AnalyticsNext.AnalyticsBrowser.load({ writeKey, cdnURL: `${host}/customerio` }),
  },
  "rudderstack-js": {
    file: require.resolve("@rudderstack/analytics-js/bundled").replace(/modern.*/, "modern/bundled/umd/index.js"),
    start: ({ host, writeKey, batchSize }) => {
      const queueOptions = batchSize ? { batch: { enabled: true, maxItems: batchSize } } : {};
      const analytics = new window.rudderanalytics.RudderAnalytics();
      analytics.load(writeKey, host, { configUrl: host, queueOptions });
      return analytics;
    },
  },
  "rudderstack-js-beacon": {
    file: require.resolve("@rudderstack/analytics-js/bundled").replace(/modern.*/, "modern/bundled/umd/index.js"),
    start: ({ host, writeKey, batchSize }) => {
      const beaconQueueOptions = { flushQueueInterval: 1000, ...(batchSize && { maxItems: batchSize }) };
      const analytics = new window.rudderanalytics.RudderAnalytics();
      analytics.load(writeKey, host, { configUrl: host, useBeacon: true, beaconQueueOptions });
      return analytics;
    },
  },
};

/** Makes the calls in the page. A context and integrations are options, as the browsers' SDKs have it. */
function makeCalls(calls) {
  for (const call of calls) {
    const options = { context: call.context, integrations: call.integrations };
    const make = {
      identify: () => window.sdk.identify(call.userId, call.traits, options),
      track: () => window.sdk.track(call.event, call.properties, options),
      page: () => window.sdk.page(call.category, call.name, call.properties, options),
      screen: () => window.sdk.screen(call.category, call.name, call.properties, options),
      group: () => window.sdk.group(call.groupId, call.traits, options),
      alias: () => window.sdk.alias(call.userId, call.previousId, options),
    };
    make[call.call]();
  }
}

async function openPage(context, url) {
  const page = await context.newPage();
  page.on("console", (message) => console.error("page:", message.text()));
  page.on("pageerror", (error) => console.error("page:", error.message));
  await page.goto(url);
  await page.evaluate(`void (window.sdk = (${sdk.start})(${JSON.stringify(scenario)}))`);
  return page;
}

const sdk = SDKS[process.argv[2]];
const site = createServer((request, response) => {
  if (request.url === "/") {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end('<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,"><script src="/sdk/index.js"></script>');
    return;
  }
  response.setHeader("content-type", "text/javascript; charset=utf-8");
  createReadStream(join(dirname(sdk.file), request.url.replace(/^\/sdk\//, "")))
    .on("error", () => response.writeHead(404).end())
    .pipe(response);
}).listen(0, "127.0.0.1");
await new Promise((resolve) => site.once("listening", resolve));
const url = `http://127.0.0.1:${site.address().port}/`;

const browser = await launch();
const context = await browser.newContext();
context.setDefaultTimeout(0);
const page = await openPage(context, url);
if (scenario.leaves) {
  // A visitor who leaves has been on the page for a while: the SDK is ready.
  await page.evaluate(() => new Promise((resolve) => window.sdk.ready(() => resolve())));
  await page.evaluate(makeCalls, scenario.calls);
  // analytics-next takes each call in a task of its own. One whose turn has not come when the page is left is lost.
  await page.evaluate(() => new Promise((resolve) => requestIdleCallback(() => resolve())));
  await page.goto("about:blank");
  await openPage(context, url);
} else {
  await page.evaluate(makeCalls, scenario.calls);
}
await closed();
await browser.close();
site.close();

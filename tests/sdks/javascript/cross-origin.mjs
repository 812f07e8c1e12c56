// Sends events to a collector from two pages of another origin, in each way that a page has, and prints what the pages saw.
//
//   node cross-origin.mjs COLLECTOR WRITE_KEY
//
// One page has an origin of its own; the other is in a sandboxed frame, whose origin is null. Each ends when its beacon
// was answered.
import { once } from "node:events";
import { createServer } from "node:http";
import { launch } from "./chromium.mjs";

const [collector, writeKey] = process.argv.slice(2);

/** Runs in a page: sends one event in each way, and tells what came of it. */
async function send({ collector, writeKey, from }) {
  const url = `${collector}/v1/track`;
  const body = (how) =>
    JSON.stringify({ writeKey, messageId: `${from} ${how}`, userId: "u", event: "Sent", properties: { call: `${from} ${how}` } });
  const seen = {};

  const credentials = await fetch(url, {
    method: "POST",
    credentials: "include",
    headers: { "content-type": "application/json", "x-of-next-year": "1" },
    body: body("fetch"),
  });
  seen.fetch = [credentials.status, await credentials.json()];

  const request = new XMLHttpRequest();
  request.open("POST", url);
  request.withCredentials = true;
  request.setRequestHeader("content-type", "application/json");
  const ended = new Promise((resolve) => (request.onloadend = resolve));
  request.send(body("xhr"));
  await ended;
  seen.xhr = [request.status, JSON.parse(request.responseText || "null")];

  const refused = await fetch(url, { method: "POST", credentials: "include", body: "{}" });
  seen.refused = [refused.status, (await refused.json()).message];

  seen.beacon = navigator.sendBeacon(url, new Blob([body("beacon")], { type: "application/json" }));
  return seen;
}

const site = createServer((_, response) => {
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.end('<!doctype html><html lang="en"><title>Shop</title><iframe sandbox="allow-scripts" srcdoc="<p>Frame"></iframe>');
}).listen(0, "127.0.0.1");
await once(site, "listening");

const browser = await launch();
const page = await browser.newPage();
page.setDefaultTimeout(0);
page.on("console", (message) => console.error("page:", message.text()));
await page.goto(`http://127.0.0.1:${site.address().port}/`);
const seen = {};
for (const [from, frame] of Object.entries({ page: page.mainFrame(), frame: page.frames()[1] })) {
  const ended = ["requestfinished", "requestfailed"].map((event) =>
    page.waitForEvent(event, (request) => request.resourceType() === "ping"),
  );
  seen[from] = await frame.evaluate(send, { collector, writeKey, from });
  await Promise.race(ended);
}
console.log(JSON.stringify(seen));
await browser.close();
site.close();

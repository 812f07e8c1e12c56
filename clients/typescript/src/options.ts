/** What a client can be told, and what it tells. */
import { getOption } from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";
import { CollectorService, type Refusal } from "./gen/trackside/v1/collector_service_pb.js";
import type { Event } from "./gen/trackside/v1/event_pb.js";
import { limits } from "./gen/trackside/v1/options_pb.js";

/** Why an event was given up. `code` is the last call's gRPC status; there is none where the client was closed. */
export type Lost = { code?: Code; description: string };
/** PEM texts. Without `ca` the system's roots are trusted; `cert` and `key` are the client's own. */
export type Tls = { ca?: string | Buffer; cert?: string | Buffer; key?: string | Buffer };

const warn = ({ messageId }: Event, { description }: Refusal | Lost): void =>
  console.warn(`trackside: event ${messageId} is not queued: ${description}`);

/** The README says what each does. */
const defaults = {
  writeKey: "",
  tls: false as boolean | Tls,
  batchEvents: 200,
  batchBytes: 1_000_000,
  queueEvents: 10_000,
  fullWaitMs: 5_000,
  flushIntervalMs: 100,
  calls: 4,
  callTimeoutMs: 10_000,
  retryForMs: 300_000,
  onAccepted: (_event: Event, _duplicate: boolean): unknown => undefined,
  onRefused: warn as (event: Event, why: Refusal) => unknown,
  onLost: warn as (event: Event, why: Lost) => unknown,
};
export type Settings = Readonly<typeof defaults>;
export type Options = Partial<Settings>;

const { deliveryEvents, messageBytes } = getOption(CollectorService, limits);
export const LARGEST_EVENT = messageBytes - 1024; // bytes: with the request around it, it just fits a message
export const LONGEST = 2 ** 31 - 1; // milliseconds: what a timer takes
const bounds: Record<string, number> = { batchEvents: deliveryEvents, batchBytes: LARGEST_EVENT, calls: 100 };

/** Throws RangeError for an option that is out of bounds. */
export function settingsOf(options: Options): Settings {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  for (const [name, value] of given) {
    const [least, most] = [name.endsWith("Ms") ? 0 : 1, bounds[name] ?? LONGEST];
    if (typeof value === "number" && !(value >= least && value <= most))
      throw new RangeError(`${name} is ${value}, and not ${least} to ${most}`);
  }
  if (!/^[ -~]*$/.test(options.writeKey ?? "")) throw new RangeError("writeKey is not printable ASCII");
  return { ...defaults, ...Object.fromEntries(given) };
}

/** Calls the program back. What it throws is its own, and does no harm here. */
export function tell<Told extends unknown[]>(callback: (...told: Told) => unknown, ...told: Told): void {
  (async () => callback(...told))().catch((error) => console.error("trackside: a callback failed:", error));
}

/** What a client can be told, and what it tells. */
import { getOption } from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";
import { CollectorService, type Reason } from "./gen/trackside/v1/collector_service_pb.js";
import type { Event } from "./gen/trackside/v1/event_pb.js";
import { limits } from "./gen/trackside/v1/options_pb.js";

/** An event that is not taken, and never will be as it is. `field` is the JSON name of the member at fault, or "". */
export type Refused = { event: Event; reason: Reason; field: string; description: string };
/** An event that was given up. `code` is the last call's gRPC status; there is none where the client was closed. */
export type Lost = { event: Event; code: Code | undefined; description: string };
/** PEM texts. Without `ca` the system's roots are trusted; `cert` and `key` are the client's own. */
export type Tls = { ca?: string | Buffer; cert?: string | Buffer; key?: string | Buffer };

const warn = ({ event, description }: Refused | Lost): void =>
  console.warn(`trackside: event ${event.messageId} is not queued: ${description}`);

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
  onAccepted: (_event: Event, _duplicate: boolean): void => {},
  onRefused: warn as (refused: Refused) => void,
  onLost: warn as (lost: Lost) => void,
};
export type Settings = Readonly<typeof defaults>;
export type Options = Partial<Settings>;

const { deliveryEvents, messageBytes } = getOption(CollectorService, limits);
export const LARGEST_EVENT = messageBytes - 1024; // bytes: with the request around it, it just fits a message
export const LONGEST = 2 ** 31 - 1; // milliseconds: what a timer takes
const bounds = {
  batchEvents: [1, deliveryEvents], batchBytes: [1, LARGEST_EVENT], queueEvents: [1, 1e9], calls: [1, 100],
  fullWaitMs: [0, LONGEST], flushIntervalMs: [0, LONGEST], callTimeoutMs: [1, LONGEST], retryForMs: [0, LONGEST],
} as const;

/** Throws RangeError for an option that is out of bounds. */
export function settingsOf(options: Options): Settings {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const settings: Settings = { ...defaults, ...Object.fromEntries(given) };
  for (const name of Object.keys(bounds) as (keyof typeof bounds)[]) {
    const [[least, most], value] = [bounds[name], settings[name]];
    if (!(value >= least && value <= most)) throw new RangeError(`${name} is ${value}, and not ${least} to ${most}`);
  }
  if (!/^[ -~]*$/.test(settings.writeKey)) throw new RangeError("writeKey has a character that is not printable ASCII");
  return settings;
}

/** Calls the program back. What it throws is its own, and does no harm here. */
export async function tell<Told extends unknown[]>(callback: (...told: Told) => unknown, ...told: Told): Promise<void> {
  try {
    await callback(...told);
  } catch (error) {
    console.error("trackside: a callback failed:", error);
  }
}

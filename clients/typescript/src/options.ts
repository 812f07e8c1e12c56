/** A client's options and their bounds, and the reasons that it reports. */
import { getOption } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { CollectorService, type Refusal } from "./gen/trackside/v1/collector_service_pb.js";
import type { Event } from "./gen/trackside/v1/event_pb.js";
import { limits } from "./gen/trackside/v1/options_pb.js";

/** Why an event was given up. `code` is the last call's gRPC status; Canceled if no call was answered. */
export type Lost = { code: Code; description: string };
/** PEM texts. Without `ca` the system's roots are trusted; `cert` and `key` are the client's own. */
export type Tls = { ca?: string | Buffer; cert?: string | Buffer; key?: string | Buffer };

const warnOfRefusal = ({ messageId }: Event, { description }: Refusal): void =>
  console.warn(`trackside: event ${messageId} was refused: ${description}`);
const warnOfLoss = ({ messageId }: Event, { code, description }: Lost): void =>
  console.warn(`trackside: event ${messageId} was lost: ${nameOf(code)}: ${description}`);

/** A code as gRPC writes it, such as DEADLINE_EXCEEDED. */
export function nameOf(code: Code): string {
  return Code[code].replace(/([a-z])([A-Z])/g, "$1_$2").toUpperCase();
}

/** The README describes each option. */
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
  onRefused: warnOfRefusal as (event: Event, why: Refusal) => unknown,
  onLost: warnOfLoss as (event: Event, why: Lost) => unknown,
};
export type Settings = Readonly<typeof defaults>;
export type Options = Partial<Settings>;

const { deliveryEvents, messageBytes } = getOption(CollectorService, limits);
export const LARGEST_EVENT = messageBytes - 1024; // bytes; the rest of a message is for the request around the event
export const LONGEST_MS = 2_147_483_000; // 24 days: the longest timer that all clients have
const mostOf: Record<string, number> = {
  batchEvents: deliveryEvents,
  batchBytes: LARGEST_EVENT,
  queueEvents: 1_000_000_000,
  calls: 100,
};

/** Throws RangeError for an option that is out of bounds. */
export function settingsOf(options: Options): Settings {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  for (const [name, value] of given) {
    if (!(name in defaults)) throw new RangeError(`there is no option ${name}`);
    if (typeof value !== "number") continue;
    const [least, most] = name.endsWith("Ms") ? [0, LONGEST_MS] : [1, mostOf[name]!];
    if (!(value >= least && value <= most)) throw new RangeError(`${name} must be from ${least} to ${most}, not ${value}`);
  }
  if (!/^[ -~]*$/.test(options.writeKey ?? ""))
    throw new RangeError("writeKey must be printable ASCII, because it is sent as gRPC metadata");
  return { ...defaults, ...Object.fromEntries(given) };
}

/** Calls one of the program's callbacks. An error, also of a promise that it returns, is logged and does no other harm. */
export function callBack<Arguments extends unknown[]>(
  callback: (...given: Arguments) => unknown,
  ...given: Arguments
): void {
  (async () => callback(...given))().catch((error) => console.error("trackside: a callback failed:", error));
}

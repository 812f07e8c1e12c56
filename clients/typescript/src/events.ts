/** Makes an event from a call's arguments, and checks it by the rules that the protos state. */
import { randomUUID } from "node:crypto";
import { create, fromJson, toBinary, type JsonObject } from "@bufbuild/protobuf";
import { timestampFromDate, timestampNow } from "@bufbuild/protobuf/wkt";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import { Reason, RefusalSchema, type Refusal } from "./gen/trackside/v1/collector_service_pb.js";
import { EventSchema, type Event } from "./gen/trackside/v1/event_pb.js";
import { LARGEST_EVENT } from "./options.js";

/** What JSON can say. A bigint is an integer of any size. */
export type Json = Record<string, unknown>;
/** What every kind of event may say. `extra` has members that the specification does not name. */
export type Common =
  { anonymousId?: string; messageId?: string; timestamp?: Date; context?: Json; integrations?: Json; extra?: Json };

const BIGINT_MARK = randomUUID(); // marks integers in the JSON text; no string of a program contains it
const validator = createValidator({ failFast: true });

/** An event of a kind from the arguments of its call. Throws TypeError for a value that JSON does not have. */
export function make(kind: string, userId: string, own: Json, { timestamp, ...common }: Common = {}): Event {
  const event = fromJson(EventSchema, { userId, ...fields(common), [kind]: fields(own) });
  event.timestamp = timestamp && timestampFromDate(timestamp);
  return event;
}

/** A message's fields, by their JSON names. An object goes into the field of its JSON text. */
function fields(given: Json): JsonObject {
  const members = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    members.map(([name, value]) => (typeof value === "object" ? [`${name}Json`, text(value as Json)] : [name, value])),
  ) as JsonObject;
}

/** The text form of a free-form value. Throws TypeError for what JSON does not have. */
function text(value: Json): string {
  let json = JSON.stringify(value, function (this: Json, name, member: unknown) {
    const own = this[name]; // what it was before a toJSON, which some programs give to BigInt
    if (typeof own === "function" || typeof own === "symbol") throw new TypeError(`${name} is a ${typeof own}`);
    return typeof own === "bigint" ? BIGINT_MARK + own : member;
  });
  // JSON.stringify escapes half a surrogate pair, and nothing else so.
  if (json.includes("\\ud")) json = json.replace(/\\(ud[0-9a-f]{3}|.)/g, (all, what) => (what[1] ? "\ufffd" : all));
  return json.includes(BIGINT_MARK) ? json.replace(new RegExp(`"${BIGINT_MARK}(-?\\d+)"`, "g"), "$1") : json;
}

/** Fills in the messageId and the timestamp if they are unset. Returns the event's bytes in a request, and the first rule it breaks. */
export function complete(event: Event): { bytes: number; violation: Violation | undefined } {
  event.messageId ||= randomUUID();
  // Checked without the timestamp that is added here: it is valid, and checking it is slow.
  const { violations: [violation] = [] } = validator.validate(EventSchema, event);
  event.timestamp ??= timestampNow();
  const bytes = toBinary(EventSchema, event).length + 10; // the entry around it has at most two tags and two lengths
  return { bytes, violation };
}

/** Why the server would refuse the event, as far as that is known here. */
export function refusalOf(bytes: number, violation: Violation | undefined): Refusal | undefined {
  if (bytes > LARGEST_EVENT) {
    const description = `the event has ${bytes} bytes, and a gRPC message holds ${LARGEST_EVENT}`;
    return create(RefusalSchema, { reason: Reason.EVENT_TOO_LARGE, description });
  }
  if (!violation) return undefined;
  const field = fieldOf(violation);
  return create(RefusalSchema, { reason: reasonOf(violation), field, description: `${field}: ${violation.message}` });
}

/** The JSON name of the field that a violation is about. A rule of the whole message begins its id with that name. */
function fieldOf({ field: path, ruleId }: Violation): string {
  const last = path.at(-1);
  if (last?.kind === "field") return last.jsonName;
  return last?.kind === "oneof" ? "type" : ruleId.split(".")[0]!;
}

function reasonOf({ ruleId }: Violation): Reason {
  if (/(^|\.)required$/.test(ruleId)) return Reason.REQUIRED;
  return ruleId.startsWith("timestamp.") ? Reason.INVALID_TIMESTAMP : Reason.INVALID_VALUE;
}

/** Makes an event from a call's arguments, and checks it by the rules that the protos state. */
import { randomUUID } from "node:crypto";
import { create, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate, timestampNow } from "@bufbuild/protobuf/wkt";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import { Reason } from "./gen/trackside/v1/collector_service_pb.js";
import { EventSchema, type Event } from "./gen/trackside/v1/event_pb.js";
import { LARGEST_EVENT, type Refused } from "./options.js";

/** What JSON can say. A bigint is an integer of any size. */
export type Json = Record<string, unknown>;
/** What every kind of event may say. `extra` has members that the specification does not name. */
export type Common = { anonymousId?: string; messageId?: string; timestamp?: Date } & {
  [Name in "context" | "integrations" | "extra"]?: Json;
};

const mark = randomUUID(); // no string of a program has it
const marked = new RegExp(`"${mark}(-?\\d+)"`, "g");
const validator = createValidator({ failFast: true });

/** The text form of a free-form value. Throws TypeError for what JSON does not have. */
export function text(value: Json): string {
  let json = JSON.stringify(value, function (this: Json, name, member: unknown) {
    const own = this[name]; // what it was before a toJSON, which some programs give to BigInt
    if (typeof own === "function" || typeof own === "symbol") throw new TypeError(`${name} is a ${typeof own}`);
    return typeof own === "bigint" ? mark + own : member;
  });
  // JSON.stringify escapes half a surrogate pair, and nothing else so.
  if (json.includes("\\ud")) json = json.replace(/\\(ud[0-9a-f]{3}|.)/g, (all, what) => (what[1] ? "\ufffd" : all));
  return json.includes(mark) ? json.replace(marked, "$1") : json;
}

/** The text form of a field, where there is a value for it. */
export function form<Name extends string>(name: Name, value: Json | undefined) {
  type Form = { [Field in `${Name}Form`]?: { case: `${Name}Json`; value: string } };
  return (value && { [`${name}Form`]: { case: `${name}Json`, value: text(value) } }) as Form | undefined;
}

type Kind = MessageInitShape<typeof EventSchema>["kind"];

export function make(userId: string, kind: Kind, common: Common = {}): Event {
  const { anonymousId, messageId, timestamp, context, integrations, extra } = common;
  return create(EventSchema, {
    ...{ userId, anonymousId, messageId, kind, ...form("context", context), ...form("integrations", integrations) },
    timestamp: timestamp && timestampFromDate(timestamp),
    extraJson: extra && text(extra),
  });
}

/** Fills in the messageId and the timestamp that an event lacks. Returns its bytes, or why it would be refused. */
export function prepare(event: Event): number | Refused {
  event.messageId ||= randomUUID();
  // Checked before it is stamped: our timestamp is right, and checking it takes 10 of 12 µs.
  const { violations: [violation] = [], error } = validator.validate(EventSchema, event);
  event.timestamp ??= timestampNow();
  if (violation) return { event, ...reasonOf(violation) };
  if (error) throw error; // a rule that cannot be run
  const size = toBinary(EventSchema, event).length;
  if (size <= LARGEST_EVENT) return size;
  const description = `The event has ${size} bytes, ${LARGEST_EVENT} fit a message`;
  return { event, reason: Reason.EVENT_TOO_LARGE, field: "", description };
}

function reasonOf({ ruleId, message, field: path }: Violation): Omit<Refused, "event"> {
  const last = path.at(-1); // none where the rule is the whole message's: its id then names the member
  const field = last?.kind === "field" ? last.jsonName : last?.kind === "oneof" ? "type" : ruleId.split(".")[0]!;
  const required = /(^|\.)required$/.test(ruleId);
  const otherwise = ruleId.startsWith("timestamp.") ? Reason.INVALID_TIMESTAMP : Reason.INVALID_VALUE;
  const description = last ? `${field} ${required ? "is required" : message}` : message;
  return { reason: required ? Reason.REQUIRED : otherwise, field, description };
}

/** What clients/testdata/vectors.json has: calls, and values that JSON cannot say. Its README.md explains the tags. */
import { readFileSync } from "node:fs";
import { create, fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { ContextSchema, EventSchema, type Client, type Common, type Event } from "@trackside/client";

export type Values = Record<string, unknown>;
export type Call = { name: string; call: string; arguments: Values; record: Values; struct: boolean };
export type Refusal = { name: string; call: string; arguments: Values; reason: string; field: string; found: string };

const tags: Record<string, (value: never) => unknown> = {
  $integer: (digits: string) => BigInt(digits),
  $number: Number,
  $nest: (levels: number) => Array.from({ length: levels - 1 }).reduce((inner) => ({ a: inner }), {}),
  $repeat: ([text, times]: [string, number]) => text.repeat(times),
  $half: (text: string) => `${text}\ud83d`,
};

/** JSON.parse's reviver for tagged values. */
export function revive(_name: string, value: unknown): unknown {
  const [[tag, tagged] = [""]] = typeof value === "object" && value ? Object.entries(value) : [];
  return Object.hasOwn(tags, tag) ? tags[tag]!(tagged as never) : value;
}

const path = new URL("../../../testdata/vectors.json", import.meta.url);
export const { calls, refusals } = JSON.parse(readFileSync(path, "utf8"), revive) as {
  calls: Call[];
  refusals: Refusal[];
};

/** Makes the call that a vector describes. */
export async function make(client: Client, { call, arguments: given }: Call | Refusal): Promise<string> {
  const userId = given.user_id as string;
  const common = {
    anonymousId: given.anonymous_id,
    messageId: given.message_id,
    timestamp: given.timestamp && new Date(given.timestamp as string),
    context: given.context,
    integrations: given.integrations,
    extra: given.extra,
  } as Common;
  const [properties, traits, name] = [given.properties as Values, given.traits as Values, given.name as string];
  switch (call) {
    case "identify":
      return client.identify(userId, traits, common);
    case "track":
      return client.track(userId, given.event as string, properties, common);
    case "page":
      return client.page(userId, name, properties, common);
    case "screen":
      return client.screen(userId, name, properties, common);
    case "group":
      return client.group(userId, given.group_id as string, traits, common);
    case "alias":
      return client.alias(userId, given.previous_id as string, common);
    default:
      return client.collect(create(EventSchema, { userId }));
  }
}

/** The same call as an event in the Struct form. */
export function event({ call, arguments: given }: Call): Event {
  const { event, name, group_id: groupId, previous_id: previousId, properties, traits } = given;
  const value = {
    ...{ event, name, groupId, previousId },
    propertiesForm: properties && { case: "properties", value: properties },
    traitsForm: traits && { case: "traits", value: traits },
  };
  return create(EventSchema, {
    userId: given.user_id as string,
    anonymousId: given.anonymous_id as string,
    messageId: given.message_id as string,
    timestamp: given.timestamp ? timestampFromDate(new Date(given.timestamp as string)) : undefined,
    contextForm: given.context
      ? { case: "context", value: fromJson(ContextSchema, given.context as JsonValue) }
      : undefined,
    integrationsForm: given.integrations
      ? { case: "integrations", value: given.integrations as JsonObject }
      : undefined,
    kind: { case: call, value } as unknown as Event["kind"],
  });
}

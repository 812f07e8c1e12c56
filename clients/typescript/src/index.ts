/** Sends events to Trackside over gRPC: `Client`, with a method for each kind of event, and what goes with it. */
import { Batcher } from "./batcher.js";
import { make, type Common, type Json } from "./events.js";

export { Code } from "@connectrpc/connect";
export { Closed, QueueFull } from "./batcher.js";
export type { Common, Json };
export type { Lost, Options, Tls } from "./options.js";
export { Reason, type Refusal } from "./gen/trackside/v1/collector_service_pb.js";
export { ContextSchema, type Context } from "./gen/trackside/v1/context_pb.js";
export { EventSchema, type Event } from "./gen/trackside/v1/event_pb.js";

/**
 * Sends events in the background. A call resolves to the event's messageId. It rejects with QueueFull or Closed where
 * the event was not taken, and with TypeError for a value that JSON does not have. Whatever else becomes of the event,
 * a callback of the options is told.
 */
export class Client extends Batcher {
  async identify(userId: string, traits?: Json, common?: Common): Promise<string> {
    return this.collect(make("identify", userId, { traits }, common));
  }

  async track(userId: string, event: string, properties?: Json, common?: Common): Promise<string> {
    return this.collect(make("track", userId, { event, properties }, common));
  }

  async page(userId: string, name?: string, properties?: Json, common?: Common): Promise<string> {
    return this.collect(make("page", userId, { name, properties }, common));
  }

  async screen(userId: string, name?: string, properties?: Json, common?: Common): Promise<string> {
    return this.collect(make("screen", userId, { name, properties }, common));
  }

  async group(userId: string, groupId: string, traits?: Json, common?: Common): Promise<string> {
    return this.collect(make("group", userId, { groupId, traits }, common));
  }

  async alias(userId: string, previousId: string, common?: Common): Promise<string> {
    return this.collect(make("alias", userId, { previousId }, common));
  }
}

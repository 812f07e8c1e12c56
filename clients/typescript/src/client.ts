/** What a program calls: a method for each kind of event. */
import { Batcher } from "./batcher.js";
import { form, make, type Common, type Json } from "./events.js";

/**
 * Sends events in the background. A call resolves to the event's messageId. It rejects with QueueFull or Closed where
 * the event was not taken, and with TypeError for a value that JSON does not have. Whatever else becomes of the event,
 * a callback of the options is told.
 */
export class Client extends Batcher {
  async identify(userId: string, traits?: Json, common?: Common): Promise<string> {
    return this.collect(make(userId, { case: "identify", value: { ...form("traits", traits) } }, common));
  }

  async track(userId: string, event: string, properties?: Json, common?: Common): Promise<string> {
    return this.collect(make(userId, { case: "track", value: { event, ...form("properties", properties) } }, common));
  }

  async page(userId: string, name?: string, properties?: Json, common?: Common): Promise<string> {
    return this.collect(make(userId, { case: "page", value: { name, ...form("properties", properties) } }, common));
  }

  async screen(userId: string, name?: string, properties?: Json, common?: Common): Promise<string> {
    return this.collect(make(userId, { case: "screen", value: { name, ...form("properties", properties) } }, common));
  }

  async group(userId: string, groupId: string, traits?: Json, common?: Common): Promise<string> {
    return this.collect(make(userId, { case: "group", value: { groupId, ...form("traits", traits) } }, common));
  }

  async alias(userId: string, previousId: string, common?: Common): Promise<string> {
    return this.collect(make(userId, { case: "alias", value: { previousId } }, common));
  }
}

/** The public client: a method for each kind of event. */
import { Batcher } from "./batcher.js";
import { complete, make, refusalOf, type Common, type Json } from "./events.js";
import type { Event } from "./gen/trackside/v1/event_pb.js";
import { callBack, LONGEST_MS, settingsOf, type Options, type Settings } from "./options.js";
import { Sender } from "./sender.js";

/**
 * Sends events in the background. A call resolves to the event's messageId. It rejects with QueueFull or Closed if
 * the event was not taken, and with TypeError for a value that JSON does not have. A callback reports what happened
 * to every other event.
 */
export class Client {
  readonly #settings: Settings;
  readonly #batcher: Batcher;
  readonly #sender: Sender;

  /** `target` is `host:port`. Throws RangeError for an option that is out of bounds. */
  constructor(target: string, options: Options = {}) {
    this.#settings = settingsOf(options);
    this.#batcher = new Batcher(this.#settings);
    this.#sender = new Sender(target, this.#settings, this.#batcher);
  }

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

  /** Sends an event that the caller built and changes no more. Its messageId and timestamp are filled in if unset. */
  async collect(event: Event): Promise<string> {
    this.#batcher.checkOpen();
    const { bytes, violation } = complete(event);
    const refusal = refusalOf(bytes, violation);
    if (refusal) callBack(this.#settings.onRefused, event, refusal);
    else await this.#batcher.put(event, bytes);
    return event.messageId;
  }

  /** Sends what is queued. Resolves to how many events are not settled when the time is over: 0 if all are. */
  async flush(timeoutMs = 30_000): Promise<number> {
    return this.#batcher.flush(Math.min(timeoutMs, LONGEST_MS));
  }

  /** Takes no more events, flushes, and gives up the rest when the time is over. Resolves to how many were given up. */
  async close(timeoutMs = 10_000): Promise<number> {
    if (!this.#batcher.close()) return 0;
    await this.flush(timeoutMs);
    return this.#sender.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

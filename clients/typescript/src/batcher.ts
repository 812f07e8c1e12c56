/** Keeps events until they are settled: sends them in batches, and sends again what may yet be taken. */
import { once, setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type Client } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { prepare } from "./events.js";
import { RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import { CollectorService, Outcome, type CollectBatchResponse } from "./gen/trackside/v1/collector_service_pb.js";
import type { Event } from "./gen/trackside/v1/event_pb.js";
import { LONGEST, settingsOf, tell, type Options, type Settings } from "./options.js";

/** There was no room for the event, and it was not taken. */
export class QueueFull extends Error {}
/** The client is closed, and the event was not taken. */
export class Closed extends Error {}

const PASSING = [Code.Unavailable, Code.ResourceExhausted, Code.DeadlineExceeded, Code.Canceled];
const RETRY = new ConnectError("the server said RETRY", Code.Unavailable);
const FRAME = 10; // bytes: most that a call puts around an event, two tags and two lengths

type Batch = { events: Event[]; bytes: number; due: boolean; timer: NodeJS.Timeout };

export class Batcher {
  readonly #settings: Settings;
  readonly #connection: Http2SessionManager;
  readonly #service: Client<typeof CollectorService>;
  readonly #batches: Batch[] = []; // the last may still grow
  readonly #deliveries = new Set<Promise<void>>();
  readonly #blocked = new Set<(error?: Error) => void>(); // calls that wait for room, the first come first
  readonly #stop = new AbortController();
  #unsettled = 0; // events in batches and in deliveries
  #flushes = 0; // that wait
  #closed = false;

  /** `target` is `host:port`. Throws RangeError for an option that is out of bounds. */
  constructor(target: string, options: Options = {}) {
    this.#settings = settingsOf(options);
    const { tls } = this.#settings;
    const baseUrl = `${tls ? "https" : "http"}://${target}`;
    const keepalive = { pingIntervalMs: 30_000, pingTimeoutMs: 10_000 };
    this.#connection = new Http2SessionManager(baseUrl, keepalive, tls === true ? {} : tls || {});
    this.#service = createClient(CollectorService, createGrpcTransport({ baseUrl, sessionManager: this.#connection }));
    setMaxListeners(0, this.#stop.signal); // each delivery adds some
  }

  /** Takes an event that the caller built, and changes no more. Resolves to its messageId. */
  async collect(event: Event): Promise<string> {
    if (this.#closed) throw new Closed("the client is closed");
    const prepared = prepare(event);
    if (typeof prepared === "object") void tell(this.#settings.onRefused, prepared);
    else if (this.#unsettled < this.#settings.queueEvents && !this.#blocked.size) this.#add(event, prepared + FRAME);
    else await this.#room(() => this.#add(event, prepared + FRAME));
    return event.messageId;
  }

  /** Sends without delay, until all is settled or the time is over. Resolves to how many events are not settled. */
  async flush(timeoutMs = 30_000): Promise<number> {
    const over = once(AbortSignal.timeout(Math.min(timeoutMs, LONGEST)), "abort");
    this.#flushes++;
    this.#send();
    while (this.#unsettled > 0 && !(await Promise.race([over, ...this.#deliveries])));
    this.#flushes--;
    return this.#unsettled;
  }

  /** Takes no more events and flushes. Resolves to how many were given up when the time was over. */
  async close(timeoutMs = 10_000): Promise<number> {
    if (this.#closed) return 0;
    this.#closed = true;
    for (const unblock of this.#blocked) unblock(new Closed("the client is closed"));
    const left = await this.flush(timeoutMs);
    this.#stop.abort();
    await this.flush(LONGEST);
    this.#connection.abort();
    return left;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Calls `add` as soon as there is room. Rejects with QueueFull or Closed. */
  #room(add: () => void): Promise<void> {
    const full = new QueueFull(`${this.#unsettled} events are not settled`);
    return new Promise((resolve, reject) => {
      const unblock = (error?: Error) => {
        clearTimeout(timer);
        this.#blocked.delete(unblock);
        if (error) return reject(error);
        resolve(add());
      };
      const timer = setTimeout(unblock, this.#settings.fullWaitMs, full);
      this.#blocked.add(unblock);
    });
  }

  /** Puts the event into the last batch, or, where that is full or its `bytes` are too many for it, into a new one. */
  #add(event: Event, bytes: number): void {
    const { batchEvents, batchBytes, flushIntervalMs } = this.#settings;
    const last = this.#batches.at(-1);
    if (last && last.events.length < batchEvents && last.bytes + bytes <= batchBytes) {
      last.events.push(event);
      last.bytes += bytes;
    } else {
      const ripen = (): void => {
        batch.due = true;
        this.#send();
      };
      const batch: Batch = { events: [event], bytes, due: false, timer: setTimeout(ripen, flushIntervalMs) };
      this.#batches.push(batch);
    }
    this.#unsettled++;
    this.#send();
  }

  /** Starts deliveries while there are batches for them. */
  #send(): void {
    const { batchEvents, calls } = this.#settings;
    while (this.#deliveries.size < calls) {
      const [batch, next] = this.#batches;
      if (!batch || !(next || batch.events.length === batchEvents || batch.due || this.#flushes > 0)) return;
      clearTimeout(this.#batches.shift()?.timer);
      const delivery = this.#deliver(batch.events).finally(() => {
        this.#deliveries.delete(delivery);
        this.#send();
      });
      this.#deliveries.add(delivery);
    }
  }

  /** Sends a batch until its events are settled or given up. */
  async #deliver(events: Event[]): Promise<void> {
    const { callTimeoutMs: timeoutMs, retryForMs, writeKey } = this.#settings;
    const headers: Record<string, string> = writeKey ? { authorization: `Bearer ${writeKey}` } : {};
    const { signal } = this.#stop;
    const until = performance.now() + retryForMs;
    for (let resends = 0; !signal.aborted; resends++) {
      const entries = events.map((event) => ({ content: { case: "event" as const, value: event } }));
      const call = this.#service.collectBatch({ entries }, { headers, signal, timeoutMs });
      const answer = await call.catch((error: unknown) => ConnectError.from(error));
      if (!(answer instanceof ConnectError)) events = this.#settle(events, answer);
      if (events.length === 0) return;
      const [failure, delay] =
        answer instanceof ConnectError
          ? [answer, answer.findDetails(RetryInfoSchema)[0]?.retryDelay]
          : [RETRY, answer.retry?.delay];
      // Where not even a header came back, the connection broke, and the code tells only in which way.
      const passing = PASSING.includes(failure.code) || failure.metadata.keys().next().done;
      const [least, spread] = delay ? [durationMs(delay), 0.2] : [Math.min(50 * 2 ** resends, 2_500), 1];
      const wait = least * (1 + spread * Math.random());
      if (!passing || performance.now() + wait > until) return this.#lose(events, failure.rawMessage, failure.code);
      await sleep(wait, undefined, { signal }).catch(() => {});
    }
    this.#lose(events, "closed");
  }

  /** Tells what became of each event. Returns those to send again. */
  #settle(events: Event[], { outcomes, refusals }: CollectBatchResponse): Event[] {
    const { onAccepted, onRefused } = this.#settings;
    const refused = new Map(refusals.map((refusal) => [refusal.index, refusal]));
    const again = events.filter((event, index) => {
      const [outcome, refusal] = [outcomes[index], refused.get(index)];
      const duplicate = outcome === Outcome.DUPLICATE;
      if (duplicate || outcome === Outcome.ACCEPTED) {
        void tell(onAccepted, event, duplicate);
      } else if (outcome === Outcome.REFUSED && refusal) {
        const { reason, field, description } = refusal;
        void tell(onRefused, { event, reason, field, description });
      } else return true; // RETRY, or an answer that is none
      return false;
    });
    this.#release(events.length - again.length);
    return again;
  }

  #lose(events: Event[], description: string, code?: Code): void {
    for (const event of events) void tell(this.#settings.onLost, { event, code, description });
    this.#release(events.length);
  }

  /** So many events are settled: there is room for others. */
  #release(count: number): void {
    this.#unsettled -= count;
    // Not at once: first the next batch goes on the wire, which is worth a sixth of the throughput.
    if (this.#blocked.size > 0) setImmediate(() => this.#admit());
  }

  #admit(): void {
    for (const unblock of this.#blocked) if (this.#unsettled < this.#settings.queueEvents) unblock();
  }
}

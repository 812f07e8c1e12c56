/** Keeps events until they are settled: sends them in batches, and sends again what may yet be taken. */
import { once, setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type Client } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import PQueue from "p-queue";
import { prepare } from "./events.js";
import { RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import * as proto from "./gen/trackside/v1/collector_service_pb.js";
import type { Event } from "./gen/trackside/v1/event_pb.js";
import { LONGEST, settingsOf, tell, type Options, type Settings } from "./options.js";

/** There was no room for the event, and it was not taken. */
export class QueueFull extends Error {}
/** The client is closed, and the event was not taken. */
export class Closed extends Error {}

const PASSING = [Code.Unavailable, Code.ResourceExhausted, Code.DeadlineExceeded, Code.Canceled];
const RETRY = new ConnectError("the server said RETRY", Code.Unavailable);

/** Events for one call. It grows until a call is free. */
type Batch = { events: Event[]; bytes: number; timer?: NodeJS.Timeout };

export class Batcher {
  readonly #settings: Settings;
  readonly #connection: Http2SessionManager;
  readonly #service: Client<typeof proto.CollectorService>;
  readonly #calls: PQueue;
  readonly #blocked = new Set<(error?: Error) => void>(); // calls that wait for room, the first come first
  readonly #stop = new AbortController();
  #last: Batch = { events: [], bytes: 0 };
  #unsettled = 0; // events in batches and in deliveries
  #closed = false;

  /** `target` is `host:port`. Throws RangeError for an option that is out of bounds. */
  constructor(target: string, options: Options = {}) {
    this.#settings = settingsOf(options);
    const { calls, tls } = this.#settings;
    this.#calls = new PQueue({ concurrency: calls });
    const baseUrl = `${tls ? "https" : "http"}://${target}`;
    const keepalive = { pingIntervalMs: 30_000, pingTimeoutMs: 10_000 };
    const sessionManager = new Http2SessionManager(baseUrl, keepalive, tls === true ? {} : tls || {});
    this.#service = createClient(proto.CollectorService, createGrpcTransport({ baseUrl, sessionManager }));
    this.#connection = sessionManager;
    setMaxListeners(0, this.#stop.signal); // each delivery adds some
  }

  [Symbol.asyncDispose] = async (): Promise<void> => void (await this.close());

  /** Takes an event that the caller built, and changes no more. Resolves to its messageId. */
  async collect(event: Event): Promise<string> {
    if (this.#closed) throw new Closed("the client is closed");
    const prepared = prepare(event);
    if (typeof prepared === "object") tell(this.#settings.onRefused, event, prepared);
    else if (this.#unsettled < this.#settings.queueEvents && !this.#blocked.size) this.#add(event, prepared);
    else await this.#room(() => this.#add(event, prepared));
    return event.messageId;
  }

  /** Sends without delay, until all is settled or the time is over. Resolves to how many events are not settled. */
  async flush(timeoutMs = 30_000): Promise<number> {
    const over = once(AbortSignal.timeout(Math.min(timeoutMs, LONGEST)), "abort");
    do this.#ship(this.#last);
    while (this.#unsettled > 0 && !(await Promise.race([over, this.#calls.onIdle()])));
    return this.#unsettled;
  }

  /** Takes no more events and flushes. Resolves to how many were given up when the time was over. */
  async close(timeoutMs = 10_000): Promise<number> {
    if (this.#closed) return 0;
    this.#closed = true;
    for (const unblock of this.#blocked) unblock(new Closed("the client is closed"));
    const left = await this.flush(timeoutMs);
    this.#stop.abort();
    await this.flush(LONGEST); // at once: nothing waits for the server any more
    this.#connection.abort();
    return left;
  }

  /** Calls `add` as soon as there is room. Rejects with QueueFull or Closed. */
  #room(add: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const unblock = (error?: Error) => {
        if (!error && this.#unsettled >= this.#settings.queueEvents) return;
        clearTimeout(timer);
        this.#blocked.delete(unblock);
        return error ? reject(error) : resolve(add());
      };
      const timer = setTimeout(unblock, this.#settings.fullWaitMs, new QueueFull("the queue is full"));
      this.#blocked.add(unblock);
    });
  }

  /** Puts the event into the last batch or, where that is taken, full, or too small for its `bytes`, into a new one. */
  #add(event: Event, bytes: number): void {
    const { batchEvents, batchBytes, flushIntervalMs } = this.#settings;
    if (this.#last.events.length % batchEvents === 0 || this.#last.bytes + bytes > batchBytes) {
      this.#ship(this.#last);
      const begun: Batch = (this.#last = { events: [], bytes: 0 });
      begun.timer = setTimeout(() => this.#ship(begun), flushIntervalMs);
    }
    this.#unsettled++;
    this.#last.bytes += bytes;
    if (this.#last.events.push(event) === batchEvents) this.#ship(this.#last);
  }

  /** Delivers a batch as soon as a call is free, unless that was done. */
  #ship(batch: Batch): void {
    clearTimeout(batch.timer);
    void this.#calls.add(() => this.#deliver(batch.events.splice(0)));
  }

  /** Sends events until they are settled or given up. */
  async #deliver(events: Event[]): Promise<void> {
    const { callTimeoutMs: timeoutMs, onLost, retryForMs, writeKey } = this.#settings;
    const { signal } = this.#stop;
    const call = { signal, timeoutMs, headers: writeKey ? { authorization: `Bearer ${writeKey}` } : undefined };
    const until = performance.now() + retryForMs;
    let why = RETRY;
    for (let pause = 50; events.length > 0 && !signal.aborted; pause = Math.min(2 * pause, 2_500)) {
      const entries = events.map((event) => ({ content: { case: "event" as const, value: event } }));
      const answer = await this.#service.collectBatch({ entries }, call).catch(ConnectError.from);
      const failed = answer instanceof ConnectError;
      if (!failed) events = this.#settle(events, answer);
      why = failed ? answer : RETRY;
      const delay = failed ? answer.findDetails(RetryInfoSchema)[0]?.retryDelay : answer.retry?.delay;
      const wait = delay ? durationMs(delay) * (1 + Math.random() / 5) : pause * (1 + Math.random());
      // Where not even a header came back, the connection broke, and the code tells only in which way.
      const passing = PASSING.includes(why.code) || why.metadata.keys().next().done;
      if (!passing || performance.now() + wait > until) break;
      if (events.length > 0) await sleep(wait, undefined, { signal }).catch(() => {});
    }
    const lost = signal.aborted ? { description: "closed" } : { code: why.code, description: why.rawMessage };
    for (const event of events) tell(onLost, event, lost);
    this.#release(events.length);
  }

  /** Tells what became of each event. Returns those to send again, also those that the answer forgot. */
  #settle(events: Event[], { outcomes, refusals }: proto.CollectBatchResponse): Event[] {
    const { onAccepted, onRefused } = this.#settings;
    const whys = refusals.values();
    const again = events.filter((event, index) => {
      const outcome = outcomes[index] ?? proto.Outcome.RETRY;
      if (outcome === proto.Outcome.REFUSED) tell(onRefused, event, whys.next().value ?? create(proto.RefusalSchema));
      else if (outcome !== proto.Outcome.RETRY) tell(onAccepted, event, outcome === proto.Outcome.DUPLICATE);
      return outcome === proto.Outcome.RETRY;
    });
    this.#release(events.length - again.length);
    return again;
  }

  /** So many events are settled: there is room for others. */
  #release(count: number): void {
    this.#unsettled -= count;
    // Not at once: first the next batch goes on the wire, which is worth a sixth of the throughput.
    setImmediate(() => this.#blocked.forEach((unblock) => unblock()));
  }
}

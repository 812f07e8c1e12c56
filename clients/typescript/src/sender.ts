/** Makes the calls: sends each batch until all its events are settled. */
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Client } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import type { Batcher } from "./batcher.js";
import {
  CollectorService,
  Outcome,
  RefusalSchema,
  type CollectBatchResponse,
} from "./gen/trackside/v1/collector_service_pb.js";
import type { Event } from "./gen/trackside/v1/event_pb.js";
import { callBack, nameOf, type Lost, type Settings } from "./options.js";
import { delayOf, isRetryable, waitMs } from "./retry.js";

const KEEPALIVE = { pingIntervalMs: 30_000, pingTimeoutMs: 10_000 };

export class Sender {
  readonly #target: string;
  readonly #settings: Settings;
  readonly #batcher: Batcher;
  readonly #connection: Http2SessionManager;
  readonly #service: Client<typeof CollectorService>;
  readonly #stop = new AbortController();
  readonly #loops: Promise<void>[]; // one for each call that may be in flight
  #lastFailure: Lost | undefined; // of the last call; undefined if it was answered
  #abandoned = 0;

  constructor(target: string, settings: Settings, batcher: Batcher) {
    this.#target = target;
    this.#settings = settings;
    this.#batcher = batcher;
    const { tls, calls } = settings;
    const baseUrl = `${tls ? "https" : "http"}://${target}`;
    this.#connection = new Http2SessionManager(baseUrl, KEEPALIVE, tls === true ? {} : tls || {});
    this.#service = createClient(
      CollectorService,
      createGrpcTransport({ baseUrl, sessionManager: this.#connection }),
    );
    setMaxListeners(0, this.#stop.signal); // each call and each wait adds one
    this.#loops = Array.from({ length: calls }, () => this.#run());
  }

  /** Ends the calls and the waits, and gives up what is left of a closed batcher. Resolves to how many events. */
  async stop(): Promise<number> {
    this.#stop.abort();
    await Promise.all(this.#loops);
    this.#connection.abort();
    return this.#abandoned;
  }

  async #run(): Promise<void> {
    for (let events = await this.#batcher.take(); events; events = await this.#batcher.take()) await this.#send(events);
  }

  async #send(events: Event[]): Promise<void> {
    const { signal } = this.#stop;
    const giveUpAt = performance.now() + this.#settings.retryForMs;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const answer = await this.#call(events);
      if (signal.aborted && answer instanceof ConnectError) break; // the call was cancelled
      if (!(answer instanceof ConnectError)) events = this.#settle(events, answer);
      if (events.length === 0) {
        this.#lastFailure = undefined;
        return;
      }
      const failure = answer instanceof ConnectError ? answer : askedToRetry();
      const why: Lost = { code: failure.code, description: failure.rawMessage };
      this.#lastFailure = why;
      const wait = waitMs(attempt, answer instanceof ConnectError ? delayOf(answer) : answer.retry?.delay);
      if (!isRetryable(failure) || performance.now() + wait > giveUpAt) {
        this.#lose(events, why);
        return;
      }
      await sleep(wait, undefined, { signal }).catch(() => {}); // rejects when the client stops
    }
    this.#abandoned += events.length;
    this.#lose(events, this.#whyAbandoned());
  }

  async #call(events: Event[]): Promise<CollectBatchResponse | ConnectError> {
    const { writeKey, callTimeoutMs: timeoutMs } = this.#settings;
    const headers = writeKey ? { authorization: `Bearer ${writeKey}` } : undefined;
    const entries = events.map((event) => ({ content: { case: "event" as const, value: event } }));
    return this.#service
      .collectBatch({ entries }, { signal: this.#stop.signal, timeoutMs, headers })
      .catch(ConnectError.from);
  }

  /** Reports each event's outcome. Returns the events to send again: also those without an outcome. */
  #settle(events: Event[], response: CollectBatchResponse): Event[] {
    const { onAccepted, onRefused } = this.#settings;
    const refusals = new Map(response.refusals.map((refusal) => [refusal.index, refusal]));
    const again: Event[] = [];
    for (const [index, event] of events.entries()) {
      switch (response.outcomes[index]) {
        case Outcome.ACCEPTED:
          callBack(onAccepted, event, false);
          break;
        case Outcome.DUPLICATE:
          callBack(onAccepted, event, true);
          break;
        case Outcome.REFUSED:
          callBack(onRefused, event, refusals.get(index) ?? create(RefusalSchema));
          break;
        default:
          again.push(event);
      }
    }
    this.#batcher.settle(events.length - again.length);
    return again;
  }

  #lose(events: Event[], why: Lost): void {
    for (const event of events) callBack(this.#settings.onLost, event, why);
    this.#batcher.settle(events.length);
  }

  #whyAbandoned(): Lost {
    const last = this.#lastFailure;
    if (!last) return { code: Code.Canceled, description: `the client was closed before ${this.#target} answered` };
    const said = `${nameOf(last.code)}: ${last.description}`;
    return { code: last.code, description: `the client was closed; the last status of ${this.#target} was ${said}` };
  }
}

function askedToRetry(): ConnectError {
  return new ConnectError("the server could not queue the event and asked to send it again", Code.Unavailable);
}

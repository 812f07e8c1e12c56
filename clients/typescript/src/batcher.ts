/** The queue of events that are not settled, grouped into batches of one call each. */
import type { Event } from "./gen/trackside/v1/event_pb.js";
import type { Settings } from "./options.js";

/** The queue stayed full for `fullWaitMs`. The event was not taken. */
export class QueueFull extends Error {}
/** The client is closed. The event was not taken. */
export class Closed extends Error {}

type Batch = { events: Event[]; bytes: number; isDue: boolean; timer: NodeJS.Timeout };
type BlockedPut = { admit: () => void; fail: (error: Error) => void };

/** Programs put events, the sender takes batches. */
export class Batcher {
  readonly #batches: Batch[] = []; // only the last one grows
  readonly #takers: ((events: Event[] | undefined) => void)[] = []; // calls of `take` that wait
  readonly #blocked = new Set<BlockedPut>(); // calls of `put` that wait for room, in order
  readonly #flushes = new Set<() => void>(); // calls of `flush` that wait
  readonly #settings: Settings;
  #unsettled = 0;
  #closed = false;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  checkOpen(): void {
    if (this.#closed) throw new Closed("the client is closed");
  }

  /** Waits for room, then adds the event. Rejects with QueueFull or Closed. */
  async put(event: Event, bytes: number): Promise<void> {
    this.checkOpen();
    if (this.#hasRoom() && this.#blocked.size === 0) this.#add(event, bytes);
    else await this.#addWhenThereIsRoom(event, bytes);
  }

  /** Resolves to a batch that is due, or to undefined when the batcher is closed and empty. */
  take(): Promise<Event[] | undefined> {
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#serveTakers();
    });
  }

  settle(count: number): void {
    this.#unsettled -= count;
    if (this.#unsettled === 0) for (const wake of this.#flushes) wake();
    // Later in this turn of the event loop: the sender's next batch goes on the wire first.
    setImmediate(() => this.#admitBlocked());
  }

  /** Sends without delay until all events are settled. Resolves to how many are not when the time is over. */
  async flush(timeoutMs: number): Promise<number> {
    if (this.#unsettled === 0) return 0;
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#flushes.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      this.#flushes.add(wake);
      this.#serveTakers();
    });
    return this.#unsettled;
  }

  /** Takes no more events. Returns whether it was open. */
  close(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    for (const { fail } of this.#blocked) fail(new Closed("the client is closed"));
    this.#serveTakers();
    return true;
  }

  #hasRoom(): boolean {
    return this.#unsettled < this.#settings.queueEvents;
  }

  #addWhenThereIsRoom(event: Event, bytes: number): Promise<void> {
    const { fullWaitMs, queueEvents } = this.#settings;
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.#blocked.delete(blocked);
      };
      const admit = () => {
        end();
        this.#add(event, bytes);
        resolve();
      };
      const fail = (error: Error) => {
        end();
        reject(error);
      };
      const full = new QueueFull(`the queue held ${queueEvents} events for ${fullWaitMs} ms`);
      const timer = setTimeout(fail, fullWaitMs, full);
      const blocked = { admit, fail };
      this.#blocked.add(blocked);
    });
  }

  #admitBlocked(): void {
    for (const { admit } of this.#blocked) {
      if (!this.#hasRoom()) return;
      admit();
    }
  }

  #add(event: Event, bytes: number): void {
    if (!this.#fits(bytes)) this.#begin();
    const batch = this.#batches.at(-1)!;
    batch.events.push(event);
    batch.bytes += bytes;
    this.#unsettled++;
    this.#serveTakers();
  }

  #fits(bytes: number): boolean {
    const last = this.#batches.at(-1);
    const { batchEvents, batchBytes } = this.#settings;
    return last !== undefined && last.events.length < batchEvents && last.bytes + bytes <= batchBytes;
  }

  #begin(): void {
    const onDue = () => {
      batch.isDue = true;
      this.#serveTakers();
    };
    const timer = setTimeout(onDue, this.#settings.flushIntervalMs);
    const batch: Batch = { events: [], bytes: 0, isDue: false, timer };
    this.#batches.push(batch);
  }

  /** Hands batches that are due to the calls of `take` that wait. */
  #serveTakers(): void {
    while (this.#takers.length > 0) {
      const first = this.#batches[0];
      if (first && !this.#isDue(first)) return;
      if (!first && !this.#closed) return;
      clearTimeout(first?.timer);
      this.#batches.shift();
      this.#takers.shift()!(first?.events);
    }
  }

  #isDue(first: Batch): boolean {
    const isFull = this.#batches.length > 1 || first.events.length >= this.#settings.batchEvents;
    return isFull || first.isDue || this.#closed || this.#flushes.size > 0;
  }
}

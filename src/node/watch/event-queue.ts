/** Events that an iterator has not been asked for yet. */
import { watchQueueOverflowError } from "../errors.ts";
import { emitWarning } from "../platform.ts";
import type { EventType } from "./fs-event.ts";

/** What iterators of watchers give. */
export interface WatchEvent {
  eventType: EventType;
  filename: string | Uint8Array;
}

/** A queue of at most `maxQueue` events; then more are dropped with a warning, or an error takes the place of all. */
export class EventQueue {
  readonly #maxQueue: number;
  readonly #failsOnOverflow: boolean;
  readonly #items: (WatchEvent | Error)[] = [];
  #wake: () => void = () => {};

  constructor(maxQueue: number, overflow: string) {
    this.#maxQueue = maxQueue;
    this.#failsOnOverflow = overflow === "error";
  }

  push(eventType: EventType, filename: string | Uint8Array): void {
    if (this.#items.length < this.#maxQueue) {
      this.#items.push(Object.assign(Object.create(null), { eventType, filename }));
      this.#wake();
    } else if (this.#failsOnOverflow) this.fail(watchQueueOverflowError(this.#maxQueue));
    else emitWarning("fs.watch maxQueue exceeded");
  }

  /** All that will come is the error. */
  fail(error: Error): void {
    this.#items.length = 0;
    this.#items.push(error);
    this.#wake();
  }

  /** Lets go of who waits, though nothing has come. */
  wake(): void {
    this.#wake();
  }

  /** @returns undefined: there is none @throws what fail() was given */
  take(): WatchEvent | undefined {
    const item = this.#items.shift();
    if (item instanceof Error) throw item;
    return item;
  }

  /** Waits until something has come, or wake() is called. */
  wait(): Promise<void> {
    return this.#items.length > 0 ? Promise.resolve() : new Promise((resolve) => (this.#wake = resolve));
  }
}

/** What watchers are: Node's event emitter, or the small one, with the method that unwatchFile() needs beside. */
import { type Emitter, EventEmitter } from "../emitter.ts";

interface WatchEmitter extends Emitter {
  removeAllListeners(event: string): this;
}

class SmallEmitter extends EventEmitter {
  readonly #listeners = new Set<(...args: unknown[]) => void>();

  override addListener(event: string, listener: (...args: unknown[]) => void): this {
    this.#listeners.add(listener);
    return super.addListener(event, listener);
  }
  removeAllListeners(event: string): this {
    for (const listener of this.#listeners) this.off(event, listener);
    this.#listeners.clear();
    return this;
  }
}

/** Base class of watchers. */
export const WatcherBase = ("removeAllListeners" in EventEmitter.prototype
  ? EventEmitter
  : SmallEmitter) as unknown as new () => WatchEmitter;

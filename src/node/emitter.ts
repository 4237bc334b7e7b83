/**
 * The event emitter that FileHandle is: Node's where it is there, else one with the few methods that handles need.
 */
import { builtinModule } from "./platform.ts";

type Listener = (...args: unknown[]) => void;

/** What a FileHandle has of an event emitter everywhere; on Node it has the rest too. */
export interface Emitter {
  on(event: string, listener: Listener): this;
  once(event: string, listener: Listener): this;
  off(event: string, listener: Listener): this;
  addListener(event: string, listener: Listener): this;
  removeListener(event: string, listener: Listener): this;
  listenerCount(event: string): number;
  emit(event: string, ...args: unknown[]): boolean;
}

class PlainEmitter implements Emitter {
  readonly #listeners = new Map<string, Listener[]>();

  on(event: string, listener: Listener): this {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    return this;
  }

  once(event: string, listener: Listener): this {
    const wrapper: Listener = (...args) => {
      this.off(event, wrapper);
      listener(...args);
    };
    return this.on(event, wrapper);
  }

  off(event: string, listener: Listener): this {
    const rest = (this.#listeners.get(event) ?? []).filter((other) => other !== listener);
    this.#listeners.set(event, rest);
    return this;
  }

  addListener(event: string, listener: Listener): this {
    return this.on(event, listener);
  }

  removeListener(event: string, listener: Listener): this {
    return this.off(event, listener);
  }

  listenerCount(event: string): number {
    return this.#listeners.get(event)?.length ?? 0;
  }

  emit(event: string, ...args: unknown[]): boolean {
    const listeners = this.#listeners.get(event) ?? [];
    for (const listener of listeners) listener(...args);
    return listeners.length > 0;
  }
}

/** Base class of FileHandle. */
export const EventEmitter: new () => Emitter =
  builtinModule<{ EventEmitter: new () => Emitter }>("node:events")?.EventEmitter ?? PlainEmitter;

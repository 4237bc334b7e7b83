/**
 * How far a call that moves data has come when it has to wait for a store, so that it goes on from there (Linux: what a
 * struct kiocb keeps). It belongs to one callback or promise call, and knows which of that call's reads it is of.
 *
 * Does not own: which page the call waits for (page-wait.ts).
 */
import type { FileHandle } from "../base/handles.ts";

/** A write that its call has begun, and holds locks for (Linux struct kiocb). */
export interface Kiocb {
  /** Nobody goes on with it: it lets go of all it has, at once, or when a store has answered. */
  abandon(): void;
}

/** How far one call has come. */
export class Progress {
  /** What the call has under way; whoever goes on with it takes it. */
  kiocb: Kiocb | undefined;
  /** What a copy is made by: a read that goes on has put its first bytes there. */
  buffer: Uint8Array | undefined;
  #file = 0 as FileHandle;
  #start = -1;
  #done = 0;

  /** Bytes that a read of `file` from `start` on has come, and is to go on from: once. */
  resume(file: FileHandle, start: number): number {
    const isSame = file === this.#file && start === this.#start;
    const done = isSame ? this.#done : 0;
    this.#start = -1;
    return done;
  }

  keep(file: FileHandle, start: number, done: number): void {
    this.#file = file;
    this.#start = start;
    this.#done = done;
  }
}

/**
 * How far a call that moves data has come when it has to wait for a store, so that it goes on from there (Linux: what a
 * struct kiocb keeps). It belongs to one callback or promise call, and knows which of that call's reads it is of.
 */
import type { FileHandle, InodeHandle } from "../base/handles.ts";

/** What was wrong with the reads that tokens stood for: who has waited hears of it. */
const failures = new WeakMap<Promise<void>, number>();

/** The read of a token has failed. @param errno negated */
export function noteFailure(token: Promise<void>, errno: number): void {
  failures.set(token, errno);
}

/** A write that its call has begun, and holds locks for (Linux struct kiocb). */
export interface Kiocb {
  /** Nobody goes on with it: it lets go of all it has, at once, or when a store has answered. */
  abandon(): void;
}

/** How far one call has come. */
export class Progress {
  /** What the call has under way; whoever goes on with it takes it. */
  kiocb: Kiocb | undefined;
  #file = 0 as FileHandle;
  #start = -1;
  #done = 0;
  #token: Promise<void> | undefined;
  #inode = 0 as InodeHandle;
  #index = -1;

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

  /** Notes which page the call waits for. */
  waitFor(token: Promise<void>, inode: InodeHandle, index: number): void {
    this.#token = token;
    this.#inode = inode;
    this.#index = index;
  }

  /**
   * Why a page is not there that the call has waited for: once.
   *
   * @returns a negated errno; 0 = it has waited in vain; undefined = not for this page
   */
  failureOf(inode: InodeHandle, index: number): number | undefined {
    const token = this.#token;
    this.#token = undefined;
    if (token === undefined || inode !== this.#inode || index !== this.#index) return undefined;
    return failures.get(token) ?? 0;
  }
}

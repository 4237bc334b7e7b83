/**
 * The data of a write round the cache, and by pages what cannot go that way: within the file's lock, which the write has as
 * long as a store has something of it in hand.
 *
 * Does not own: the lock, checks, position (stored-write.ts), the way round the cache (mm/direct-io.ts).
 */
import { EAGAIN } from "../base/errno.ts";
import type { FileHandle } from "../base/handles.ts";
import type { AddressSpaceOperations } from "../mm/address-space.ts";
import { type DirectHost, directWrite } from "../mm/direct-io.ts";
import { IovIter } from "../mm/iov-iter.ts";
import { PerformWrite } from "../mm/perform-write.ts";
import type { Kernel } from "../vfs/kernel.ts";
import { directHost } from "./direct-host.ts";

interface Bytes {
  readonly buffer: Uint8Array;
  readonly offset: number;
  readonly length: number;
}

/** A direct write under way. */
export class DirectData {
  readonly #kernel: Kernel;
  readonly #operations: AddressSpaceOperations;
  readonly #file: FileHandle;
  readonly #bytes: Bytes;
  readonly #start: number;
  readonly #host: DirectHost;
  #pages: PerformWrite | undefined;
  /** What stores have in hand. */
  #nrAsked = 0;
  #onIdle: (() => void) | undefined;
  pos: number;

  constructor(kernel: Kernel, operations: AddressSpaceOperations, file: FileHandle, bytes: Bytes, start: number) {
    this.#kernel = kernel;
    this.#operations = operations;
    this.#file = file;
    this.#bytes = bytes;
    this.#start = start;
    this.pos = start;
    this.#host = { ...directHost(kernel), hold: () => this.#hold() }; // the lock holds the file
  }

  get isBusy(): boolean {
    return this.#nrAsked > 0;
  }

  run(): number {
    const { buffer, offset, length } = this.#bytes;
    const rc = directWrite(
      this.#kernel,
      this.#operations,
      this.#host,
      this.#file,
      buffer,
      offset,
      length,
      this.#start,
      (at, nr, pos) => this.#writePages(at, nr, pos),
    );
    if (rc <= 0) return rc;
    this.pos = this.#start + rc;
    return 0;
  }

  abandon(isForSync: boolean, onIdle: () => void): void {
    this.#onIdle = onIdle;
    const pages = this.#pages;
    this.#pages = undefined;
    const done = this.#hold();
    if (pages === undefined) done();
    else pages.abandon(isForSync, done);
  }

  /** @returns bytes, or why there are none */
  #writePages(offset: number, length: number, pos: number): number {
    const iter = new IovIter([{ buffer: this.#bytes.buffer, offset, length }]);
    this.#pages ??= new PerformWrite(this.#kernel, this.#operations, this.#file, iter, pos);
    const pages = this.#pages;
    const rc = pages.run();
    if (rc === -EAGAIN && this.#kernel.progress !== undefined) return rc;
    this.#pages = undefined;
    if (rc === -EAGAIN) pages.abandon(true, this.#hold());
    return pages.pos > pos ? pages.pos - pos : rc;
  }

  /** Something is in a store's hands. @returns what ends that */
  #hold(): () => void {
    this.#nrAsked++;
    return () => {
      this.#nrAsked--;
      if (this.#nrAsked === 0) this.#onIdle?.();
    };
  }
}

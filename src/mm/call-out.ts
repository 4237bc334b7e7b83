/**
 * Asking a file system in the midst of a call. What it does then may be calls of its own, on the same kernel: a store that is
 * itself a file, a copy from a lower layer. They are no part of the call that needs them.
 */
import { EIO } from "../base/errno.ts";
import type { InodeHandle } from "../base/handles.ts";
import type { PageCache } from "./address-space.ts";
import type { BackingDevice } from "./backing-dev.ts";

/** The page cache as operations get it: it tells them whether the caller may wait, and has nothing else of its call. */
class OperationCache implements PageCache {
  readonly #cache: PageCache;
  readonly mayWait = true;
  readonly progress = undefined;

  constructor(cache: PageCache) {
    this.#cache = cache;
  }

  get owner(): object {
    return this.#cache.owner;
  }

  get core() {
    return this.#cache.core;
  }

  get pageReads() {
    return this.#cache.pageReads;
  }

  bdiOf(inode: InodeHandle): BackingDevice | undefined {
    return this.#cache.bdiOf(inode);
  }

  setWaitToken(token: Promise<void>): void {
    this.#cache.setWaitToken(token);
  }

  room(rc: number): number {
    return this.#cache.room(rc);
  }

  nested<R>(work: () => R): R {
    return this.#cache.nested(work);
  }
}

/** Calls an operation. @returns what it answers */
export function callOut<R>(cache: PageCache, operation: (cache: PageCache) => R): R {
  const seen = cache.mayWait ? new OperationCache(cache) : cache;
  return cache.nested(() => operation(seen));
}

/** Asks a store. One that throws is broken, and the pages that it was to fill are not to stay locked for it: that is -EIO. */
export function askStore<R>(cache: PageCache, operation: (cache: PageCache) => R): R | number {
  try {
    return callOut(cache, operation);
  } catch {
    return -EIO;
  }
}

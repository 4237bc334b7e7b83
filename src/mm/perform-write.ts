/**
 * The data of a write, page by page, on its way into the page cache of a file with a store.
 *
 *   lock ──► find or make the page, locked
 *   begin ─► the file system: writeBegin. It may wait
 *   fill ──► what of the page stays: read (readPage, which may wait), or zeros beyond the end of the file
 *   copy ──► the caller's bytes, as many as there are; writeEnd; size, marks; the page is unlocked
 *   rest ──► wait while there are too many dirty pages
 *
 * Where it has to wait, it keeps the page and the step, and goes on from there. A page whose bytes are not all accounted for
 * is never up to date: what was in its frame before does not show.
 *
 * Does not own: who may write, and to where; the lock of the file (fs/stored-write.ts).
 *
 * @see Linux mm/filemap.c generic_perform_write(), fs/buffer.c block_write_end()
 */
import { EAGAIN, EFAULT, EIO } from "../base/errno.ts";
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import { INODE_SIZE, PAGE_SIZE } from "../wasm/layout.ts";
import { type AddressSpaceOperations, AOP_TRUNCATED_PAGE, PAGE_IS_READY, type PageCache } from "./address-space.ts";
import { balanceDirtyPages } from "./balance.ts";
import { callOut } from "./call-out.ts";
import { countRead } from "./io-counters.ts";
import type { IovIter } from "./iov-iter.ts";
import { inodeOfFile, isTruncated } from "./page.ts";
import { setPageDirty } from "./page-dirty.ts";
import { keepFailure, takeFailure } from "./page-wait.ts";
import { coversPage, isUptodate, type LockedPage, lockPage, setPageUptodate } from "./write-page.ts";
import { waitForStablePage } from "./writeback.ts";

/** Steps at each page. */
const LOCK = 0;
const BEGIN = 1;
const FILL = 2;
const COPY = 3;
const REST = 4;

/** What a store has been asked for, and has answered or not. */
interface Pending {
  readonly token: Promise<void>;
  answer: number | undefined;
}

/** A write under way. */
export class PerformWrite {
  readonly #cache: PageCache;
  readonly #core: Core;
  readonly #operations: AddressSpaceOperations;
  readonly #file: FileHandle;
  readonly #inode: InodeHandle;
  readonly #iter: IovIter;
  readonly #isBalanced: boolean;
  #step = LOCK;
  #page: LockedPage | undefined;
  #hasBegun = false;
  #isReady = false;
  #pending: Pending | undefined;
  #onIdle: (() => void) | undefined;
  /** Of the next byte, in the file. */
  pos: number;
  /** A write that is over has no store ask for it. */
  readonly isBusy = false;

  /** @param isBalanced false: the pages stay dirty until the caller has done with them, and it waits itself */
  constructor(
    cache: PageCache,
    operations: AddressSpaceOperations,
    file: FileHandle,
    iter: IovIter,
    pos: number,
    isBalanced = true,
  ) {
    this.#cache = cache;
    this.#core = cache.core;
    this.#operations = operations;
    this.#file = file;
    this.#inode = inodeOfFile(cache.core, file);
    this.#iter = iter;
    this.pos = pos;
    this.#isBalanced = isBalanced;
  }

  /** Goes on as far as it can. @returns 0 when all is written; why it has stopped: -EAGAIN, mostly with a token: call it again */
  run(): number {
    while (this.#iter.count > 0 || this.#step !== LOCK) {
      const rc = this.#next();
      if (rc < 0) {
        if (rc !== -EAGAIN) this.#letGo();
        return rc;
      }
    }
    return 0;
  }

  /**
   * Nobody goes on with it. The page goes when the store has answered.
   *
   * @param isForSync a synchronous call could not wait: the next one hears why it could not have what it asked for
   * @param onIdle is called when nothing is held any more
   */
  abandon(isForSync: boolean, onIdle: () => void): void {
    const page = this.#page;
    this.#onIdle = () => {
      const answer = this.#pending?.answer ?? 0;
      if (isForSync && page && answer < 0) keepFailure(this.#cache, page.inode, page.index, answer);
      const isFilled = this.#step === FILL && answer >= 0 && answer !== AOP_TRUNCATED_PAGE;
      if (page && isFilled) this.#fillRest(page, answer);
      if (this.#step === BEGIN && answer >= 0 && this.#pending !== undefined) this.#hasBegun = true;
      this.#letGo();
      onIdle();
    };
    if (this.#pending === undefined || this.#pending.answer !== undefined) this.#onIdle();
  }

  #next(): number {
    switch (this.#step) {
      case LOCK:
        return this.#lock();
      case BEGIN:
        return this.#begin();
      case FILL:
        return this.#fill();
      case COPY:
        return this.#copy();
      default:
        return this.#rest();
    }
  }

  #lock(): number {
    const index = Math.floor(this.pos / PAGE_SIZE);
    const offset = this.pos - index * PAGE_SIZE;
    const bytes = this.#iter.readable(PAGE_SIZE - offset);
    if (bytes === 0) return -EFAULT;
    const failure = this.#cache.progress ? 0 : (takeFailure(this.#cache.pageReads, this.#inode, index) ?? 0);
    if (failure < 0) return failure;
    const page = lockPage(this.#cache, this.#file, this.#inode, index, offset, bytes);
    if (typeof page === "number") return page;
    this.#page = page;
    this.#isReady = false;
    this.#step = BEGIN;
    return 0;
  }

  #begin(): number {
    const page = this.#page as LockedPage;
    const stable = waitForStablePage(this.#cache, this.#inode, page.pfn);
    if (stable < 0) {
      page.suspend();
      return stable;
    }
    const { writeBegin } = this.#operations;
    if (writeBegin !== undefined) {
      const answer = this.#ask((cache) => writeBegin.call(this.#operations, cache, page));
      if (answer === undefined) return this.#wait();
      if (answer < 0) return answer;
      this.#hasBegun = true;
      this.#isReady = answer === PAGE_IS_READY;
    }
    this.#step = FILL;
    return 0;
  }

  #fill(): number {
    const page = this.#page as LockedPage;
    const core = this.#core;
    if (!this.#isReady && !isUptodate(core, page.pfn)) {
      if (coversPage(core, page)) {
        core.u8.fill(0, page.pfn * PAGE_SIZE + page.bytes, (page.pfn + 1) * PAGE_SIZE);
      } else if (page.position >= core.f64[(this.#inode << 2) + INODE_SIZE]) this.#fillRest(page, 0);
      else {
        const { readPage } = this.#operations;
        if (readPage === undefined) return -EIO;
        const answer = this.#ask((cache) => countRead(cache, page, readPage.call(this.#operations, cache, page)));
        if (answer === undefined) return this.#wait();
        if (answer < 0) return answer;
        if (answer === AOP_TRUNCATED_PAGE) {
          this.#letGo(); // and begins anew
          return 0;
        }
        this.#fillRest(page, answer);
      }
    }
    this.#step = COPY;
    return 0;
  }

  /** The store has filled the first bytes of a page: the rest is zeros. */
  #fillRest({ pfn }: LockedPage, bytes: number): void {
    this.#core.u8.fill(0, pfn * PAGE_SIZE + Math.min(bytes, PAGE_SIZE), (pfn + 1) * PAGE_SIZE);
    setPageUptodate(this.#core, pfn);
  }

  #copy(): number {
    const page = this.#page as LockedPage;
    const core = this.#core;
    if (isTruncated(core, page.pfn)) {
      this.#letGo(); // somebody has cut the file in the midst
      return 0;
    }
    const there = this.#iter.copyTo(core, page.pfn * PAGE_SIZE + page.offset, page.bytes);
    const isWhole = there === page.bytes;
    const copied = isWhole || this.#isReady || isUptodate(core, page.pfn) ? there : 0;
    const taken = this.#end(copied);
    if (taken < 0) return taken;
    if (taken > 0 && !isUptodate(core, page.pfn) && isWhole && coversPage(core, page)) setPageUptodate(core, page.pfn);
    const counts = isUptodate(core, page.pfn) || this.#operations.isPartiallyUptodate !== undefined ? taken : 0;
    if (counts > 0) this.#commit(page, counts);
    this.#letGo();
    if (counts === 0) return isWhole ? -EIO : 0; // 0: with as many bytes as there are now
    this.#step = this.#isBalanced ? REST : LOCK;
    return 0;
  }

  /** @returns bytes that count, or a negated errno */
  #end(copied: number): number {
    const { writeEnd } = this.#operations;
    const page = this.#page as LockedPage;
    this.#hasBegun = false;
    if (writeEnd === undefined) return copied;
    const answer = callOut(this.#cache, (cache) => writeEnd.call(this.#operations, cache, page, copied));
    return Math.min(answer, copied);
  }

  #commit(page: LockedPage, bytes: number): void {
    const { f64, x } = this.#core;
    const { setPageDirty: ownSetPageDirty } = this.#operations;
    page.isWritten = true;
    this.pos += bytes;
    this.#iter.advance(bytes);
    const size = (this.#inode << 2) + INODE_SIZE;
    if (this.pos > f64[size]) f64[size] = this.pos;
    if (ownSetPageDirty === undefined) setPageDirty(this.#cache, this.#inode, page.pfn);
    else callOut(this.#cache, (cache) => ownSetPageDirty.call(this.#operations, cache, page));
    x.markPageAccessed(page.pfn);
  }

  #rest(): number {
    const rc = balanceDirtyPages(this.#cache, this.#inode);
    if (rc === -EAGAIN && this.#cache.progress) return rc;
    this.#step = LOCK;
    return 0;
  }

  /** Gives the page back, if there is one; what has been begun at it is ended. */
  #letGo(): void {
    const page = this.#page;
    this.#step = LOCK;
    this.#pending = undefined;
    if (page === undefined) return;
    if (this.#hasBegun && this.#core === this.#cache.core) this.#end(0);
    this.#hasBegun = false;
    this.#page = undefined;
    page.release(this.#core, this.#operations);
  }

  /** Asks a file system, once, for the step that is being made. @returns undefined while it has not answered */
  #ask(operation: (cache: PageCache) => number | Promise<number>): number | undefined {
    const pending = this.#pending;
    if (pending !== undefined) {
      if (pending.answer !== undefined) this.#pending = undefined;
      return pending.answer;
    }
    const answer = callOut(this.#cache, operation);
    if (typeof answer === "number") return answer;
    const settle = (given: number): void => {
      asked.answer = given;
      this.#onIdle?.();
    };
    const asked: Pending = { answer: undefined, token: answer.then(settle, () => settle(-EIO)) };
    this.#pending = asked;
    this.#page?.suspend();
    return undefined;
  }

  #wait(): number {
    if (this.#pending !== undefined) this.#cache.setWaitToken(this.#pending.token);
    return -EAGAIN;
  }
}

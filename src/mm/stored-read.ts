/**
 * Reads of files whose pages come from a store: what is cached is copied, what is not is read, ahead of the reader too.
 *
 *   ready ───────────► copied, run by run; the marker starts the next window
 *   missing ─────────► a window of pages, locked, is handed to the file system: at once, or the call waits
 *   locked ──────────► somebody is filling it: the call waits. Many readers of one page cause one read
 *
 * A call that may wait keeps how far it has come. One that may not gives what it has, or EAGAIN; the pages are on their
 * way then.
 *
 * Does not own: the window (readahead-window.ts), how pages are read (readahead.ts).
 *
 * @see Linux mm/filemap.c filemap_read(), filemap_get_pages()
 */
import { EAGAIN, EFAULT, ENOMEM } from "../base/errno.ts";
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import { type Core, RESULT } from "../wasm/core.ts";
import {
  FILE_MODE,
  FILE_RA_ASYNC,
  FILE_RA_PREV,
  FILE_RA_SIZE,
  FILE_RA_START,
  FMODE_RANDOM,
  INODE_SIZE,
  PAGE_SIZE,
  PG_READAHEAD,
  PG_UPTODATE,
  RESULT_ADDRESS,
  RESULT_EXTRA,
} from "../wasm/layout.ts";
import type { AddressSpaceOperations, PageCache } from "./address-space.ts";
import { countHits, countMisses } from "./io-counters.ts";
import { IovIter } from "./iov-iter.ts";
import { inodeOfFile, PageAt, pageFlags } from "./page.ts";
import { failureOf, waitForPage } from "./page-wait.ts";
import { partialPage, readCachedPage } from "./partial-page.ts";
import type { Progress } from "./progress.ts";
import { keepRead, type ReadUnderWay, resumeRead } from "./read-progress.ts";
import { readAhead, readOnePage } from "./readahead.ts";
import { maxRaPages, metMarker, missedPage, type Readahead, shrinkRaPages, type Window } from "./readahead-window.ts";
import { copyToBuffer, copyWhatFits } from "./user-copy.ts";

const ADDRESS = RESULT + RESULT_ADDRESS;
const EXTRA = RESULT + RESULT_EXTRA;

/** Pages that calls which wait have missed, and will be copied when they are made again: no hits. */
const missedBy = new WeakMap<Progress, number>();
/** Of reads into several. */
const NO_BUFFER = new Uint8Array(0);

/**
 * Reads from an open file.
 *
 * @param position bytes from the start; -1 = at the file's position, which moves
 * @returns bytes read, 0 at the end; -EBADF, -EISDIR, -EFAULT (no such place in the buffer), -EAGAIN with a token, -ENOMEM;
 *   what the store answers for the first page that it cannot read, if none before it could be
 */
export function storedRead(
  cache: PageCache,
  operations: AddressSpaceOperations,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  const { core, progress } = cache;
  const refused = core.x.readCheck(file);
  if (refused < 0) return refused;
  const before = resumeRead(progress, file, position, buffer);
  const start = before?.start ?? (position < 0 ? core.filePos(file) : position);
  const done = before?.done ?? 0;
  const reader = new Reader(cache, operations, file, start + done);
  const rc = reader.run(buffer, offset + done, length - done);
  if (rc !== -EAGAIN || !progress) return end(cache, file, position, start, reader.pos, rc);
  return wait(progress, reader, { file, position, to: buffer, start, iter: undefined, done: reader.pos - start });
}

/**
 * As storedRead(), into several buffers: how long they are is looked at once, and a call that waits goes on in the midst of
 * one.
 *
 * @param buffers at least one
 */
export function storedReadv(
  cache: PageCache,
  operations: AddressSpaceOperations,
  file: FileHandle,
  buffers: readonly ArrayBufferView[],
  position: number,
): number {
  const { core, progress } = cache;
  const refused = core.x.readCheck(file);
  if (refused < 0) return refused;
  const before = resumeRead(progress, file, position, buffers[0]);
  const start = before?.start ?? (position < 0 ? core.filePos(file) : position);
  const iter = before?.iter ?? IovIter.of(buffers);
  const reader = new Reader(cache, operations, file, start + (before?.done ?? 0));
  const rc = reader.run(NO_BUFFER, 0, iter.count, iter);
  if (rc !== -EAGAIN || !progress) return end(cache, file, position, start, reader.pos, rc);
  return wait(progress, reader, { file, position, to: buffers[0], start, iter, done: reader.pos - start });
}

/** Has a call wait for the store, and keep how far it has come. */
function wait(progress: Progress, { nrMissed }: Reader, read: ReadUnderWay): number {
  keepRead(progress, read);
  if (nrMissed > 0) missedBy.set(progress, nrMissed);
  return -EAGAIN;
}

/** A read is over: the position moves. @param pos of the next byte @returns bytes, or why there are none */
function end({ core }: PageCache, file: FileHandle, position: number, start: number, pos: number, rc: number): number {
  const done = pos - start;
  if (position < 0 && done > 0) core.setFilePos(file, pos);
  return done > 0 ? done : rc;
}

/**
 * As storedReadv(), of what is there: nothing is asked of the store, and a page that has its readers ask for the next window is
 * left to one who can.
 *
 * @returns as storedReadv(); -EAGAIN comes without a token
 */
export function storedReadNowait(
  cache: PageCache,
  operations: AddressSpaceOperations,
  file: FileHandle,
  buffers: readonly ArrayBufferView[],
  position: number,
): number {
  const { core } = cache;
  const refused = core.x.readCheck(file);
  if (refused < 0) return refused;
  const start = position < 0 ? core.filePos(file) : position;
  const inode = inodeOfFile(core, file);
  const iter = IovIter.of(buffers);
  const wanted = Math.min(iter.count, core.f64[(inode << 2) + INODE_SIZE] - start);
  if (wanted <= 0) return 0;
  const ready = readyNow(core, inode, start, wanted);
  if (ready === 0) return -EAGAIN;
  const reader = new Reader(cache, operations, file, start);
  const rc = reader.run(NO_BUFFER, 0, ready, iter);
  return end(cache, file, position, start, reader.pos, rc);
}

/** Bytes from `start` on that lie in pages which are ready, and have nothing asked of the store when they are read. */
function readyNow(core: Core, inode: InodeHandle, start: number, wanted: number): number {
  const end = start + wanted;
  for (let index = Math.floor(start / PAGE_SIZE); index * PAGE_SIZE < end; index++) {
    const pfn = core.x.findPage(inode, index);
    const isReady = pfn !== 0 && (pageFlags(core, pfn) & (PG_UPTODATE | PG_READAHEAD)) === PG_UPTODATE;
    if (!isReady) return Math.max(0, index * PAGE_SIZE - start);
  }
  return wanted;
}

class Reader {
  readonly #cache: PageCache;
  readonly #operations: AddressSpaceOperations;
  readonly #file: FileHandle;
  readonly #inode: InodeHandle;
  pos: number;
  /** Pages that it has missed, and not copied yet. */
  nrMissed = 0;

  constructor(cache: PageCache, operations: AddressSpaceOperations, file: FileHandle, pos: number) {
    if (cache.progress !== undefined) this.nrMissed = takeMissed(cache.progress);
    this.#cache = cache;
    this.#operations = operations;
    this.#file = file;
    this.#inode = inodeOfFile(cache.core, file);
    this.pos = pos;
  }

  /**
   * Copies up to `length` bytes from `pos` on, which moves.
   *
   * @param buffer where to, from `offset` on
   * @param iter several buffers instead, which go on from where they are
   * @returns 0, or why it has stopped before
   */
  run(buffer: Uint8Array, offset: number, length: number, iter?: IovIter): number {
    const { core } = this.#cache;
    const start = this.pos;
    const end = start + length;
    for (;;) {
      const left = Math.min(end, this.#size()) - this.pos;
      if (left <= 0) return 0;
      const index = Math.floor(this.pos / PAGE_SIZE);
      const inPage = this.pos - index * PAGE_SIZE;
      const wanted = Math.ceil((inPage + left) / PAGE_SIZE);
      const previous = this.#previous();
      const nr = core.x.readyRun(this.#inode, index, wanted, previous === index ? 1 : 0);
      const partial = nr === 0 ? this.#partial(index, inPage, Math.min(left, PAGE_SIZE - inPage)) : 0;
      if (nr + partial === 0) {
        const rc = this.#fetch(index, wanted, previous);
        if (rc < 0) return rc;
        continue;
      }
      const n = Math.min(left, Math.max(nr, 1) * PAGE_SIZE - inPage);
      const marker = nr === 0 ? 0 : core.f64[EXTRA];
      const address = nr === 0 ? partial * PAGE_SIZE : core.f64[ADDRESS];
      const room = this.#copy(address + inPage, iter, buffer, offset + this.pos - start, n);
      this.pos += room;
      if (room < n) return -EFAULT;
      this.#countHits(Math.max(nr, 1));
      core.u32[(this.#file << 3) + FILE_RA_PREV] = Math.floor((this.pos - 1) / PAGE_SIZE) + 1;
      if (marker < nr) this.#goOn(index + marker, wanted - marker);
    }
  }

  /** Of pages that have been copied. */
  #countHits(nr: number): void {
    const missed = Math.min(this.nrMissed, nr);
    this.nrMissed -= missed;
    countHits(this.#cache.core, nr - missed);
  }

  /** The store is to be asked for pages that are wanted. */
  #countMisses(nr: number): void {
    this.nrMissed += nr;
    countMisses(this.#cache.core, nr);
  }

  /** The frame of a page that is ready as far as it is wanted, though not up to date as a whole; 0 = none. */
  #partial(index: number, offset: number, length: number): number {
    return partialPage(this.#cache, this.#operations, this.#inode, index, offset, length);
  }

  /** @returns bytes copied: fewer when a buffer has become shorter than it was */
  #copy(address: number, iter: IovIter | undefined, buffer: Uint8Array, offset: number, n: number): number {
    const { core } = this.#cache;
    if (iter !== undefined) return iter.fillFrom(core, address, n);
    try {
      copyToBuffer(core, address, buffer, offset, n);
      return n;
    } catch {
      return copyWhatFits(core, address, buffer, offset, n);
    }
  }

  #size(): number {
    return this.#cache.core.f64[(this.#inode << 2) + INODE_SIZE];
  }

  /** Page that the last read ended in, -1 = there was none. */
  #previous(): number {
    return this.#cache.core.u32[(this.#file << 3) + FILE_RA_PREV] - 1;
  }

  /** Has a page read that is not ready. @returns 0: look again; -EAGAIN with a token; -ENOMEM; what the store answers */
  #fetch(index: number, wanted: number, previous: number): number {
    const failure = failureOf(this.#cache, this.#inode, index);
    const rc =
      failure !== undefined && failure < 0 ? failure : this.#ask(index, wanted, previous, failure === undefined);
    if (rc < 0 && rc !== -EAGAIN && rc !== -ENOMEM) shrinkRaPages(this.#cache, this.#operations, this.#file);
    return rc;
  }

  /** Asks the store. @param isAhead for more than the page: false after that was in vain */
  #ask(index: number, wanted: number, previous: number, isAhead: boolean): number {
    const locked = this.#waitFor(index);
    if (locked < 0) return locked;
    const cached = this.#cache.core.x.findPage(this.#inode, index);
    if (cached !== 0) return this.#readIn(index, cached);
    const before = this.nrMissed;
    if (this.#operations.readahead !== undefined && isAhead) {
      this.#countMisses(this.#readAhead(this.#missed(index, wanted, previous), index + wanted));
      const { core } = this.#cache;
      const pfn = core.x.findPage(this.#inode, index); // no readyRun(): it would take the marker
      if (pfn !== 0 && pageFlags(core, pfn) & PG_UPTODATE) return 0;
      const reading = this.#waitFor(index);
      if (reading < 0) return reading;
    }
    if (this.nrMissed === before) this.#countMisses(1);
    return readOnePage(this.#cache, this.#operations, this.#file, this.#inode, index);
  }

  /** What to read for a page that is missing. @see Linux page_cache_sync_ra() */
  #missed(index: number, wanted: number, previous: number): Readahead {
    const { core } = this.#cache;
    if (core.u32[(this.#file << 3) + FILE_MODE] & FMODE_RANDOM) return { index, nrPages: wanted, async: 0 };
    const max = maxRaPages(this.#cache, this.#operations, this.#file);
    return this.#move((window) => missedPage(window, index, wanted, previous, max));
  }

  /** The marker has been met. */
  #goOn(index: number, wanted: number): void {
    if (this.#operations.readahead === undefined) return;
    const max = maxRaPages(this.#cache, this.#operations, this.#file);
    const next = this.#move((window) => metMarker(window, index, wanted, this.#cachedEnd(index, max), max));
    if (next) this.#readAhead(next, 0);
  }

  /** First page behind `index` that is not cached, at most `max + 1` on. */
  #cachedEnd(index: number, max: number): number {
    let end = index + 1;
    while (end - index <= max && this.#cache.core.x.findPage(this.#inode, end) !== 0) end++;
    return end;
  }

  #move<T>(move: (window: Window) => T): T {
    const { u32 } = this.#cache.core;
    const at = this.#file << 3;
    const window = { start: u32[at + FILE_RA_START], size: u32[at + FILE_RA_SIZE], async: u32[at + FILE_RA_ASYNC] };
    const moved = move(window);
    u32[at + FILE_RA_START] = window.start;
    u32[at + FILE_RA_SIZE] = window.size;
    u32[at + FILE_RA_ASYNC] = window.async;
    return moved;
  }

  /** @returns as readAhead() */
  #readAhead(readahead: Readahead, wantedEnd: number): number {
    return readAhead(this.#cache, this.#operations, this.#file, this.#inode, readahead, wantedEnd);
  }

  /** Has a page read that is cached, and not up to date. */
  #readIn(index: number, pfn: number): number {
    this.#countMisses(1);
    const rc = readCachedPage(
      this.#cache,
      this.#operations,
      this.#file,
      new PageAt(this.#cache.core, this.#inode, index, pfn),
    );
    return rc < 0 ? rc : this.#waitFor(index);
  }

  /** @returns 0 if nobody is filling the page; -EAGAIN with the token of who is */
  #waitFor(index: number): number {
    return waitForPage(this.#cache, this.#inode, index, this.#cache.core.x.lockedPage(this.#inode, index));
  }
}

/** What missedBy has of a call, once. */
function takeMissed(progress: Progress): number {
  const nr = missedBy.get(progress) ?? 0;
  if (nr > 0) missedBy.delete(progress);
  return nr;
}

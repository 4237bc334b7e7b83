/**
 * Pages on their way in: locked and in the cache before the store is asked, up to date or gone when it has answered.
 *
 * Does not own: which pages (readahead-window.ts), who waits for them (stored-read.ts), the frames (assembly/mm/readahead.ts).
 *
 * @see Linux mm/readahead.c page_cache_ra_unbounded(), read_pages(); mm/filemap.c filemap_read_folio()
 */
import { EAGAIN, EIO } from "../base/errno.ts";
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import { type Core, RESULT } from "../wasm/core.ts";
import { INODE_SIZE, PAGE_SHIFT, PAGE_SIZE, RESULT_EXTRA } from "../wasm/layout.ts";
import {
  type AddressSpaceOperations,
  AOP_TRUNCATED_PAGE,
  type PageCache,
  type ReadaheadControl,
} from "./address-space.ts";
import { askStore } from "./call-out.ts";
import { countRead, countReadahead } from "./io-counters.ts";
import { isTruncated, PageAt } from "./page.ts";
import { keepFailure, noteFailure, waitForPage } from "./page-wait.ts";
import type { Readahead } from "./readahead-window.ts";
import { startRead } from "./start-read.ts";
import { balanceAnon } from "./swap-balance.ts";
import { cutPage } from "./truncate.ts";

const EXTRA = RESULT + RESULT_EXTRA;

/** Frames that lie behind each other. */
interface Run {
  readonly pfn: number;
  readonly nr: number;
}

/** A window that is being read. */
class PageRead implements ReadaheadControl {
  readonly core: Core;
  readonly inode: InodeHandle;
  readonly file: FileHandle;
  readonly position: number;
  readonly runs: Run[] = [];
  nrPages = 0;

  constructor(core: Core, inode: InodeHandle, file: FileHandle, index: number) {
    this.core = core;
    this.inode = inode;
    this.file = file;
    this.position = index * PAGE_SIZE;
  }

  get length(): number {
    return this.nrPages * PAGE_SIZE;
  }

  views(): Uint8Array[] {
    const { arrayBuffer } = this.core;
    return this.runs.map(({ pfn, nr }) => new Uint8Array(arrayBuffer, pfn * PAGE_SIZE, nr * PAGE_SIZE));
  }

  add(pfn: number, nr: number): void {
    this.runs.push({ pfn, nr });
    this.nrPages += nr;
  }
}

/**
 * Has those pages of a window read that are not cached, as far as the file goes.
 *
 * @param wantedEnd page up to which a reader waits for them; the others are read ahead
 * @returns how many of them a reader waits for
 */
export function readAhead(
  cache: PageCache,
  operations: AddressSpaceOperations,
  file: FileHandle,
  inode: InodeHandle,
  { index, nrPages, async }: Readahead,
  wantedEnd: number,
): number {
  const { core } = cache;
  balanceAnon(cache);
  let nrWanted = 0;
  const end = Math.min(index + nrPages, Math.ceil(core.f64[(inode << 2) + INODE_SIZE] / PAGE_SIZE));
  const marker = async > 0 ? index + nrPages - async : -1;
  for (let at = index; at < end; ) {
    const read = new PageRead(core, inode, file, at);
    for (let nr = 1; nr > 0 && at < end; at += nr) {
      nr = core.x.startRead(inode, at, end - at);
      if (nr === 0) break;
      const pfn = core.f64[EXTRA];
      read.add(pfn, nr);
      if (marker >= at && marker < at + nr) core.x.setReadahead(pfn + marker - at);
    }
    if (read.nrPages === 0) {
      if (core.x.findPage(inode, at) === 0) break; // no memory for it
      at++;
      continue;
    }
    const wanted = Math.max(0, Math.min(wantedEnd, at) - read.position / PAGE_SIZE);
    nrWanted += wanted;
    countReadahead(core, read.nrPages - wanted);
    const answer = askStore(cache, (seen) => operations.readahead?.(seen, read) ?? 0);
    start(cache, operations, read, countRead(cache, read, answer), false);
  }
  return nrWanted;
}

/**
 * Has one page read that is not cached. Precondition: nobody is filling it.
 *
 * @returns 0 when it is there; -EAGAIN with a token; -ENOMEM; what the store answers; -EIO where it has no readPage
 */
export function readOnePage(
  cache: PageCache,
  operations: AddressSpaceOperations,
  file: FileHandle,
  inode: InodeHandle,
  index: number,
): number {
  const { core } = cache;
  if (operations.readPage === undefined) return -EIO;
  const started = startRead(cache, inode, index);
  if (started < 0) return started;
  const read = new PageRead(core, inode, file, index);
  read.add(core.f64[EXTRA], 1);
  const answer = askStore(cache, (seen) => operations.readPage?.(seen, read) ?? -EIO);
  const rc = start(cache, operations, read, countRead(cache, read, answer), true);
  return rc < 0 ? rc : waitForPage(cache, inode, index, core.x.lockedPage(inode, index));
}

/**
 * Ends a read when its store has answered, now or later.
 *
 * @param isWhole a page of which the store has less is whole all the same: the rest of it is zeros
 * @returns 0, or the errno that the store has answered at once
 */
function start(
  cache: PageCache,
  operations: AddressSpaceOperations,
  read: PageRead,
  answer: number | Promise<number>,
  isWhole: boolean,
): number {
  if (typeof answer === "number") {
    endRead(cache, operations, read, answer, isWhole);
    return Math.min(0, answer);
  }
  const { tokens } = cache.pageReads;
  const isForSync = cache.progress === undefined;
  const settle = (bytes: number): void => {
    if (cache.core !== read.core) return; // another memory: nobody knows these pages
    for (const { pfn, nr } of read.runs) for (let i = 0; i < nr; i++) tokens.delete(pfn + i);
    const nrRead = endRead(cache, operations, read, bytes, isWhole);
    if (bytes < 0 && isWhole) noteFailure(token, bytes);
    // Synchronous calls have not waited: they learn that readahead was in vain, or why there is no page.
    if (isForSync && nrRead < read.nrPages) {
      keepFailure(cache, read.inode, read.position / PAGE_SIZE + nrRead, isWhole ? Math.min(0, bytes) : 0);
    }
  };
  const token: Promise<void> = answer.then(settle, () => settle(-EIO));
  for (const { pfn, nr } of read.runs) for (let i = 0; i < nr; i++) tokens.set(pfn + i, token);
  return 0;
}

/** The pages that the store has filled are ready, the others leave the cache. @returns how many are ready */
function endRead(
  cache: PageCache,
  operations: AddressSpaceOperations,
  read: PageRead,
  answer: number,
  isWhole: boolean,
): number {
  const { core } = read;
  const size = core.f64[(read.inode << 2) + INODE_SIZE];
  const given = answer === AOP_TRUNCATED_PAGE ? -EAGAIN : answer;
  const bytes = Math.max(0, Math.min(given, read.length));
  const isToEnd = given >= 0 && (isWhole || read.position + bytes >= size);
  const nrReady = isToEnd ? Math.ceil(bytes / PAGE_SIZE) || (isWhole ? 1 : 0) : Math.floor(bytes / PAGE_SIZE);
  let left = nrReady;
  let at = 0;
  let index = read.position / PAGE_SIZE;
  for (const { pfn, nr } of read.runs) {
    const ready = Math.min(nr, left);
    zeroBehind(core, pfn, ready, bytes - at);
    if (ready > 0) core.x.endRead(pfn, ready);
    for (let i = ready; i < nr; i++) failRead(cache, operations, new PageAt(core, read.inode, index + i, pfn + i));
    left -= ready;
    index += nr;
    at += nr * PAGE_SIZE;
  }
  return nrReady;
}

/** A page leaves the cache, unless it has, and with it what the file system has hung on it meanwhile. */
function failRead(cache: PageCache, operations: AddressSpaceOperations, page: PageAt): void {
  if (!isTruncated(cache.core, page.pfn)) cutPage(cache, operations, page);
  cache.core.x.failRead(page.pfn, 1);
}

/** What the store had not, of frames that are ready. */
function zeroBehind({ u8 }: Core, pfn: number, nr: number, bytes: number): void {
  const from = Math.max(0, bytes);
  if (from < nr * PAGE_SIZE) u8.fill(0, ((pfn << PAGE_SHIFT) >>> 0) + from, (pfn + nr) * PAGE_SIZE);
}

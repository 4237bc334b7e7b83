/**
 * One run of pages on its way to the store: under writeback and pinned from before the operation is called until it has
 * answered for all of them, at once or later.
 *
 *   dirty ─► clean, WRITEBACK ─► the operation ─┬► written, or failed: noted for who syncs (wb-err.ts). Both end WRITEBACK
 *                                               ├► fewer bytes: it is asked again for the rest
 *                                               └► -EAGAIN, AOP_WRITEPAGE_ACTIVATE: dirty again
 *
 * Nothing is done to a page that could not be written but that: it is clean, up to date, and can be read, as on Linux.
 *
 * Does not own: which pages (writeback.ts).
 */
import { EAGAIN, EIO } from "../base/errno.ts";
import type { InodeHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import { INODE_SIZE, PAGE_SIZE } from "../wasm/layout.ts";
import {
  type AddressSpaceOperations,
  AOP_WRITEPAGE_ACTIVATE,
  type PageCache,
  type WritebackControl,
  type WriteControl,
} from "./address-space.ts";
import type { BackingDevice } from "./backing-dev.ts";
import { isPinnedForWriting } from "./gup.ts";
import { countWrite } from "./io-counters.ts";
import { clearPageDirtyForIo, redirty, setPageDirty } from "./page-dirty.ts";
import { mappingSetError } from "./wb-err.ts";

/** Pages that an operation is asked to write, or the rest of them. */
class WriteRun implements WriteControl {
  readonly #core: Core;
  readonly inode: InodeHandle;
  readonly pfns: readonly number[];
  readonly index: number;
  /** Where it ends in the file, bytes. */
  readonly end: number;
  readonly position: number;

  constructor(core: Core, inode: InodeHandle, index: number, pfns: readonly number[], end: number, position: number) {
    this.#core = core;
    this.inode = inode;
    this.index = index;
    this.pfns = pfns;
    this.end = end;
    this.position = position;
  }

  get nrPages(): number {
    return this.pfns.length;
  }

  get length(): number {
    return this.end - this.position;
  }

  views(): Uint8Array[] {
    const { arrayBuffer } = this.#core;
    const views: Uint8Array[] = [];
    const offset = this.position - this.index * PAGE_SIZE;
    for (let i = 0; i < this.pfns.length; ) {
      const first = i++;
      while (i < this.pfns.length && this.pfns[i] === this.pfns[i - 1] + 1) i++;
      const from = first === 0 ? offset : 0;
      const to = Math.min(i * PAGE_SIZE, this.end - this.index * PAGE_SIZE) - first * PAGE_SIZE;
      views.push(new Uint8Array(arrayBuffer, this.pfns[first] * PAGE_SIZE + from, to - from));
    }
    return views;
  }

  /** What is left when `bytes` have been written. */
  behind(bytes: number): WriteRun {
    const position = this.position + bytes;
    const nr = Math.floor(position / PAGE_SIZE) - this.index;
    return new WriteRun(this.#core, this.inode, this.index + nr, this.pfns.slice(nr), this.end, position);
  }
}

/**
 * Hands dirty pages that follow each other to the store.
 *
 * Precondition: nobody has them in hand, and they begin before the file ends.
 *
 * @returns 0; what the store answers at once. An answer that comes later is waited for by who wants to
 */
export function writeRun(
  cache: PageCache,
  bdi: BackingDevice,
  operations: AddressSpaceOperations,
  inode: InodeHandle,
  index: number,
  pfns: readonly number[],
  wbc: WritebackControl,
): number {
  const { core } = cache;
  const size = core.f64[(inode << 2) + INODE_SIZE];
  const end = Math.min(size, (index + pfns.length) * PAGE_SIZE);
  zeroBehind(core, pfns, end - index * PAGE_SIZE);
  for (const pfn of pfns) {
    core.x.getPage(pfn);
    clearPageDirtyForIo(cache, inode, pfn);
    core.x.startPageWriteback(pfn);
  }
  bdi.nrWriteback += pfns.length;
  const whole = new WriteRun(core, inode, index, pfns, end, index * PAGE_SIZE);
  const skipped = wbc.pagesSkipped;
  const answer = askSafely(cache, operations, whole, wbc);
  if (typeof answer !== "number") return writeLater(cache, bdi, whole, answer);
  endWrite(cache, bdi, whole, answer, wbc.pagesSkipped - skipped);
  return Math.min(0, answer);
}

/** What is behind the end of the file, in its last page, does not reach the store. */
function zeroBehind({ u8 }: Core, pfns: readonly number[], bytes: number): void {
  const inLast = bytes - (pfns.length - 1) * PAGE_SIZE;
  const last = pfns[pfns.length - 1] * PAGE_SIZE;
  if (inLast < PAGE_SIZE) u8.fill(0, last + inLast, last + PAGE_SIZE);
}

/** A store that throws is broken, and its pages are not to stay under writeback for it. */
function askSafely(...asked: Parameters<typeof askForAll>): number | Promise<number> {
  try {
    return askForAll(...asked);
  } catch {
    return -EIO;
  }
}

/** Asks until all is written. @returns 0, AOP_WRITEPAGE_ACTIVATE or a negated errno, or the promise of it */
function askForAll(
  cache: PageCache,
  operations: AddressSpaceOperations,
  run: WriteRun,
  wbc: WritebackControl,
): number | Promise<number> {
  let rest = run;
  for (;;) {
    const asked = rest;
    const answer = countWrite(
      cache,
      asked,
      operations.writePages
        ? operations.writePages(cache, asked, wbc)
        : (operations.writePage?.(cache, asked, wbc) ?? -EIO),
    );
    if (typeof answer !== "number") {
      return answer.then((bytes) =>
        isEnd(asked, bytes) ? endOf(asked, bytes) : askForAll(cache, operations, asked.behind(bytes), wbc),
      );
    }
    if (isEnd(asked, answer)) return endOf(asked, answer);
    rest = asked.behind(answer);
  }
}

function isEnd(run: WriteRun, answer: number): boolean {
  return answer <= 0 || answer >= run.length;
}

/** Nothing written is no progress, and would be none for ever. */
function endOf(run: WriteRun, answer: number): number {
  if (answer === AOP_WRITEPAGE_ACTIVATE || answer < 0) return answer;
  return answer >= run.length ? 0 : -EIO;
}

function writeLater(cache: PageCache, bdi: BackingDevice, run: WriteRun, answer: Promise<number>): number {
  const { tokens } = cache.pageReads;
  const settle = (rc: number): void => {
    if (cache.core !== bdi.core) return; // another memory: nobody knows these pages
    for (const pfn of run.pfns) if (tokens.get(pfn) === over) tokens.delete(pfn);
    bdi.inFlight.delete(write);
    endWrite(cache, bdi, run, rc === -EAGAIN ? -EIO : rc, 0); // who takes time has had it
    bdi.inodeWritten(run.inode);
  };
  const over: Promise<void> = answer.then(settle, () => settle(-EIO));
  const write = { inode: run.inode, over };
  bdi.inFlight.add(write);
  for (const pfn of run.pfns) tokens.set(pfn, over);
  return 0;
}

/** @param skipped pages that the operation has made dirty again */
function endWrite(cache: PageCache, bdi: BackingDevice, run: WriteRun, answer: number, skipped: number): void {
  const { x } = cache.core;
  const isPutOff = answer === -EAGAIN || answer === AOP_WRITEPAGE_ACTIVATE;
  if (!isPutOff && answer < 0) {
    mappingSetError(cache.core, run.inode, answer);
    bdi.nrFailed++;
    bdi.lastErrno = answer;
  }
  for (const pfn of run.pfns) {
    if (isPutOff) redirty(cache, run.inode, pfn);
    else if (isPinnedForWriting(cache.core, pfn)) setPageDirty(cache, run.inode, pfn);
    if (answer === AOP_WRITEPAGE_ACTIVATE) x.activatePage(pfn);
    x.endPageWriteback(pfn);
    x.putPage(pfn);
  }
  bdi.nrWriteback -= run.nrPages;
  if (answer === 0) bdi.nrWritten += run.nrPages - skipped;
}

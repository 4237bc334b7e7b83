/**
 * Pages of files with a store, come to by mappings: what is cached is there, what is not is read, with what lies around it.
 *
 *   missing ──► a window around the page is read, half of it before: programs jump (do_sync_mmap_readahead)
 *   marker ───► the next window (do_async_mmap_readahead)
 *   locked ───► somebody is filling it: -EAGAIN with a token
 *
 * Does not own: windows (readahead-window.ts), how pages are read (readahead.ts).
 *
 * @see Linux mm/filemap.c filemap_fault()
 */
import { EAGAIN, EFAULT, ENOMEM } from "../base/errno.ts";
import type { Core } from "../wasm/core.ts";
import {
  FILE_MODE,
  FILE_RA_ASYNC,
  FILE_RA_SIZE,
  FILE_RA_START,
  FMODE_RANDOM,
  INODE_SIZE,
  PAGE_FLAGS,
  PAGE_SIZE,
  PG_READAHEAD,
  PG_UPTODATE,
} from "../wasm/layout.ts";
import type { AddressSpaceOperations, PageCache } from "./address-space.ts";
import { countHits, countMisses, countReadahead } from "./io-counters.ts";
import { countMajorFault } from "./memory.ts";
import { fieldOf, PageAt, pageFlags } from "./page.ts";
import { failureOf, waitForPage } from "./page-wait.ts";
import { readCachedPage } from "./partial-page.ts";
import { readAhead, readOnePage } from "./readahead.ts";
import { maxRaPages, metMarker, shrinkRaPages, type Window } from "./readahead-window.ts";
import type { VmFault } from "./vm-operations.ts";

/** A window has its marker where its last quarter begins. */
const ASYNC_PART = 4;

/** VmOperations.fault of files whose pages come from a store. @param operations those of the file's pages */
export function filemapFault(cache: PageCache, operations: AddressSpaceOperations, fault: VmFault): number {
  const { core } = cache;
  const { inode, index } = fault;
  for (let isFirst = true; ; isFirst = false) {
    if (index * PAGE_SIZE >= core.f64[(inode << 2) + INODE_SIZE]) return -EFAULT;
    const failure = isFirst ? failureOf(cache, inode, index) : undefined;
    if (failure !== undefined && failure < 0) return failed(cache, operations, fault, failure);
    const pfn = core.x.findPage(inode, index);
    if (pfn !== 0 && pageFlags(core, pfn) & PG_UPTODATE) {
      if (isFirst && failure === undefined) countHits(core, 1);
      takeMarker(cache, operations, fault, pfn);
      return pfn;
    }
    const busy = waitForPage(cache, inode, index, core.x.lockedPage(inode, index));
    if (busy < 0) return busy;
    const rc =
      pfn === 0 ? readMissing(cache, operations, fault, failure === undefined) : readIn(cache, operations, fault, pfn);
    if (rc < 0) return failed(cache, operations, fault, rc);
  }
}

function failed(cache: PageCache, operations: AddressSpaceOperations, { file }: VmFault, rc: number): number {
  if (rc !== -EAGAIN && rc !== -ENOMEM) shrinkRaPages(cache, operations, file);
  return rc;
}

/** @param isAhead with what lies around it: false after that was in vain */
function readMissing(cache: PageCache, operations: AddressSpaceOperations, fault: VmFault, isAhead: boolean): number {
  const { core } = cache;
  const { file, inode, index } = fault;
  countMajorFault(core);
  countMisses(core, 1);
  if (isAhead && operations.readahead !== undefined) {
    readAround(cache, operations, fault);
    if (core.x.findPage(inode, index) !== 0) {
      countReadahead(core, -1); // this one is not ahead of anybody
      return 0;
    }
  }
  return readOnePage(cache, operations, file, inode, index);
}

/** @see Linux do_sync_mmap_readahead(): read-around */
function readAround(cache: PageCache, operations: AddressSpaceOperations, { file, inode, index }: VmFault): void {
  const { core } = cache;
  const max = maxRaPages(cache, operations, file);
  const isRandom = (core.u32[(file << 3) + FILE_MODE] & FMODE_RANDOM) !== 0;
  if (isRandom || max === 0) {
    readAhead(cache, operations, file, inode, { index, nrPages: 1, async: 0 }, 0);
    return;
  }
  const window = { start: Math.max(0, index - (max >> 1)), size: max, async: Math.floor(max / ASYNC_PART) };
  setWindow(core, file, window);
  readAhead(cache, operations, file, inode, { index: window.start, nrPages: window.size, async: window.async }, 0);
}

function setWindow({ u32 }: Core, file: number, { start, size, async }: Window): void {
  const at = file << 3;
  u32[at + FILE_RA_START] = start;
  u32[at + FILE_RA_SIZE] = size;
  u32[at + FILE_RA_ASYNC] = async;
}

/** The marker of a window has been met: the next one is read. @see Linux do_async_mmap_readahead() */
function takeMarker(
  cache: PageCache,
  operations: AddressSpaceOperations,
  { file, inode, index }: VmFault,
  pfn: number,
): void {
  const { core } = cache;
  const { u32 } = core;
  if (!(pageFlags(core, pfn) & PG_READAHEAD) || operations.readahead === undefined) return;
  u32[fieldOf(pfn, PAGE_FLAGS)] &= ~PG_READAHEAD;
  core.x.getPage(pfn); // what is read meanwhile is not to drive it out
  const at = file << 3;
  const window = { start: u32[at + FILE_RA_START], size: u32[at + FILE_RA_SIZE], async: u32[at + FILE_RA_ASYNC] };
  const max = maxRaPages(cache, operations, file);
  let end = index + 1;
  while (end - index <= max && core.x.findPage(inode, end) !== 0) end++;
  const next = metMarker(window, index, 1, end, max);
  setWindow(core, file, window);
  if (next) readAhead(cache, operations, file, inode, next, 0);
  core.x.putPage(pfn);
}

/** Has a page read that is cached, and not up to date. */
function readIn(cache: PageCache, operations: AddressSpaceOperations, fault: VmFault, pfn: number): number {
  const { core } = cache;
  const { file, inode, index } = fault;
  countMajorFault(core);
  countMisses(core, 1);
  const rc = readCachedPage(cache, operations, file, new PageAt(core, inode, index, pfn));
  return rc < 0 ? rc : waitForPage(cache, inode, index, core.x.lockedPage(inode, index));
}

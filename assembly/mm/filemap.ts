// Page cache of a file: page index + pages + LRU (Linux mm/filemap.c), and runs of pages that lie contiguous in memory,
// so that one copy spans many of them.
//
// Does not own: file sizes and positions (read-write.ts), dirty accounting and writeback of backing stores.
import {
  AS_NO_ACCOUNTING, AS_UNEVICTABLE, EEXIST, ENOMEM, ENOSPC, MAX_ORDER, PAGE_SIZE, PG_ACTIVE, PG_DIRTY, PG_LOCKED, PG_LRU, PG_REFERENCED, PG_SHARED, PG_SWAPCACHE,
  PG_UPTODATE, PG_WAITERS, PG_WORKINGSET, PG_WRITEBACK, XA_MARK_DIRTY, XA_PRESENT, XA_RESERVED,
} from "../abi";
import { blocksLeft, chargeBlocks, chargeReserved } from "../block-accounts";
import { AddressSpace, indexOf, stateFlags } from "./address-space";
import { isNil, kernel, slot as self } from "../kernel";
import { lruAdd, lruAddRun, lruRemove, markPageAccessed } from "./lru";
import { Page, pageAddress, pageOf } from "./page";
import { allocPages, allocPagesByGrowth, allocPagesNoGrow, freePage } from "./page-alloc";
import { affordable } from "./reserve";
import { isLent, unsharePage } from "./shared-frame";
import { swapFree } from "./swapfile";
import {
  countAscending, getSlot, isData, isPage, isShadow, pageEntry, setEntry, setSlot, XArray, xaClearMark, xaErase, xaFind, xaLeaf, xaLoad, xaSetMark, xaStore,
} from "./xarray";
import { workingsetRefault } from "./workingset";

/** Finds the frame that caches page `index`. @returns 0 = none */
export function findPage(mapping: AddressSpace, index: u32): u32 {
  return findPageInline(mapping, index);
}

/** As findPage(), for reads and writes. */
// @ts-ignore: decorator
@inline export function findPageInline(mapping: AddressSpace, index: u32): u32 {
  const entry = xaLoad(indexOf(mapping), index);
  return isPage(entry) ? entry >> 2 : 0;
}

/**
 * Puts a frame into the cache as page `index`, in place of a shadow if there is one; it is not up to date yet.
 *
 * @returns 0; -EEXIST where a page or a swap entry is; -ENOSPC where the file system may have no more; -ENOMEM
 */
export function addToPageCache(mapping: AddressSpace, index: u32, pfn: u32): i32 {
  const xa = indexOf(mapping);
  const old = xaLoad(xa, index);
  if (isData(old)) return -EEXIST;
  if (old != XA_RESERVED && !blocksLeft(mapping)) return -ENOSPC;
  if (xaStore(xa, index, pageEntry(pfn))) return -ENOMEM;
  const page = pageOf(pfn);
  page.mapping = <u32>changetype<usize>(mapping);
  page.index = index;
  page.flags = page.flags & (PG_LOCKED | PG_WAITERS | PG_WRITEBACK) | stateFlags(xa); // readahead locks before
  mapping.nrPages++;
  chargeBlocks(mapping, 1);
  if (old == XA_RESERVED) chargeReserved(mapping, -1);
  else if (isShadow(old) && workingsetRefault(old)) page.flags |= PG_ACTIVE | PG_WORKINGSET;
  lruAdd(pfn);
  return 0;
}

/** Takes page `index` out of the cache and off its list; the cache's pin stays with the caller. Values stay. @returns its frame, 0 = none */
export function removeFromPageCache(mapping: AddressSpace, index: u32): u32 {
  const pfn = findPage(mapping, index);
  if (!pfn) return 0;
  const lent = isLent(mapping, index);
  xaErase(indexOf(mapping), index);
  detachPage(mapping, pfn);
  chargeBlocks(mapping, lent ? 0 : -1);
  return pfn;
}

/** Undoes what addToPageCache() did to the page itself; the block is the caller's to give back. */
export function detachPage(mapping: AddressSpace, pfn: u32): void {
  const page = pageOf(pfn);
  mapping.nrPages--;
  if (page.flags & PG_SHARED) {
    unsharePage(page, pfn);
    return;
  }
  if (page.flags & PG_LRU) lruRemove(pfn);
  if (page.flags & PG_DIRTY && !(mapping.flags & AS_NO_ACCOUNTING)) kernel().nrDirty--;
  if (page.flags & PG_SWAPCACHE) swapFree(page.privateLow);
  page.flags &= ~(PG_DIRTY | PG_SWAPCACHE);
  page.mapping = 0;
}

/** Finds the frame that caches page `index`, or caches a new one of zeros. @returns 0 when memory ran out or the file system is full, or the page is in a swap area */
export function findOrCreatePage(mapping: AddressSpace, index: u32): u32 {
  const found = findPage(mapping, index);
  if (found) return found;
  const pfn = allocPages(0);
  if (!pfn) return 0;
  if (addToPageCache(mapping, index, pfn)) {
    freePage(pfn);
    return 0;
  }
  memory.fill(pageAddress(pfn), 0, PAGE_SIZE);
  pageOf(pfn).flags |= PG_UPTODATE;
  return pfn;
}

/** Marks a cached page dirty, in its index as well. @returns 1 if it was clean; 0 for one that was truncated meanwhile, too @see Linux filemap_dirty_folio() */
export function setPageDirty(pfn: u32): u32 {
  const page = pageOf(pfn);
  if (page.flags & PG_DIRTY || !page.mapping) return 0;
  page.flags |= PG_DIRTY;
  accountDirtied(page);
  return 1;
}

/** Takes the mark away: the page is about to be written back. @returns 1 if it was dirty @see Linux folio_clear_dirty_for_io() */
export function clearPageDirty(pfn: u32): u32 {
  const page = pageOf(pfn);
  if (!(page.flags & PG_DIRTY)) return 0;
  page.flags &= ~PG_DIRTY;
  accountCleaned(page);
  return 1;
}

/** A cached page's PG_DIRTY has been set: mark and count follow, where its class has them. */
export function accountDirtied(page: Page): void {
  const xa = indexOf(changetype<AddressSpace>(<usize>page.mapping));
  if (xa.flags & AS_NO_ACCOUNTING) return;
  xaSetMark(xa, page.index, XA_MARK_DIRTY);
  kernel().nrDirty++;
}

/** Undoes accountDirtied(). */
export function accountCleaned(page: Page): void {
  const xa = indexOf(changetype<AddressSpace>(<usize>page.mapping));
  if (xa.flags & AS_NO_ACCOUNTING) return;
  xaClearMark(xa, page.index, XA_MARK_DIRTY);
  kernel().nrDirty--;
}

/**
 * Length of the run of cached pages from `index` on whose frames are contiguous, up to `nr`; each that ages is marked accessed.
 *
 * @param first frame of page `index`, which is cached
 */
export function runLength(mapping: AddressSpace, index: u32, first: u32, nr: u32): u32 {
  const xa = indexOf(mapping);
  let n: u32 = 1;
  while (n < nr) {
    const at = index + n;
    const leaf = xaLeaf(xa, at);
    if (isNil(leaf)) break;
    const inLeaf = min<u32>(64 - (at & 63), nr - n);
    const run = countAscending(leaf, at & 63, inLeaf, pageEntry(first + n));
    n += run;
    if (run < inLeaf) break;
  }
  if (!(xa.flags & AS_UNEVICTABLE)) { // else nobody asks, and the descriptor is a cache miss of its own
    for (let i: u32 = 0; i < n; i++) markPageAccessed(first + i);
  }
  return n;
}

/** Pages from `index` on that are holes, shadows among them, up to `nr`. Precondition: `index` is one. */
export function holeLength(mapping: AddressSpace, index: u32, nr: u32): u32 {
  if (nr == 1) return 1;
  const last = <u32>min<u64>(<u64>index + nr - 1, <u64>u32.MAX_VALUE);
  return findData(mapping, index, last) ? self().xaIndex - index : last - index + 1;
}

/** Finds the first data from `index` to `last`, a page or a swap entry. @returns its entry, its index in slot.xaIndex; 0 = none */
export function findData(mapping: AddressSpace, index: u32, last: u32): u32 {
  const xa = indexOf(mapping);
  let entry = xaFind(xa, index, last, XA_PRESENT);
  while (entry && !isData(entry)) {
    const at = self().xaIndex;
    if (at == last) return 0;
    entry = xaFind(xa, at + 1, last, XA_PRESENT);
  }
  return entry;
}

/**
 * Fills a hole with new frames, contiguous ones as far as can be; their bytes are whatever they were, so the caller
 * writes or zeroes all of them. They count as up to date and dirty.
 *
 * @param length pages from `index` on that are holes, at least 1
 * @returns the first frame, and in the high half how many there are now; 0 when memory ran out, or the file system is full
 */
export function fillHole(mapping: AddressSpace, index: u32, length: u32): u64 {
  const nr = kernel().nrReserved ? affordable(mapping, index, length) : min<u32>(length, blocksLeft(mapping));
  if (!nr) return 0;
  const wanted = min<u32>(31 - clz<u32>(nr), MAX_ORDER);
  let order = wanted;
  let pfn = wanted ? allocPagesNoGrow(wanted) : allocPages(0);
  while (!pfn && order) pfn = allocPagesNoGrow(--order); // what is free already, in pieces if need be, before memory grows
  if (!pfn && wanted) {
    pfn = allocPagesByGrowth(wanted);
    if (pfn) order = wanted;
    else pfn = allocPages(0);
  }
  if (!pfn) return 0;
  const nrPages: u32 = 1 << order;
  const got = addRun(mapping, index, pfn, nrPages);
  for (let i = got; i < nrPages; i++) freePage(pfn + i);
  return got ? <u64>got << 32 | pfn : 0;
}

/**
 * addToPageCache() for contiguous frames and pages that are holes, in place of shadows: one descent a leaf, one store a
 * slot. They count as up to date and dirty. @returns how many went in before memory ran out
 */
function addRun(mapping: AddressSpace, index: u32, pfn: u32, nr: u32): u32 {
  const xa = indexOf(mapping);
  let done: u32 = 0;
  let reserved: i32 = 0;
  while (done < nr) {
    const at = index + done;
    const leaf = xaLeaf(xa, at);
    if (isNil(leaf)) {
      const old = xaLoad(xa, at);
      if (xaStore(xa, at, pageEntry(pfn + done))) break;
      if (old == XA_RESERVED) reserved++;
      done++;
      continue;
    }
    const n = min<u32>(64 - (at & 63), nr - done);
    if (leaf.nrShadows) {
      for (let i: u32 = 0; i < n; i++) {
        if (getSlot(leaf, (at & 63) + i) == XA_RESERVED) reserved++;
        setEntry(leaf, (at & 63) + i, pageEntry(pfn + done + i));
      }
    } else { // all of it holes
      for (let i: u32 = 0; i < n; i++) setSlot(leaf, (at & 63) + i, pageEntry(pfn + done + i));
      leaf.count += <u8>n;
    }
    done += n;
  }
  if (!done) return 0;
  if (!(xa.flags & AS_NO_ACCOUNTING)) {
    for (let i: u32 = 0; i < done; i++) xaSetMark(xa, index + i, XA_MARK_DIRTY);
    kernel().nrDirty += done;
  }
  mapping.nrPages += done;
  chargeBlocks(mapping, done);
  if (reserved) chargeReserved(mapping, -reserved);
  const state = PG_UPTODATE | PG_DIRTY | PG_REFERENCED | stateFlags(xa);
  lruAddRun(pfn, done, state, <u32>changetype<usize>(mapping), index);
  return done;
}

// Removing cached pages from a file: truncation and hole punching (Linux mm/truncate.c).
//
// Bytes of the last page beyond the file's size are always zeros: who shrinks a file zeroes them, so that growing it
// again needs nothing. Values go as pages do; at the edge of what goes, a swap entry must be brought in before, and a shared
// page be the file's own (prepareEdges()).
import { AS_SHARED, AS_SWAPBACKED, ENOSPC, PAGE_SHIFT, PAGE_SIZE, PG_SHARED, XA_PRESENT, XA_RESERVED } from "../abi";
import { chargeBlocks, chargeReserved } from "../block-accounts";
import { detachPage, findPage, setPageDirty } from "./filemap";
import { AddressSpace, indexOf } from "./address-space";
import { slot as self } from "../kernel";
import { pageAddress, pageOf } from "./page";
import { putPage, putPages } from "./page-alloc";
import { isLent, ownPage } from "./shared-frame";
import { needsPage, swapFree } from "./swapfile";
import { isPage, isSwap, xaErase, xaFind, xaLoad } from "./xarray";

/** Removes all pages from `index` on. */
export function truncatePages(mapping: AddressSpace, index: u32): void {
  const head = mapping.head;
  // Fast path: same result. A file of one page has it there: 14 % of an rm -r.
  if (isPage(head) && !index && !(mapping.flags & AS_SHARED)) {
    const pfn = xaErase(indexOf(mapping), 0) >> 2;
    detachPage(mapping, pfn);
    putPage(pfn);
    chargeBlocks(mapping, -1);
  } else if (head) removePages(mapping, index, u32.MAX_VALUE);
}

/** Removes the pages and values from `first` to `last`; frames that lie together are given back together. */
export function removePages(mapping: AddressSpace, first: u32, last: u32): void {
  const xa = indexOf(mapping);
  const before = mapping.nrPages;
  let reserved: i32 = 0;
  let runStart: u32 = 0;
  let run: u32 = 0;
  let lent: i32 = 0;
  let index = first;
  while (xaFind(xa, index, last, XA_PRESENT)) {
    index = self().xaIndex;
    if (isLent(mapping, index)) lent++;
    const entry = xaErase(xa, index);
    if (isPage(entry)) {
      const pfn = entry >> 2;
      detachPage(mapping, pfn);
      if (run && pfn != runStart + run) {
        putPages(runStart, run);
        run = 0;
      }
      if (!run) runStart = pfn;
      run++;
    } else if (isSwap(entry)) {
      swapFree(entry);
      mapping.nrPages--;
    } else if (entry == XA_RESERVED) reserved++;
    if (index == last) break;
    index++;
  }
  if (run) putPages(runStart, run);
  chargeBlocks(mapping, mapping.nrPages - before + lent);
  if (!mapping.nrPages) mapping.flags &= ~AS_SHARED;
  if (reserved) chargeReserved(mapping, -reserved);
}

/** Drops what is cached beyond `size` bytes, and zeroes the rest of its last page. */
export function truncateToSize(mapping: AddressSpace, size: f64): void {
  const bytes = <u64>size;
  zeroSegment(mapping, bytes, (bytes + PAGE_SIZE - 1) & ~(<u64>PAGE_SIZE - 1));
  const index = (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
  if (index <= <u64>u32.MAX_VALUE) truncatePages(mapping, <u32>index);
}

/** Makes [start, end) a hole: whole pages go, the rest is zeroed. Precondition: start < end. */
export function punchHole(mapping: AddressSpace, start: f64, end: f64): void {
  const from = <u64>start;
  const to = <u64>end;
  const firstWhole = (from + PAGE_SIZE - 1) >> PAGE_SHIFT;
  const endWhole = to >> PAGE_SHIFT;
  if (firstWhole > endWhole) { // within one page
    zeroSegment(mapping, from, to);
    return;
  }
  zeroSegment(mapping, from, firstWhole << PAGE_SHIFT);
  zeroSegment(mapping, endWhole << PAGE_SHIFT, to);
  if (firstWhole < endWhole) removePages(mapping, <u32>firstWhole, <u32>(endWhole - 1));
}

/** Zeroes [start, end) where pages are cached; they stay. Whole ones in a swap area go, and shared ones. Precondition: start < end, prepareEdges(). */
export function zeroRange(mapping: AddressSpace, start: f64, end: f64): void {
  const from = <u64>start;
  const to = <u64>end;
  const last = <u32>((to - 1) >> PAGE_SHIFT);
  let index = <u32>(from >> PAGE_SHIFT);
  let entry = xaFind(indexOf(mapping), index, last, XA_PRESENT);
  while (entry) {
    index = self().xaIndex;
    if (isSwap(entry) || isShared(mapping, entry)) removePages(mapping, index, index);
    const page = <u64>index << PAGE_SHIFT;
    zeroSegment(mapping, max<u64>(page, from), min<u64>(page + PAGE_SIZE, to));
    if (index == last) return;
    entry = xaFind(indexOf(mapping), ++index, last, XA_PRESENT);
  }
}

/** Is an entry of a file's index a page that others have, too? */
function isShared(mapping: AddressSpace, entry: u32): bool {
  return (mapping.flags & AS_SHARED) != 0 && isPage(entry) && (pageOf(entry >> 2).flags & PG_SHARED) != 0;
}

/** Zeroes bytes [from, to) of one page, if it is cached. Precondition: it is the file's own. */
export function zeroSegment(mapping: AddressSpace, from: u64, to: u64): void {
  if (from >= to) return;
  const pfn = findPage(mapping, <u32>(from >> PAGE_SHIFT));
  if (!pfn) return;
  if (DEBUG) assert(!(pageOf(pfn).flags & PG_SHARED), "zeroSegment: page of others, too");
  memory.fill(pageAddress(pfn) + <usize>(from & (PAGE_SIZE - 1)), 0, <usize>(to - from));
  if (mapping.flags & AS_SWAPBACKED) setPageDirty(pfn); // its slot has what was there before
}

/**
 * Makes pages ready that are to be zeroed in part, since [start, end) begins or ends within them: of a shared one the file gets a
 * copy. Precondition: start < end.
 *
 * @returns 0; -HANDOVER_SWAP_IN for one in a swap area; -ENOSPC
 */
export function prepareEdges(mapping: AddressSpace, start: f64, end: f64): i32 {
  return prepareEdge(mapping, <u64>start) || prepareEdge(mapping, <u64>end);
}

function prepareEdge(mapping: AddressSpace, at: u64): i32 {
  if (!(at & (PAGE_SIZE - 1))) return 0;
  const index = <u32>(at >> PAGE_SHIFT);
  const entry = xaLoad(indexOf(mapping), index);
  if (isSwap(entry)) return needsPage(mapping, index);
  return isShared(mapping, entry) && !ownPage(mapping, index, entry >> 2, false) ? -ENOSPC : 0;
}

// Reclaim of cached pages: which go when frames are wanted (Linux mm/vmscan.c).
//
//   new ─► inactive ──second reference──► active ─┐ tail: referenced since it was there last ─► head again
//             │ tail                              │
//             ▼                                   ▼
//   gone, with a shadow (workingset.ts)         gone
//
// The inactive list is a probation of a tenth of the pages, first in, first out; the active list a clock. A page that is
// read once, in a scan, never gets past the first; one that comes back soon after it has left goes to the second at once.
// That is what S3-FIFO does, by Linux's lists and flags (ADR 34); `npm run bench:traces` shows what it hits.
//
// Only clean pages that nobody has a hold on go here. Dirty ones, and those whose file system wants to be asked, go round
// again: src/mm/vmscan.ts has them written, and whoever has found no memory tries again.
import {
  AS_FREE_PAGE, LRU_ACTIVE_FILE, LRU_INACTIVE_FILE, PG_DIRTY, PG_LOCKED, PG_PRIVATE, PG_REFERENCED, PG_WRITEBACK,
  VM_PGSCAN, VM_PGSTEAL,
} from "../abi";
import { chargeBlocks } from "../block-accounts";
import { AddressSpace, indexOf } from "./address-space";
import { countEvents, kernel } from "../kernel";
import { detachPage } from "./filemap";
import { lruList } from "./lru";
import { Page, pageOf } from "./page";
import { putPage } from "./page-alloc";
import { listAddHead, listRemove, PageList } from "./page-list";
import { workingsetEviction } from "./workingset";
import { xaErase, xaStore } from "./xarray";

/** One page of so many is on probation. */
const PROBATION: u32 = 10;

/**
 * Frees up to `nr` clean pages of files, once round each list at most; active ones that are referenced twice.
 *
 * @returns how many have gone, and in the high half how many were looked at
 * @see Linux shrink_lruvec()
 */
export function shrinkLists(nr: u32): u64 {
  const inactive = lruList(LRU_INACTIVE_FILE);
  const active = lruList(LRU_ACTIVE_FILE);
  let inactiveLeft = inactive.count;
  let activeLeft = 2 * active.count;
  let scanned: u32 = 0;
  let freed: u32 = 0;
  while (freed < nr && inactiveLeft + activeLeft) {
    const isEnough = inactive.count * PROBATION >= inactive.count + active.count;
    if (inactiveLeft && (isEnough || !activeLeft)) {
      inactiveLeft--;
      if (takeInactive(inactive)) freed++;
    } else if (activeLeft) {
      activeLeft--;
      if (takeActive(active)) freed++;
    } else break;
    scanned++;
  }
  countEvents(VM_PGSCAN, scanned);
  countEvents(VM_PGSTEAL, freed);
  if (freed) kernel().indexVersion++;
  return <u64>scanned << 32 | freed;
}

/** Frees the oldest page of the inactive list, or lets it go round. */
function takeInactive(list: PageList): bool {
  const pfn = list.tail;
  const page = pageOf(pfn);
  if (!isFreeable(page)) {
    rotate(list, pfn);
    return false;
  }
  const mapping = changetype<AddressSpace>(<usize>page.mapping);
  xaStore(indexOf(mapping), page.index, workingsetEviction()); // in its own place: no memory is needed
  dropPage(mapping, pfn);
  return true;
}

/** The same of the active list. */
function takeActive(list: PageList): bool {
  const pfn = list.tail;
  const page = pageOf(pfn);
  if (page.flags & PG_REFERENCED || !isFreeable(page)) {
    page.flags &= ~PG_REFERENCED;
    rotate(list, pfn);
    return false;
  }
  const mapping = changetype<AddressSpace>(<usize>page.mapping);
  xaErase(indexOf(mapping), page.index);
  dropPage(mapping, pfn);
  return true;
}

function dropPage(mapping: AddressSpace, pfn: u32): void {
  detachPage(mapping, pfn);
  chargeBlocks(mapping, -1);
  putPage(pfn);
}

/** Clean, in nobody's hands, and of a file system that need not be told. */
function isFreeable(page: Page): bool {
  if (page.refcount != 1 || page.flags & (PG_DIRTY | PG_LOCKED | PG_PRIVATE | PG_WRITEBACK)) return false;
  return !(changetype<AddressSpace>(<usize>page.mapping).flags & AS_FREE_PAGE);
}

function rotate(list: PageList, pfn: u32): void {
  listRemove(list, pfn);
  listAddHead(list, pfn);
}

// Compaction: cached pages from the end of memory move to free frames at its start, until the two meet (Linux
// mm/compaction.c). What comes free lies together, and at the end: large blocks come about, and memory can be given back.
//
//   | used | free | used | free | . . . | used | used |
//        free scanner ──►                     ◄── migrate scanner
//
// Records (slabs), tables and pinned pages stay where they are.
import { FIRST_FREE_PFN, PG_BUDDY, VM_COMPACT_STALL } from "../abi";
import { countEvent, kernel } from "../kernel";
import { isMovable, movePage } from "./migrate";
import { pageOf } from "./page";
import { drainPcp, freeRange, takeFrame } from "./page-alloc";
import { shrinkCaches } from "./slab";

/** So many calls go without at most, as a power of two. @see Linux COMPACT_MAX_DEFER_SHIFT */
const MAX_DEFER_SHIFT: u32 = 6;

/** Compacts all of memory. @returns pages that have moved */
export function compactMemory(): u32 {
  countEvent(VM_COMPACT_STALL);
  shrinkCaches();
  drainPcp(0);
  let moved: u32 = 0;
  let from = kernel().endPfn;
  let free: u32 = FIRST_FREE_PFN;
  for (; free < from; free++) {
    if (pageOf(free).flags != PG_BUDDY) continue;
    from = lastMovable(from, free);
    if (!from) break;
    takeFrame(free);
    movePage(from, free);
    freeRange(from, from + 1, false);
    moved++;
  }
  return moved;
}

/** Has compaction been of no use for so large a block, and not for long enough? @see Linux compaction_deferred() */
export function isCompactionDeferred(order: u32): bool {
  const k = kernel();
  return k.compactDeferShift != 0 && order >= k.compactOrderFailed && ++k.compactConsidered < <u32>1 << k.compactDeferShift;
}

/** Memory has been compacted for a block: each time in vain lets twice as many calls go without. @see Linux defer_compaction() */
export function noteCompaction(order: u32, success: bool): void {
  const k = kernel();
  k.compactConsidered = 0;
  k.compactOrderFailed = order;
  k.compactDeferShift = success ? 0 : min<u32>(k.compactDeferShift + 1, MAX_DEFER_SHIFT);
}

/** The last page before a frame, and not before another, that can move. @returns its frame, 0 = there is none */
function lastMovable(before: u32, first: u32): u32 {
  for (let pfn = before; pfn > first; ) {
    pfn--;
    if (isMovable(pageOf(pfn))) return pfn;
  }
  return 0;
}

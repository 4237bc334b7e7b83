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
import { drainPcp, freeRange, takeBlock } from "./page-alloc";

/** Compacts all of memory. @returns pages that have moved */
export function compactMemory(): u32 {
  countEvent(VM_COMPACT_STALL);
  drainPcp(0);
  let moved: u32 = 0;
  let from = kernel().endPfn;
  let free: u32 = FIRST_FREE_PFN;
  while (free < from) {
    const page = pageOf(free);
    if (page.flags != PG_BUDDY) {
      free++;
      continue;
    }
    const end = free + (1 << page.privateLow);
    const fresh = takeBlock(free);
    while (free < end) {
      from = lastMovable(from, end);
      if (!from) break;
      movePage(from, free++);
      freeRange(from, from + 1, false);
      moved++;
    }
    if (free < end) freeRange(free, end, fresh);
    if (!from) break;
  }
  return moved;
}

/** The last page before a frame, and not before another, that can move. @returns its frame, 0 = there is none */
function lastMovable(before: u32, first: u32): u32 {
  for (let pfn = before; pfn > first; ) {
    pfn--;
    if (isMovable(pageOf(pfn))) return pfn;
  }
  return 0;
}

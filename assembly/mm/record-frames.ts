// Where frames of records lie: at the start of memory, together (what Linux does by pageblocks of migratetype UNMOVABLE).
//
//   | records | records | records | page | free | page | page | . . .
//                                 ▲ recordPfn: the lowest frame that is free, or holds a page that can move
//
// Records never move, for they are known by their address; cached pages can. So whoever gets a frame for records gives it for
// the lowest one that can be had: a free one, or that of a page, which moves to the frame that was got. Once data is gone the
// rest of memory is free, and can be given back (kernel.shrink()).
//
// Of pages with a store only clean ones move: those may go in the midst of any allocation anyway (ADR 34). Whoever holds the
// address of another says so (SLOT_NO_MIGRATE).
import { AS_NO_STORE, FIRST_FREE_PFN, PG_BUDDY, PG_DIRTY, PG_PCP, SLOT_NO_MIGRATE } from "../abi";
import { AddressSpace } from "./address-space";
import { kernel, slot } from "../kernel";
import { isMovable, movePage } from "./migrate";
import { Page, pageOf } from "./page";
import { drainPcp, freePage, takeFrame } from "./page-alloc";

/** Gives a frame for the lowest that there is. @param pfn the caller's alone, 0 = none @returns a frame with one pin, 0 = none */
export function lowerFrame(pfn: u32): u32 {
  const k = kernel();
  if (!pfn || slot().flags & SLOT_NO_MIGRATE) return pfn;
  let at = max<u32>(k.recordPfn, FIRST_FREE_PFN);
  while (at < pfn && !isToBeHad(at)) at++;
  k.recordPfn = max<u32>(k.recordPfn, min<u32>(at, pfn) + 1);
  if (at >= pfn) return pfn;
  const page = pageOf(at);
  if (page.flags == PG_BUDDY) {
    takeFrame(at);
    freePage(pfn);
    k.nrFree--;
  } else movePage(at, pfn);
  page.refcount = 1;
  return at;
}

/** A frame of records is about to be free. */
// @ts-ignore: decorator
@inline export function noteFreedRecords(pfn: u32): void {
  kernel().recordPfn = min<u32>(kernel().recordPfn, pfn);
}

function isToBeHad(pfn: u32): bool {
  const page = pageOf(pfn);
  if (page.flags == PG_PCP) drainPcp(0);
  return page.flags == PG_BUDDY || (isMovable(page) && isAtRest(page));
}

// @ts-ignore: decorator
@inline function isAtRest(page: Page): bool {
  return !(page.flags & PG_DIRTY) || (changetype<AddressSpace>(<usize>page.mapping).flags & AS_NO_STORE) != 0;
}

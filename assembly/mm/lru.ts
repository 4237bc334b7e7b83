// LRU lists: inactive and active, for pages of files and for anonymous (swap-backed) pages, and the unevictable ones.
//
//   added ──► inactive ──second reference──► active
//                ▲                              │
//                └────────deactivated───────────┘        unevictable: pages of file systems without a backing store
//
// A page is on one list or isolated (PG_LRU clear): taken off to be worked on, and put back.
// Compare Linux mm/swap.c (folio_mark_accessed, folio_activate), mm/vmscan.c (folio_isolate_lru, folio_putback_lru).
import {
  KERNEL_BLOCK, KERNEL_LRU_LISTS, LRU_ACTIVE_ANON, LRU_ACTIVE_FILE, LRU_INACTIVE_ANON, LRU_INACTIVE_FILE,
  LRU_UNEVICTABLE, PAGE_DESCRIPTOR_BYTES, PG_ACTIVE, PG_LRU, PG_REFERENCED, PG_SWAPBACKED, PG_UNEVICTABLE, PG_WORKINGSET, VM_PGACTIVATE, VM_PGDEACTIVATE,
  VM_PGROTATED,
} from "../abi";
import { countEvent } from "../kernel";
import { Page, pageOf } from "./page";
import { putPage } from "./page-alloc";
import { PageList, listAddHead, listAddTail, listRemove } from "./page-list";

const ONE_HIGH: u64 = 1 << 32; // 1 in the upper of two u32 fields

/** Head of a list (LRU_*). */
// @ts-ignore: decorator
@inline export function lruList(lru: u32): PageList {
  return changetype<PageList>(KERNEL_BLOCK + KERNEL_LRU_LISTS + (<usize>lru << 4));
}

/** The list a page with these flags belongs on. */
// @ts-ignore: decorator
@inline export function lruOf(flags: u32): u32 {
  if (flags & PG_UNEVICTABLE) return LRU_UNEVICTABLE;
  if (flags & PG_SWAPBACKED) return flags & PG_ACTIVE ? LRU_ACTIVE_ANON : LRU_INACTIVE_ANON;
  return flags & PG_ACTIVE ? LRU_ACTIVE_FILE : LRU_INACTIVE_FILE;
}

/** Puts a page at the head of the list that its flags name. Precondition: it is on no list. */
export function lruAdd(pfn: u32): void {
  const page = pageOf(pfn);
  page.flags |= PG_LRU;
  listAddHead(lruList(lruOf(page.flags)), pfn);
}

/**
 * Makes `nr` contiguous frames of one section the pages of a file from `index` on, with a pin each, and puts them at the
 * head of the list that `state` names, first to last.
 *
 * One pass over the descriptors, by words of two fields: a write of 64 KiB gains 80 ns.
 */
export function lruAddRun(pfn: u32, nr: u32, state: u32, mapping: u32, index: u32): void {
  const flags = state | PG_LRU;
  const list = lruList(lruOf(flags));
  const head = list.head;
  const last = pfn + nr - 1;
  let at = changetype<usize>(pageOf(pfn));
  const flagsMapping = <u64>flags | (<u64>mapping << 32);
  let indexRefcount = <u64>index | ONE_HIGH;
  let nextPrev = <u64>(pfn - 1) | (<u64>(pfn + 1) << 32);
  for (let i: u32 = 0; i < nr; i++) {
    store<u64>(at, flagsMapping, offsetof<Page>("flags"));
    store<u64>(at, indexRefcount, offsetof<Page>("index"));
    store<u64>(at, nextPrev, offsetof<Page>("lruNext"));
    indexRefcount++;
    nextPrev += ONE_HIGH | 1;
    at += PAGE_DESCRIPTOR_BYTES;
  }
  pageOf(pfn).lruNext = head;
  pageOf(last).lruPrev = 0;
  if (head) pageOf(head).lruPrev = pfn;
  else list.tail = pfn;
  list.head = last;
  list.count += nr;
}

/** Takes a page off its list. Precondition: it is on one. */
export function lruRemove(pfn: u32): void {
  const page = pageOf(pfn);
  listRemove(lruList(lruOf(page.flags)), pfn);
  page.flags &= ~PG_LRU;
}

/**
 * Notes a reference: inactive and unreferenced → referenced → active.
 * @see Linux mm/swap.c folio_mark_accessed()
 */
export function markPageAccessed(pfn: u32): void {
  const page = pageOf(pfn);
  const flags = page.flags;
  if (!(flags & PG_REFERENCED)) { // of one that came back as an active page, the first is the read that has brought it
    page.flags = flags & PG_WORKINGSET ? flags & ~PG_WORKINGSET : flags | PG_REFERENCED;
    return;
  }
  if (flags & (PG_UNEVICTABLE | PG_ACTIVE)) return;
  activatePage(pfn);
  page.flags &= ~PG_REFERENCED;
}

/** Moves an inactive page to the head of the active list. */
export function activatePage(pfn: u32): void {
  const page = pageOf(pfn);
  if (page.flags & (PG_ACTIVE | PG_UNEVICTABLE)) return;
  const onList = (page.flags & PG_LRU) != 0;
  if (onList) lruRemove(pfn);
  page.flags |= PG_ACTIVE;
  if (onList) lruAdd(pfn);
  countEvent(VM_PGACTIVATE);
}

/** Moves an active page to the head of the inactive list. */
export function deactivatePage(pfn: u32): void {
  const page = pageOf(pfn);
  if (!(page.flags & PG_ACTIVE)) return;
  const onList = (page.flags & PG_LRU) != 0;
  if (onList) lruRemove(pfn);
  page.flags &= ~(PG_ACTIVE | PG_REFERENCED);
  if (onList) lruAdd(pfn);
  countEvent(VM_PGDEACTIVATE);
}

/** Takes a page off its list to work on it, with a pin. @returns false if it was on none */
export function isolatePage(pfn: u32): bool {
  const page = pageOf(pfn);
  if (!(page.flags & PG_LRU)) return false;
  lruRemove(pfn);
  page.refcount++;
  return true;
}

/** Undoes isolatePage(), on the list that the page's flags now name; a page that has left the cache since is freed. */
export function putbackPage(pfn: u32): void {
  if (pageOf(pfn).mapping) lruAdd(pfn);
  putPage(pfn);
}

/** Moves an inactive page to the tail of its list: the next to be reclaimed. @see Linux folio_rotate_reclaimable() */
export function rotatePage(pfn: u32): void {
  const page = pageOf(pfn);
  if ((page.flags & (PG_LRU | PG_ACTIVE | PG_UNEVICTABLE)) != PG_LRU) return;
  const list = lruList(lruOf(page.flags));
  listRemove(list, pfn);
  listAddTail(list, pfn);
  countEvent(VM_PGROTATED);
}

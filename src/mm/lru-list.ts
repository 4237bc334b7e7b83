/**
 * Pages off and on the lists of reclaim (assembly/mm/lru.ts): done here where a call into the core would have to be in every bundle.
 *
 * @see Linux folio_isolate_lru(), folio_putback_lru()
 */
import type { Core } from "../wasm/core.ts";
import {
  KERNEL_BLOCK,
  KERNEL_LRU_LISTS,
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  LRU_UNEVICTABLE,
  PAGE_FLAGS,
  PAGE_LIST_BYTES,
  PAGE_LIST_COUNT,
  PAGE_LIST_HEAD,
  PAGE_LIST_TAIL,
  PAGE_LRU_NEXT,
  PAGE_LRU_PREV,
  PAGE_MAPPING,
  PAGE_REFCOUNT,
  PG_ACTIVE,
  PG_LRU,
  PG_SHARED,
  PG_SWAPBACKED,
  PG_UNEVICTABLE,
} from "../wasm/layout.ts";
import { fieldOf, pageFlags } from "./page.ts";

/** Index in `u32` of a list (LRU_*). */
function listAt(list: number): number {
  return (KERNEL_BLOCK + KERNEL_LRU_LISTS + list * PAGE_LIST_BYTES) >>> 2;
}

/** Pages on a list. */
export function nrOnList({ u32 }: Core, list: number): number {
  return u32[listAt(list) + PAGE_LIST_COUNT];
}

/** The page that has been on a list the longest, 0 = none. */
export function oldestOf({ u32 }: Core, list: number): number {
  return u32[listAt(list) + PAGE_LIST_TAIL];
}

/** The list that a page with these flags belongs on. */
function listOf(flags: number): number {
  if (flags & PG_UNEVICTABLE) return LRU_UNEVICTABLE;
  if (flags & PG_SWAPBACKED) return flags & PG_ACTIVE ? LRU_ACTIVE_ANON : LRU_INACTIVE_ANON;
  return flags & PG_ACTIVE ? LRU_ACTIVE_FILE : LRU_INACTIVE_FILE;
}

/** Takes a page off its list. Precondition: it is on one. */
export function lruRemove({ u32 }: Core, pfn: number): void {
  const list = listAt(listOf(u32[fieldOf(pfn, PAGE_FLAGS)]));
  const next = u32[fieldOf(pfn, PAGE_LRU_NEXT)];
  const prev = u32[fieldOf(pfn, PAGE_LRU_PREV)];
  u32[prev === 0 ? list + PAGE_LIST_HEAD : fieldOf(prev, PAGE_LRU_NEXT)] = next;
  u32[next === 0 ? list + PAGE_LIST_TAIL : fieldOf(next, PAGE_LRU_PREV)] = prev;
  u32[fieldOf(pfn, PAGE_LRU_NEXT)] = u32[fieldOf(pfn, PAGE_LRU_PREV)] = 0;
  u32[list + PAGE_LIST_COUNT]--;
  u32[fieldOf(pfn, PAGE_FLAGS)] &= ~PG_LRU;
}

/** Puts a page on the list that its flags name. Precondition: it is on none. */
export function lruAdd({ u32 }: Core, pfn: number): void {
  const list = listAt(listOf(u32[fieldOf(pfn, PAGE_FLAGS)]));
  const next = u32[list + PAGE_LIST_HEAD];
  u32[fieldOf(pfn, PAGE_LRU_NEXT)] = next;
  u32[fieldOf(pfn, PAGE_LRU_PREV)] = 0;
  u32[next === 0 ? list + PAGE_LIST_TAIL : fieldOf(next, PAGE_LRU_PREV)] = pfn;
  u32[list + PAGE_LIST_HEAD] = pfn;
  u32[list + PAGE_LIST_COUNT]++;
  u32[fieldOf(pfn, PAGE_FLAGS)] |= PG_LRU;
}

/** Takes a page off its list, with a pin. Precondition: it is on one. */
export function isolatePage(core: Core, pfn: number): void {
  lruRemove(core, pfn);
  core.u32[fieldOf(pfn, PAGE_REFCOUNT)]++;
}

/** Puts a page that is still cached on the list that its flags name, and drops a pin. */
export function putbackPage(core: Core, pfn: number): void {
  if (core.u32[fieldOf(pfn, PAGE_MAPPING)] !== 0) lruAdd(core, pfn);
  core.x.putPage(pfn);
}

/** Gives a page others of PG_UNEVICTABLE and PG_SWAPBACKED; one that is isolated goes to its new list when it is put back. */
export function relist(core: Core, pfn: number, state: number): void {
  const flags = pageFlags(core, pfn);
  if (flags & PG_SHARED || (flags & (PG_UNEVICTABLE | PG_SWAPBACKED)) === state) return; // those of several files stay
  if (flags & PG_LRU) lruRemove(core, pfn);
  const others = flags & ~(PG_LRU | PG_UNEVICTABLE | PG_SWAPBACKED | (state & PG_UNEVICTABLE ? PG_ACTIVE : 0));
  core.u32[fieldOf(pfn, PAGE_FLAGS)] = others | state;
  if (flags & PG_LRU) lruAdd(core, pfn);
}

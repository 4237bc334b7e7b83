/**
 * Frames by their number: which are free, and taking a certain one.
 *
 * The core gives away the frame that suits it best (assembly/mm/page-alloc.ts); who moves pages, or puts a broken frame out of
 * use, wants a certain one. Rare, and so done here, on the core's lists as they lie in memory.
 *
 * Does not own: which frames the core itself chooses.
 */
import type { Core } from "../wasm/core.ts";
import {
  KERNEL_BLOCK,
  KERNEL_FREE_AREAS,
  KERNEL_NR_FREE,
  KERNEL_NR_FRESH,
  KERNEL_PCP_COUNT,
  MAX_ORDER,
  PAGE_BYTES,
  PAGE_FLAGS,
  PAGE_LIST_BYTES,
  PAGE_LIST_COUNT,
  PAGE_LIST_HEAD,
  PAGE_LIST_TAIL,
  PAGE_LRU_NEXT,
  PAGE_LRU_PREV,
  PAGE_PRIVATE_HIGH,
  PAGE_PRIVATE_LOW,
  PAGE_REFCOUNT,
  PG_BUDDY,
  PG_PCP,
} from "../wasm/layout.ts";
import { fieldOf, pageFlags } from "./page.ts";

const KERNEL = KERNEL_BLOCK >>> 2;

/** Takes a frame out of the free ones, with a pin. @returns false: it is not free */
export function takeFreeFrame(core: Core, pfn: number): boolean {
  if (pageFlags(core, pfn) & PG_PCP) return takeSingle(core, pfn);
  const head = blockOf(core, pfn);
  if (head < 0) return false;
  const end = head + (1 << core.u32[fieldOf(head, PAGE_PRIVATE_LOW)]);
  unlink(core, head);
  giveBack(core, head, pfn);
  giveBack(core, pfn + 1, end);
  core.u32[fieldOf(pfn, PAGE_REFCOUNT)] = 1;
  return true;
}

/** The first frame that is free, from one to before another, and lies in a block. @returns -1 = there is none */
export function nextFree(core: Core, from: number, before: number): number {
  for (let pfn = from; pfn < before; pfn++) if (pageFlags(core, pfn) & PG_BUDDY) return pfn;
  return -1;
}

/** First frame of the free block that a frame is in. @returns -1: it is in none */
function blockOf({ u32 }: Core, pfn: number): number {
  for (let order = 0; order <= MAX_ORDER; order++) {
    const head = pfn - (pfn % (1 << order));
    const isHead = u32[fieldOf(head, PAGE_FLAGS)] & PG_BUDDY && u32[fieldOf(head, PAGE_PRIVATE_LOW)] >= order;
    if (isHead) return head;
  }
  return -1;
}

/** Takes a free block off its list, and out of the counts; its descriptor is zeros then. */
function unlink({ u32 }: Core, head: number): void {
  const at = fieldOf(head, 0);
  const order = u32[at + PAGE_PRIVATE_LOW];
  const list = (KERNEL_BLOCK + KERNEL_FREE_AREAS + order * PAGE_LIST_BYTES) >>> 2;
  const next = u32[at + PAGE_LRU_NEXT];
  const prev = u32[at + PAGE_LRU_PREV];
  u32[prev ? fieldOf(prev, PAGE_LRU_NEXT) : list + PAGE_LIST_HEAD] = next;
  u32[next ? fieldOf(next, PAGE_LRU_PREV) : list + PAGE_LIST_TAIL] = prev;
  u32[list + PAGE_LIST_COUNT]--;
  u32[KERNEL + KERNEL_NR_FREE] -= 1 << order;
  if (u32[at + PAGE_PRIVATE_HIGH]) u32[KERNEL + KERNEL_NR_FRESH] -= 1 << order;
  u32.fill(0, at, at + PAGE_BYTES / 4);
}

function giveBack({ x }: Core, start: number, end: number): void {
  if (start < end) x.freePages(start, end - start);
}

/** Single frames come off their stack until it is the turn of this one. */
function takeSingle({ u32, x }: Core, pfn: number): boolean {
  const others: number[] = [];
  let got = 0;
  for (let left = u32[KERNEL + KERNEL_PCP_COUNT]; left > 0 && got !== pfn; left--) {
    got = x.allocPages(0);
    if (got !== 0 && got !== pfn) others.push(got);
  }
  for (const other of others.reverse()) x.freePages(other, 1);
  return got === pfn;
}

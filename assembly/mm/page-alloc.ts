// Page frame allocator: binary buddy, orders 0 to 9, with a stack of single frames in front.
//
//   single frames   pcp: LIFO of up to PCP_HIGH frames. A freed frame is still in the processor's cache and is the next
//                   to be used. Refilled in blocks, handed out in ascending order, so that a file written page by page
//                   comes to lie contiguous.
//   blocks          one list per order. Freed blocks merge with their buddies and go to the head; fresh ones, whose frames
//                   have held nothing yet, go to the tail. What was freed goes first, whatever its order, for the first
//                   touch of a frame costs 20 times what its reuse does; a block with a freed frame in it counts as freed.
//   reserve         the last frames at the limit are for who frees others: writeback, reclaim (SLOT_MEMALLOC)
//   growth          only when no free block is large enough even for one frame (or the caller insists on nothing less):
//                   memory.grow is called by the host (env.grow), which renews its views.
//
// A used frame has refcount >= 1. Orders are a property of free blocks alone: whoever takes a block of 2^n frames owns
// 2^n frames and may free them one by one, as after Linux's split_page().
//
// Compare Linux mm/page_alloc.c (rmqueue, __free_one_page), mm/sparse.c.
import {
  FIRST_FREE_PFN, KERNEL_BLOCK, KERNEL_FREE_AREAS, MAX_ORDER, MAX_RESERVE, PG_BUDDY, PG_PCP, PG_RESERVED, SECTION_DESCRIPTOR_FRAMES,
  SECTION_FRAMES, SLOT_MEMALLOC, VM_ALLOC_FAILED, VM_MEMORY_GROWN, VM_PGALLOC, VM_PGFREE, WASM_PAGE_FRAMES,
} from "../abi";
import { countEvent, kernel, slot } from "../kernel";
import { clearPage, Page, pageAddress, pageOf } from "./page";
import { PageList, listAddHead, listAddTail, listRemove } from "./page-list";
import { compactMemory, isCompactionDeferred, noteCompaction } from "./compaction";
import { reclaim } from "./reclaim";

// @ts-ignore: decorator
@external("env", "grow") declare function hostGrow(wasmPages: i32): i32;

const PCP_HIGH: u32 = 256;
const PCP_BATCH_ORDER: u32 = 3; // larger ones make writes to untouched memory slower: 32 frames by 4%
const GROW_MIN_FRAMES: u32 = 16 * SECTION_FRAMES; // one memory.grow costs about as much as 700 first touches of a frame
const GROW_MAX_FRAMES: u32 = 128 * SECTION_FRAMES;

/** List of the free blocks of 2^order frames. */
// @ts-ignore: decorator
@inline export function freeArea(order: u32): PageList {
  return changetype<PageList>(KERNEL_BLOCK + KERNEL_FREE_AREAS + (<usize>order << 4));
}

/**
 * Takes 2^order contiguous frames; their bytes are whatever they were.
 *
 * @returns the first frame's number, each with one pin; 0 when memory is exhausted
 */
export function allocPages(order: u32): u32 {
  if (faultInjected()) return 0;
  if (order == 0) return allocPage();
  let pfn = isReserved(1 << order) ? 0 : allocBlock(order);
  while (!pfn && growMemory()) pfn = allocBlock(order);
  if (!pfn && reclaim() && !isReserved(1 << order)) pfn = allocBlock(order);
  if (!pfn && !isReserved(2 << order) && !isCompactionDeferred(order)) {
    if (compactMemory()) pfn = allocBlock(order);
    noteCompaction(order, pfn != 0);
  }
  if (!pfn) countEvent(VM_ALLOC_FAILED);
  else for (let i: u32 = 0; i < 1 << order; i++) pageOf(pfn + i).refcount = 1;
  return pfn;
}

/**
 * As allocPages(), but memory does not grow for it, and fresh frames are not taken while as many freed ones lie about in
 * smaller blocks: the caller asks for those next. The frames have no pin yet: it gives them theirs, with whatever else it
 * writes to their descriptors.
 */
export function allocPagesNoGrow(order: u32): u32 {
  if (faultInjected() || isReserved(1 << order)) return 0;
  if (nrFreed() < 1 << order) return allocFresh(order) || (onlineSection() ? allocFresh(order) : 0);
  const pfn = takeFreed(order) || takeDrained(order);
  return pfn ? allocated(pfn, order) : 0;
}

/** Would only the reserve be left, or less? Then it is for who frees memory, or has to end what it has begun. */
// @ts-ignore: decorator
@inline function isReserved(nr: u32): bool {
  return kernel().nrFree < kernel().minFree + nr && !(slot().flags & SLOT_MEMALLOC);
}

/** Gets frames beyond the reserve. @returns false when there are none to be had */
function leaveReserve(): bool {
  while (isReserved(1)) if (!growMemory() && !reclaim()) return false;
  return true;
}

/** True when the fault-injecting limit says that this allocation fails. */
// @ts-ignore: decorator
@inline export function faultInjected(): bool {
  const left = kernel().failAfter;
  if (left == 0) return false;
  if (left == 1) return true;
  kernel().failAfter = left - 1;
  return false;
}

function allocPage(): u32 {
  const k = kernel();
  if ((isReserved(1) && !leaveReserve()) || (!k.pcpHead && !refillPcp())) {
    countEvent(VM_ALLOC_FAILED);
    return 0;
  }
  const pfn = k.pcpHead;
  const page = pageOf(pfn);
  k.pcpHead = page.lruNext;
  k.pcpCount--;
  k.nrFree--;
  page.flags = 0;
  page.lruNext = 0;
  page.refcount = 1;
  countEvent(VM_PGALLOC);
  return pfn;
}

function allocBlock(order: u32): u32 {
  const pfn = takeFreed(order) || takeDrained(order) || takeFresh(order);
  return pfn ? allocated(pfn, order) : 0;
}

/** takeFreed() once more, when the single frames have been put back. */
function takeDrained(order: u32): u32 {
  if (kernel().pcpCount < 1 << order) return 0;
  drainPcp(0);
  return takeFreed(order);
}

function allocFresh(order: u32): u32 {
  const pfn = takeFresh(order);
  if (!pfn) return 0;
  faultIn(pfn, 1 << order);
  return allocated(pfn, order);
}

function allocated(pfn: u32, order: u32): u32 {
  kernel().nrFree -= 1 << order;
  countEvent(VM_PGALLOC);
  return pfn;
}

/** Gives one frame back. Precondition: nothing refers to it any more. */
export function freePage(pfn: u32): void {
  const k = kernel();
  const page = pageOf(pfn);
  if (DEBUG) assert(!(page.flags & (PG_BUDDY | PG_PCP | PG_RESERVED)), "freePage: frame is free already");
  clearPage(page);
  page.flags = PG_PCP;
  page.lruNext = k.pcpHead;
  k.pcpHead = pfn;
  k.pcpCount++;
  k.nrFree++;
  countEvent(VM_PGFREE);
  if (k.pcpCount > PCP_HIGH) drainPcp(PCP_HIGH / 2);
}

/** Gives `nr` contiguous frames back, as large blocks. */
export function freePages(pfn: u32, nr: u32): void {
  for (let i: u32 = 0; i < nr; i++) clearPage(pageOf(pfn + i));
  kernel().nrFree += nr;
  countEvent(VM_PGFREE);
  freeRange(pfn, pfn + nr, false);
}

/** Free frames that have held something, single ones included. */
// @ts-ignore: decorator
@inline function nrFreed(): u32 {
  return kernel().nrFree - kernel().nrFresh;
}

/** Takes the freed block of at least 2^order frames that was freed last. @returns its first frame, 0 = there is none */
function takeFreed(order: u32): u32 {
  if (nrFreed() < 1 << order) return 0; // spares a look at each list while all memory is fresh
  for (let o = order; o <= MAX_ORDER; o++) {
    const pfn = freeArea(o).head;
    if (pfn && !isFresh(pageOf(pfn))) return split(pfn, o, order);
  }
  return 0;
}

/** Takes a block of frames that have held nothing yet. @returns its first frame, 0 = there is none */
function takeFresh(order: u32): u32 {
  for (let o = order; o <= MAX_ORDER; o++) {
    const pfn = freeArea(o).tail;
    if (pfn && isFresh(pageOf(pfn))) return split(pfn, o, order);
  }
  return 0;
}

/** Takes a free block off its list, and puts all but its first 2^order frames back. */
function split(pfn: u32, blockOrder: u32, order: u32): u32 {
  const fresh = isFresh(pageOf(pfn));
  unlinkBlock(pfn, blockOrder);
  for (let o = blockOrder; o > order; ) {
    o--;
    linkBlock(pfn + (1 << o), o, fresh);
  }
  return pfn;
}

/**
 * Takes the page faults of frames that hold nothing yet and are about to be used, before their bytes are. In the middle of
 * a copy they cost 6% more; one by one, with calls between that find the processor's caches in disorder, another 2%.
 */
function faultIn(pfn: u32, nr: u32): void {
  for (let i: u32 = 0; i < nr; i++) store<u8>(pageAddress(pfn + i), 0);
}

// @ts-ignore: decorator
@inline function isFresh(page: Page): bool {
  return page.privateHigh != 0;
}

/** Puts a free block on its list: freed ones before fresh ones. */
function linkBlock(pfn: u32, order: u32, fresh: bool): void {
  const page = pageOf(pfn);
  page.flags = PG_BUDDY;
  page.privateLow = order;
  page.privateHigh = <u32>fresh;
  if (!fresh) listAddHead(freeArea(order), pfn);
  else {
    listAddTail(freeArea(order), pfn);
    kernel().nrFresh += 1 << order;
  }
}

function unlinkBlock(pfn: u32, order: u32): void {
  const page = pageOf(pfn);
  if (isFresh(page)) kernel().nrFresh -= 1 << order;
  listRemove(freeArea(order), pfn);
  clearPage(page);
}

/** Puts a free block back, merged with its free buddies; together they are fresh if all of them are. */
function mergeBlock(block: u32, blockOrder: u32, blockFresh: bool): void {
  let pfn = block;
  let order = blockOrder;
  let fresh = blockFresh;
  while (order < MAX_ORDER) {
    const buddy = pfn ^ (1 << order);
    const page = pageOf(buddy);
    if (page.flags != PG_BUDDY || page.privateLow != order) break;
    fresh = fresh && isFresh(page);
    unlinkBlock(buddy, order);
    pfn &= ~(1 << order);
    order++;
  }
  linkBlock(pfn, order, fresh);
}

/** As allocPages(), of blocks that the caller can do without: memory grows for them, and no more is done. */
export function allocPagesByGrowth(order: u32): u32 {
  let pfn: u32 = 0;
  while (!pfn && growMemory()) pfn = allocPagesNoGrow(order);
  return pfn;
}

/** Takes the first frame of a free block out of it; nrFree stays. Its descriptor is zeros then. */
export function takeFrame(pfn: u32): void {
  const page = pageOf(pfn);
  const end = pfn + (1 << page.privateLow);
  const fresh = isFresh(page);
  unlinkBlock(pfn, page.privateLow);
  freeRange(pfn + 1, end, fresh);
}

/** Largest block that starts at `pfn` and ends by `end`. */
// @ts-ignore: decorator
@inline function orderAt(pfn: u32, end: u32): u32 {
  return min<u32>(min<u32>(ctz<u32>(pfn), 31 - clz<u32>(end - pfn)), MAX_ORDER);
}

/** Puts frames, whose descriptors are zeros, back as free blocks; nrFree stays. */
export function freeRange(start: u32, end: u32, fresh: bool): void {
  let pfn = start;
  while (pfn < end) {
    const order = orderAt(pfn, end);
    mergeBlock(pfn, order, fresh);
    pfn += 1 << order;
  }
}

/** Returns single frames to the buddy lists until `keep` are left. */
export function drainPcp(keep: u32): void {
  const k = kernel();
  while (k.pcpCount > keep) {
    const pfn = k.pcpHead;
    const page = pageOf(pfn);
    k.pcpHead = page.lruNext;
    k.pcpCount--;
    clearPage(page);
    mergeBlock(pfn, 0, false);
  }
}

function refillPcp(): bool {
  let order = PCP_BATCH_ORDER;
  let pfn = takeFreed(order);
  while (!pfn && order) pfn = takeFreed(--order);
  if (!pfn) {
    order = PCP_BATCH_ORDER;
    pfn = takeFresh(order);
    while (!pfn && order) pfn = takeFresh(--order);
    if (pfn) faultIn(pfn, 1 << order);
  }
  if (!pfn) return (growMemory() || reclaim()) && (kernel().pcpHead != 0 || refillPcp());
  const k = kernel();
  for (let i = 1 << order; i > 0; i--) { // descending, so that they come off ascending
    const page = pageOf(pfn + i - 1);
    page.flags = PG_PCP;
    page.lruNext = k.pcpHead;
    k.pcpHead = pfn + i - 1;
  }
  k.pcpCount += 1 << order;
  return true;
}

/** End of the next section to be brought online. */
// @ts-ignore: decorator
@inline function nextSection(): u32 {
  return (kernel().endPfn + SECTION_FRAMES) & ~(SECTION_FRAMES - 1);
}

/** Brings a section online that the memory has already. @returns false when there is none */
function onlineSection(): bool {
  const end = min<u32>(<u32>memory.size() * WASM_PAGE_FRAMES, kernel().maxPfn);
  return kernel().endPfn < end && onlineMemory(min<u32>(nextSection(), end));
}

/** Brings more memory online: a section that the memory has already, else memory.grow() doubles it. @returns false at the limit */
function growMemory(): bool {
  if (onlineSection()) return true;
  const k = kernel();
  const present = <u32>memory.size() * WASM_PAGE_FRAMES;
  const want = min<u32>(max<u32>(GROW_MIN_FRAMES, k.endPfn), GROW_MAX_FRAMES);
  let target = min<u32>((k.endPfn + want) & ~(SECTION_FRAMES - 1), k.maxPfn);
  if (target <= present) {
    setReserve();
    return false;
  }
  if (hostGrow((target - present) / WASM_PAGE_FRAMES) < 0) { // less than that may still be to be had
    target = min<u32>(nextSection(), k.maxPfn);
    if (target <= present || hostGrow((target - present) / WASM_PAGE_FRAMES) < 0) return false;
  }
  countEvent(VM_MEMORY_GROWN);
  return onlineMemory(min<u32>(nextSection(), target));
}

/** Memory has its limit: from now on some frames are kept. */
function setReserve(): void {
  kernel().minFree = minFreeFrames();
}

/** Frames that are kept, or will be. */
export function minFreeFrames(): u32 {
  const k = kernel();
  return k.minFree || min<u32>(k.maxPfn >> 8, MAX_RESERVE);
}

/** Hands the frames from endPfn to `end` to the allocator, section by section. @returns whether any was usable */
export function onlineMemory(end: u32): bool {
  const k = kernel();
  let usable = false;
  let pfn = k.endPfn;
  while (pfn < end) {
    const section = pfn & ~(SECTION_FRAMES - 1);
    const sectionEnd = min<u32>(section + SECTION_FRAMES, end);
    if (pfn == section) {
      const reserved = min<u32>(section + (section ? SECTION_DESCRIPTOR_FRAMES : FIRST_FREE_PFN), sectionEnd);
      for (; pfn < reserved; pfn++) pageOf(pfn).flags = PG_RESERVED;
    }
    if (pfn < sectionEnd) {
      usable = true;
      k.nrFree += sectionEnd - pfn;
      freeRange(pfn, sectionEnd, true);
    }
    pfn = sectionEnd;
    k.endPfn = pfn;
  }
  if (end >= k.maxPfn) setReserve();
  return usable;
}

/**
 * Rebuilds the free lists from the descriptors, in ascending order, and takes memory behind the last used frame offline:
 * the same used frames then always give the same lists, however they came about.
 */
export function normalizeFreeLists(): void {
  drainPcp(0);
  const k = kernel();
  const end = lastUsedFrame() + 1;
  const newEnd = (end + WASM_PAGE_FRAMES - 1) & ~(WASM_PAGE_FRAMES - 1);
  for (let o: u32 = 0; o <= MAX_ORDER; o++) {
    const area = freeArea(o);
    area.head = 0;
    area.tail = 0;
    area.count = 0;
  }
  k.nrFree = 0;
  k.nrFresh = 0;
  let pfn: u32 = FIRST_FREE_PFN;
  while (pfn < k.endPfn) {
    const start = pfn;
    pfn = clearFreeRun(pfn);
    const runEnd = min<u32>(pfn, newEnd);
    if (start < runEnd) {
      k.nrFree += runEnd - start;
      freeRange(start, runEnd, true);
    }
    if (pfn == start) pfn++;
  }
  for (pfn = newEnd; pfn < k.endPfn; pfn++) clearPage(pageOf(pfn));
  k.endPfn = newEnd;
}

/** Clears the heads of the free blocks that follow each other from `pfn` on. @returns where they end */
function clearFreeRun(start: u32): u32 {
  const end = kernel().endPfn;
  let pfn = start;
  while (pfn < end && pageOf(pfn).flags == PG_BUDDY) {
    const order = pageOf(pfn).privateLow;
    clearPage(pageOf(pfn));
    pfn += 1 << order;
  }
  return pfn;
}

function lastUsedFrame(): u32 {
  let last: u32 = FIRST_FREE_PFN - 1;
  for (let pfn: u32 = FIRST_FREE_PFN; pfn < kernel().endPfn; ) {
    const page = pageOf(pfn);
    if (page.flags == PG_BUDDY) {
      pfn += 1 << page.privateLow;
      continue;
    }
    if (page.flags != PG_RESERVED) last = pfn;
    pfn++;
  }
  return last;
}

/** Drops a pin; the last one frees the frame. */
export function putPage(pfn: u32): void {
  const page = pageOf(pfn);
  if (--page.refcount == 0) freePage(pfn);
}

/** Drops a pin each of contiguous frames. */
export function putPages(pfn: u32, nr: u32): void {
  let shared = false;
  for (let i: u32 = 0; i < nr; i++) if (pageOf(pfn + i).refcount > 1) shared = true;
  if (nr >= 16 && !shared) freePages(pfn, nr);
  else for (let i = nr; i > 0; i--) putPage(pfn + i - 1);
}

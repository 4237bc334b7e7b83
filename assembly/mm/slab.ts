// Slab caches (Linux: kmem_cache) for records of one size, and kmalloc() on top for strings.
//
//   slab = one frame | object | object | ... | rest |
//   free object      | next free object (u32) | zeros |
//
// A free object is zeros but for its link, so an object comes out all zeros and needs only what is not 0. Objects never
// handed out are not on the free list but counted (privateHigh), which spares a pass over a new slab. Slabs with room
// are on the cache's list; one that has become empty is kept, to spare a cache that breathes around a boundary, and a
// second one goes back to the frame allocator.
//
// Compare Linux mm/slub.c.
import {
  CACHE_KMALLOC_32, KERNEL_BLOCK, KERNEL_CACHES, KMALLOC_MAX, NR_CACHES, NR_KMALLOC, PAGE_SHIFT, PAGE_SIZE, PG_BUFFER,
  PG_SLAB, VM_SLABS_ALLOC, VM_SLABS_FREE,
} from "../abi";
import { countEvent } from "../kernel";
import { Page, pageAddress, pageOf, pfnOf } from "./page";
import { allocPages, faultInjected, freePage, freePages } from "./page-alloc";
import { PageList, listAddHead, listAddTail, listRemove } from "./page-list";
import { lowerFrame, noteFreedRecords } from "./record-frames";
import { keepsPromises } from "./reserve";

/** Objects of one size. */
// @ts-ignore: decorator
@unmanaged export class KmemCache {
  partialHead: u32; // PageList of slabs with room
  partialTail: u32;
  nrPartial: u32;
  reserved: u32;
  objectSize: u32; // bytes, a multiple of 32
  perSlab: u32;
  nrSlabs: u32;
  nrObjects: u32; // in use
}

/** Cache of a number (CACHE_*). */
// @ts-ignore: decorator
@inline export function cacheOf(id: u32): KmemCache {
  return changetype<KmemCache>(KERNEL_BLOCK + KERNEL_CACHES + (<usize>id << 5));
}

// @ts-ignore: decorator
@inline function partialList(cache: KmemCache): PageList {
  return changetype<PageList>(cache);
}

/** Sets up a cache of objects of `size` bytes. Precondition: its record is zeros. */
export function initCache(id: u32, size: u32): void {
  const cache = cacheOf(id);
  cache.objectSize = (size + 31) & ~31;
  cache.perSlab = PAGE_SIZE / cache.objectSize;
}

/** Takes an object of the cache, all zeros. @returns its address; 0 when memory is exhausted */
export function kmemCacheAlloc(id: u32): usize {
  if (faultInjected()) return 0;
  const cache = cacheOf(id);
  const pfn = cache.partialHead || newSlab(cache);
  if (!pfn) return 0;
  const page = pageOf(pfn);
  let object: usize = page.privateLow;
  if (object) {
    page.privateLow = load<u32>(object);
    store<u32>(object, 0);
  } else {
    object = pageAddress(pfn) + page.privateHigh * cache.objectSize;
    page.privateHigh++;
  }
  if (++page.index == cache.perSlab) listRemove(partialList(cache), pfn);
  cache.nrObjects++;
  return object;
}

/** Gives an object back to its cache. Precondition: nothing refers to it. */
export function kmemCacheFree(object: usize): void {
  const pfn = pfnOf(object);
  const page = pageOf(pfn);
  const cache = changetype<KmemCache>(<usize>page.mapping);
  if (DEBUG) assert(page.flags == PG_SLAB, "kmemCacheFree: not a slab object");
  if (DEBUG) assert(object != page.privateLow, "kmemCacheFree: object is free already");
  zeroObject(object, cache.objectSize);
  store<u32>(object, page.privateLow);
  page.privateLow = <u32>object;
  cache.nrObjects--;
  if (page.index == cache.perSlab) listAddHead(partialList(cache), pfn);
  if (--page.index == 0 && cache.nrPartial > 1) freeSlab(cache, pfn);
}

function newSlab(cache: KmemCache): u32 {
  const pfn = allocRecordPage();
  if (!pfn) return 0;
  const page = pageOf(pfn);
  memory.fill(pageAddress(pfn), 0, PAGE_SIZE);
  page.flags = PG_SLAB;
  page.mapping = <u32>changetype<usize>(cache);
  listAddHead(partialList(cache), pfn);
  cache.nrSlabs++;
  countEvent(VM_SLABS_ALLOC);
  return pfn;
}

/** Takes a frame for records, which leaves those alone that fallocate() has promised. @returns 0 when memory is exhausted */
function allocRecordPage(): u32 {
  return keepsPromises() ? lowerFrame(allocPages(0)) : 0;
}

function freeSlab(cache: KmemCache, pfn: u32): void {
  listRemove(partialList(cache), pfn);
  noteFreedRecords(pfn);
  cache.nrSlabs--;
  countEvent(VM_SLABS_FREE);
  freePage(pfn);
}

/** Fills an object with zeros. @param size bytes, a multiple of 32 */
// Inline stores: memory.fill leaves Wasm for a C function, which costs more than 20 stores.
// @ts-ignore: decorator
@inline export function zeroObject(object: usize, size: u32): void {
  for (let at = object, end = object + size; at < end; at += 32) {
    store<u64>(at, 0);
    store<u64>(at, 0, 8);
    store<u64>(at, 0, 16);
    store<u64>(at, 0, 24);
  }
}

/** Gives the empty slabs of all caches back (Linux kmem_cache_shrink). */
export function shrinkCaches(): void {
  for (let id: u32 = 0; id < NR_CACHES; id++) {
    const cache = cacheOf(id);
    let pfn = cache.partialHead;
    while (pfn) {
      const next = pageOf(pfn).lruNext;
      if (pageOf(pfn).index == 0) freeSlab(cache, pfn);
      pfn = next;
    }
  }
}

/** Takes `size` bytes, all zeros, aligned to 32. @param size 1 to KMALLOC_MAX @returns 0 when memory is exhausted */
export function kmalloc(size: u32): usize {
  if (size <= 2048) return kmemCacheAlloc(CACHE_KMALLOC_32 + kmallocClass(size));
  if (size > KMALLOC_MAX) return 0;
  const order = 32 - clz<u32>((size - 1) >> PAGE_SHIFT);
  const pfn = order ? allocPages(order) : allocRecordPage();
  if (!pfn) return 0;
  const nr: u32 = 1 << order;
  for (let i: u32 = 0; i < nr; i++) pageOf(pfn + i).flags = PG_BUFFER;
  pageOf(pfn).privateLow = order;
  memory.fill(pageAddress(pfn), 0, <usize>nr << PAGE_SHIFT);
  return pageAddress(pfn);
}

/** Gives back what kmalloc() gave. @param address not 0 */
export function kfree(address: usize): void {
  const pfn = pfnOf(address);
  const page = pageOf(pfn);
  if (page.flags & PG_SLAB) kmemCacheFree(address);
  else if (page.privateLow) freePages(pfn, 1 << page.privateLow);
  else freePage(pfn);
}

// @ts-ignore: decorator
@inline function kmallocClass(size: u32): u32 {
  return size <= 32 ? 0 : 27 - clz<u32>(size - 1);
}

/** Sorts free objects and partial slabs by address and gives empty slabs back: equal use then gives equal bytes. */
export function normalizeCaches(): void {
  shrinkCaches();
  for (let id: u32 = 0; id < NR_CACHES; id++) {
    const list = partialList(cacheOf(id));
    list.head = 0;
    list.tail = 0;
    list.count = 0;
  }
}

/** Second half of the above, called for each slab in ascending order. */
export function normalizeSlab(pfn: u32, page: Page): void {
  const cache = changetype<KmemCache>(<usize>page.mapping);
  sortFreeObjects(pfn, page, cache);
  if (page.index < cache.perSlab) listAddTail(partialList(cache), pfn);
  else {
    page.lruNext = 0;
    page.lruPrev = 0;
  }
}

/** Free objects ascending; those at the end of the slab are given back to the "never handed out" part. */
function sortFreeObjects(pfn: u32, page: Page, cache: KmemCache): void {
  let free0: u64 = 0; // one bit per object, 128 at the most
  let free1: u64 = 0;
  const base = pageAddress(pfn);
  let object: usize = page.privateLow;
  while (object) {
    const next: usize = load<u32>(object);
    store<u32>(object, 0);
    const i = <u32>((object - base) / cache.objectSize);
    if (i < 64) free0 |= (<u64>1) << i;
    else free1 |= (<u64>1) << (i - 64);
    object = next;
  }
  let top = page.privateHigh;
  while (top > 0 && ((top > 64 ? free1 >> (top - 65) : free0 >> (top - 1)) & 1)) top--;
  page.privateHigh = top;
  let head: u32 = 0;
  for (let i = top; i > 0; i--) {
    if (!((i > 64 ? free1 >> (i - 65) : free0 >> (i - 1)) & 1)) continue;
    const at = base + (i - 1) * cache.objectSize;
    store<u32>(at, head);
    head = <u32>at;
  }
  page.privateLow = head;
}

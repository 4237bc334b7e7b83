// Checks every invariant of memory (debug build): whatever is linked, counted or derived is worked out again from the
// primary records, frame by frame and object by object, without memory of its own.
//
// A broken invariant ends in abort() with its description. References that JavaScript holds by hand do not exist while
// this runs: it is called between calls, when only records hold references.
//
// Parts: frames, lists and slabs here; page indexes in verify-index.ts; names in verify-dcache.ts; who holds what, and
// how often, in verify-counts.ts. Compare SQLite sqlite3PcachePageSanity(), Linux CONFIG_DEBUG_VM.
import {
  AS_SWAPBACKED, AS_UNEVICTABLE, CACHE_CRED, CACHE_DENTRY, CACHE_FILE, CACHE_INODE, CACHE_KMALLOC_32, CACHE_MOUNT,
  CACHE_SUPER_BLOCK, CACHE_TASK, CACHE_XA_NODE, FIRST_FREE_PFN, KERNEL_BLOCK, KERNEL_HASH_DIR, KERNEL_CACHES,
  LAYOUT_MAGIC, LAYOUT_VERSION, MAX_ORDER, NR_CACHES, NR_HASH_DIR, NR_LRU_LISTS, NR_SLOTS, PAGE_DESCRIPTOR_BYTES, PAGE_SIZE,
  PG_ACTIVE, PG_BUDDY, PG_BUFFER, PG_HWPOISON, PG_LOCKED, PG_LRU, PG_PCP, PG_RESERVED, PG_SHARED, PG_SLAB, PG_SWAPBACKED, PG_SWAPCACHE, PG_TABLE, PG_UNEVICTABLE, PG_UPTODATE, PG_WRITEBACK,
  SECTION_DESCRIPTOR_FRAMES, SECTION_FRAMES, WASM_PAGE_FRAMES,
} from "../abi";
import { Dentry } from "../fs/dentry";
import { File } from "../fs/file";
import { findPage } from "../mm/filemap";
import { hostOf, Inode } from "../fs/inode";
import { AddressSpace } from "../mm/address-space";
import { isNil, kernel, ownerSlot } from "../kernel";
import { lruList, lruOf } from "../mm/lru";
import { Mount } from "../fs/mount";
import { Page, pageAddress, pageOf } from "../mm/page";
import { freeArea } from "../mm/page-alloc";
import { PageList } from "../mm/page-list";
import { cacheOf } from "../mm/slab";
import { SuperBlock } from "../fs/super";
import { Cred, Task } from "../fs/task";
import { verifyCounts } from "./verify-counts";
import { verifyDcache } from "./verify-dcache";
import { verifyIndexes } from "./verify-index";
import { verifyInodeCache } from "./verify-inode";
import { isMlocked, nrPinsOf } from "./verify-mmap";
import { XaNode } from "../mm/xarray";

const KINDS: u32 = PG_RESERVED | PG_BUDDY | PG_PCP | PG_SLAB | PG_TABLE | PG_BUFFER | PG_HWPOISON;

/** Checks everything. */
export function verifyAll(): void {
  const k = kernel();
  assert(k.magic == LAYOUT_MAGIC && k.layoutVersion == LAYOUT_VERSION, "kernel: not booted");
  assert(k.endPfn <= k.maxPfn && k.endPfn <= <u32>memory.size() * WASM_PAGE_FRAMES, "kernel: endPfn beyond memory");
  verifyFrames();
  for (let order: u32 = 0; order <= MAX_ORDER; order++) verifyList(freeArea(order), PG_BUDDY, order);
  for (let lru: u32 = 0; lru < NR_LRU_LISTS; lru++) verifyList(lruList(lru), PG_LRU, lru);
  verifyPcp();
  for (let id: u32 = 0; id < NR_CACHES; id++) verifyCache(id);
  verifyIndexes();
  verifyDcache();
  verifyInodeCache();
  verifyCounts();
}

// --- Frames -----------------------------------------------------------------------------------------------------------

/** Every frame has one use, and the use's own rules hold. */
function verifyFrames(): void {
  const k = kernel();
  let nrFree: u32 = 0;
  let nrFresh: u32 = 0;
  let nrTable: u32 = 0;
  let nrPoisoned: u32 = 0;
  let pfn: u32 = 0;
  while (pfn < k.endPfn) {
    const page = pageOf(pfn);
    const kind = page.flags & KINDS;
    assert((kind & (kind - 1)) == 0, "frame: more than one use");
    assert((kind == PG_RESERVED) == isReservedPfn(pfn), "frame: reserved where it should not be, or not where it should");
    let nr: u32 = 1;
    if (kind == PG_BUDDY) {
      nr = 1 << page.privateLow;
      nrFree += nr;
      if (page.privateHigh) nrFresh += nr;
      verifyBlock(pfn, page);
    } else if (kind == PG_PCP) nrFree++;
    else if (kind == PG_TABLE) nrTable++;
    else if (kind == PG_HWPOISON) nrPoisoned++;
    else if (kind == 0) verifyCachedPage(pfn, page);
    if (kind) verifyUncached(page, kind);
    pfn += nr;
  }
  assert(nrFree == k.nrFree, "frames: nrFree is not the number of free frames");
  assert(nrFresh == k.nrFresh, "frames: nrFresh is not the number of fresh frames");
  assert(nrPoisoned == k.nrPoisoned, "frames: broken ones are not as many as nrPoisoned says");
  assert(nrTable == nrHashTables() + nrInodeTables(), "frames: PG_TABLE frames and the hashes' pages differ in number");
}

// @ts-ignore: decorator
@inline function isReservedPfn(pfn: u32): bool {
  return pfn < FIRST_FREE_PFN || (pfn & (SECTION_FRAMES - 1)) < SECTION_DESCRIPTOR_FRAMES;
}

/** What holds for all frames outside of the page cache. */
function verifyUncached(page: Page, kind: u32): void {
  assert(page.flags == kind, "frame: page cache flags on a frame that is not cached");
  assert(kind == PG_SLAB || page.mapping == 0, "frame: a mapping, but no page of a file");
  const held = kind == PG_SLAB || kind == PG_TABLE || kind == PG_BUFFER;
  assert(held ? page.refcount >= 1 : page.refcount == 0, "frame: pins do not match its use");
}

/** A free block is aligned, as large as it says, nothing else, and has no free buddy to merge with. */
function verifyBlock(pfn: u32, page: Page): void {
  const order = page.privateLow;
  assert(order <= MAX_ORDER, "buddy: order too large");
  assert(page.privateHigh <= 1, "buddy: neither freed nor fresh");
  const nr: u32 = 1 << order;
  assert((pfn & (nr - 1)) == 0, "buddy: block is not aligned");
  assert(pfn + nr <= kernel().endPfn, "buddy: block ends beyond online memory");
  for (let i: u32 = 1; i < nr; i++) assert(isZero(changetype<usize>(pageOf(pfn + i)), PAGE_DESCRIPTOR_BYTES), "buddy: frame inside of a free block is in use");
  verifyLinks(freeArea(order), pfn, page);
  if (order == MAX_ORDER) return;
  const buddy = pageOf(pfn ^ nr);
  assert(buddy.flags != PG_BUDDY || buddy.privateLow != order, "buddy: two free buddies are not merged");
}

/** A frame of no other use belongs to a file. */
function verifyCachedPage(pfn: u32, page: Page): void {
  assert(page.refcount >= 1, "page: cached without a pin");
  if (page.flags & PG_SHARED) {
    verifySharedPage(pfn, page);
    return;
  }
  if (page.mapping == 0) { // it has left the cache while somebody reads or writes it
    const isHeld = (page.flags & (PG_LOCKED | PG_WRITEBACK)) != 0;
    assert(isHeld || nrPinsOf(pfn) != 0 || isMlocked(pfn), "frame: no owner");
    assert((page.flags & PG_LRU) == 0, "page: on a list, but of no file");
    return;
  }
  const mapping = changetype<AddressSpace>(<usize>page.mapping);
  assert(isObject(CACHE_INODE, changetype<usize>(hostOf(mapping))), "page: mapping is no inode's");
  assert(findPage(mapping, page.index) == pfn, "page: its index has another entry");
  assert(((page.flags & PG_UNEVICTABLE) != 0) == ((mapping.flags & AS_UNEVICTABLE) != 0), "page: unevictable unlike its file");
  assert(((page.flags & PG_SWAPBACKED) != 0) == ((mapping.flags & AS_SWAPBACKED) != 0), "page: swap-backed unlike its file");
  assert(!(page.flags & PG_UNEVICTABLE) || !(page.flags & PG_ACTIVE), "page: unevictable and active");
  if (page.flags & PG_LRU) verifyLinks(lruList(lruOf(page.flags)), pfn, page);
  else assert(page.lruNext == 0 && page.lruPrev == 0, "page: isolated, but linked");
}

/** A page of several files is of none, and unevictable; verify-index.ts counts who has it. */
function verifySharedPage(pfn: u32, page: Page): void {
  assert(page.mapping == 0 && page.privateLow == 0 && page.privateHigh == 0, "shared page: with a mapping, or something of its own");
  assert(page.index >= 1 && page.refcount >= page.index, "shared page: of nobody, or with fewer pins than files");
  const state = PG_UNEVICTABLE | PG_LRU | PG_UPTODATE;
  assert((page.flags & (state | PG_SWAPBACKED | PG_SWAPCACHE | PG_LOCKED | PG_WRITEBACK)) == state, "shared page: evictable, or in somebody's hands");
  verifyLinks(lruList(lruOf(page.flags)), pfn, page);
}

/** The frame's neighbours, or the list's ends, point back at it. */
function verifyLinks(list: PageList, pfn: u32, page: Page): void {
  assert((page.lruPrev ? pageOf(page.lruPrev).lruNext : list.head) == pfn, "list: previous frame points elsewhere");
  assert((page.lruNext ? pageOf(page.lruNext).lruPrev : list.tail) == pfn, "list: next frame points elsewhere");
}

/** A list holds what belongs on it, as many as it says. @param flag PG_BUDDY or PG_LRU @param which order, or list */
function verifyList(list: PageList, flag: u32, which: u32): void {
  let nr: u32 = 0;
  for (let pfn = list.head; pfn; pfn = pageOf(pfn).lruNext) {
    const page = pageOf(pfn);
    assert((page.flags & flag) != 0, "list: frame does not belong on it");
    assert((flag == PG_BUDDY ? page.privateLow : lruOf(page.flags)) == which, "list: frame belongs on another list");
    assert(flag != PG_BUDDY || !page.lruPrev || page.privateHigh >= pageOf(page.lruPrev).privateHigh, "list: a fresh block before a freed one");
    nr++;
    assert(nr <= list.count, "list: longer than its count");
  }
  assert(nr == list.count, "list: shorter than its count");
  assert(nr == nrFramesOn(flag, which), "list: frames that belong on it are missing");
}

function nrFramesOn(flag: u32, which: u32): u32 {
  let nr: u32 = 0;
  for (let pfn: u32 = 0; pfn < kernel().endPfn; pfn += stepAt(pfn)) {
    const page = pageOf(pfn);
    if (page.flags & flag && (flag == PG_BUDDY ? page.privateLow : lruOf(page.flags)) == which) nr++;
  }
  return nr;
}

/** Frames from one frame in use, or free block, to the next. */
// @ts-ignore: decorator
@inline function stepAt(pfn: u32): u32 {
  const page = pageOf(pfn);
  return page.flags == PG_BUDDY ? 1 << page.privateLow : 1;
}

function verifyPcp(): void {
  const k = kernel();
  let nr: u32 = 0;
  for (let pfn = k.pcpHead; pfn; pfn = pageOf(pfn).lruNext) {
    assert(pageOf(pfn).flags == PG_PCP, "pcp: frame does not belong on it");
    nr++;
    assert(nr <= k.pcpCount, "pcp: longer than its count");
  }
  assert(nr == k.pcpCount, "pcp: shorter than its count");
  for (let pfn: u32 = 0; pfn < k.endPfn; pfn += stepAt(pfn)) if (pageOf(pfn).flags & PG_PCP) nr--;
  assert(nr == 0, "pcp: frames that belong on it are missing");
}

/** Pages of the hash: directories and segments. */
function nrHashTables(): u32 {
  const k = kernel();
  let nr: u32 = 0;
  for (let i: u32 = 0; i < NR_HASH_DIR; i++) {
    const directory: usize = load<u32>(KERNEL_BLOCK + KERNEL_HASH_DIR + (<usize>i << 2));
    assert((directory != 0) == (k.nrBuckets > i << 20), "hash: directory missing or left over");
    if (!directory) continue;
    nr++;
    for (let n: u32 = 0; n < 1024; n++) {
      const segment = load<u32>(directory + (<usize>n << 2));
      assert((segment != 0) == (k.nrBuckets > (i << 20) + (n << 10)), "hash: segment missing or left over");
      if (segment) nr++;
    }
  }
  return nr;
}

/** Pages of the inode cache: its directory and segments. */
function nrInodeTables(): u32 {
  const k = kernel();
  if (!k.inodeHash) return 0;
  let nr: u32 = 1;
  for (let n: u32 = 0; n < 1024; n++) {
    const segment = load<u32>(k.inodeHash + (<usize>n << 2));
    assert((segment != 0) == (k.nrInodeBuckets > n << 10), "inode cache: segment missing or left over");
    if (segment) nr++;
  }
  return nr;
}

/** True if `bytes` bytes from `start` on are all zeros. */
export function isZero(start: usize, bytes: usize): bool {
  let at = start;
  const end = start + bytes;
  while (at < end && at & 7) if (load<u8>(at++)) return false;
  while (at + 8 <= end) {
    if (load<u64>(at)) return false;
    at += 8;
  }
  while (at < end) if (load<u8>(at++)) return false;
  return true;
}

// --- Slabs ------------------------------------------------------------------------------------------------------------

/** Counts of a cache, its list of partial slabs, and each slab. */
function verifyCache(id: u32): void {
  const cache = cacheOf(id);
  let nrSlabs: u32 = 0;
  let nrObjects: u32 = 0;
  let nrPartial: u32 = 0;
  for (let pfn: u32 = 0; pfn < kernel().endPfn; pfn += stepAt(pfn)) {
    const page = pageOf(pfn);
    if (page.flags != PG_SLAB || page.mapping != <u32>changetype<usize>(cache)) continue;
    verifySlab(id, pfn, page);
    nrSlabs++;
    nrObjects += page.index;
    if (page.index == cache.perSlab) assert(page.lruNext == 0 && page.lruPrev == 0, "slab: full, but linked");
    else {
      nrPartial++;
      verifyLinks(changetype<PageList>(cache), pfn, page);
    }
  }
  assert(nrSlabs == cache.nrSlabs, "cache: nrSlabs is wrong");
  assert(nrObjects == cache.nrObjects, "cache: nrObjects is wrong");
  assert(nrPartial == cache.nrPartial, "cache: nrPartial is wrong");
  for (let pfn = cache.partialHead; pfn; pfn = pageOf(pfn).lruNext) nrPartial--;
  assert(nrPartial == 0, "cache: the list of partial slabs misses some");
}

/** Objects in use, free and never handed out make up the slab; what is not in use is zeros. */
function verifySlab(id: u32, pfn: u32, page: Page): void {
  const cache = cacheOf(id);
  const base = pageAddress(pfn);
  assert(page.privateHigh <= cache.perSlab, "slab: more objects handed out than there are");
  const end = base + page.privateHigh * cache.objectSize;
  let nrUnused: u32 = 0;
  for (let object: usize = page.privateLow; object; object = load<u32>(object)) {
    assert(object >= base && object < end && (object - base) % cache.objectSize == 0, "slab: free list leads astray");
    assert(isZero(object + 4, cache.objectSize - 4), "slab: free object is not zeros");
    nrUnused++;
    assert(nrUnused <= page.privateHigh, "slab: free list is a ring");
  }
  assert(page.index + nrUnused == page.privateHigh, "slab: objects in use are miscounted");
  assert(isZero(end, base + PAGE_SIZE - end), "slab: bytes behind the last object were written");
  if (id >= CACHE_KMALLOC_32) return;
  let nrLive: u32 = 0;
  for (let object = base; object < end; object += cache.objectSize) if (isLive(id, object) || isSpareFile(object)) nrLive++;
  assert(nrLive == page.index, "slab: an object in use is empty");
}

/** True for a file that waits for an open: in use, though all zeros. */
function isSpareFile(object: usize): bool {
  for (let i: u32 = 0; i < NR_SLOTS; i++) {
    const slot = ownerSlot(i);
    if (!isNil(slot) && changetype<usize>(slot.spareFile) == object) return isZero(object, offsetof<File>());
  }
  return false;
}

/** True for an object in use: each record has a field, not its first, that is 0 in free objects alone. */
function isLive(id: u32, object: usize): bool {
  if (id == CACHE_INODE) return !isNil(changetype<Inode>(object).sb);
  if (id == CACHE_DENTRY) return !isNil(changetype<Dentry>(object).parent);
  if (id == CACHE_FILE) return !isNil(changetype<File>(object).inode);
  if (id == CACHE_XA_NODE) return changetype<XaNode>(object).count != 0;
  if (id == CACHE_SUPER_BLOCK) return changetype<SuperBlock>(object).blockSize != 0;
  if (id == CACHE_MOUNT) return !isNil(changetype<Mount>(object).root);
  if (id == CACHE_TASK) return !isNil(changetype<Task>(object).rootMount);
  const cred = changetype<Cred>(object);
  return id == CACHE_CRED && (cred.uid != 0 || cred.caps != 0);
}

/** True if `address` is an object in use of the cache. */
export function isObject(id: u32, address: usize): bool {
  const cache = cacheOf(id);
  const pfn = <u32>(address >> 12);
  if (pfn < FIRST_FREE_PFN || pfn >= kernel().endPfn) return false;
  const page = pageOf(pfn);
  if (page.flags != PG_SLAB || page.mapping != <u32>changetype<usize>(cache)) return false;
  const offset = address & (PAGE_SIZE - 1);
  return offset % cache.objectSize == 0 && offset / cache.objectSize < page.privateHigh && isLive(id, address);
}

/** True if `address` was given by kmalloc() and not freed, as far as can be told. */
export function isKmalloced(address: usize): bool {
  const page = pageOf(<u32>(address >> 12));
  if (page.flags == PG_BUFFER) return (address & (PAGE_SIZE - 1)) == 0;
  const first = KERNEL_BLOCK + KERNEL_CACHES + (CACHE_KMALLOC_32 << 5);
  return page.flags == PG_SLAB && page.mapping >= first;
}

/**
 * Steps through the objects of a cache that are in use, in ascending order.
 *
 * @param after address of the object before, 0 = start
 * @returns address of the next one, 0 = no more
 */
export function nextObject(id: u32, after: usize): usize {
  const cache = cacheOf(id);
  let pfn: u32 = after ? <u32>(after >> 12) : FIRST_FREE_PFN;
  let object = after ? after + cache.objectSize : pageAddress(pfn);
  while (pfn < kernel().endPfn) {
    const page = pageOf(pfn);
    if (page.flags == PG_SLAB && page.mapping == <u32>changetype<usize>(cache)) {
      const end = pageAddress(pfn) + page.privateHigh * cache.objectSize;
      for (; object < end; object += cache.objectSize) if (isLive(id, object)) return object;
    }
    pfn += stepAt(pfn);
    object = pageAddress(pfn);
  }
  return 0;
}

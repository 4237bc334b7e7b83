/**
 * Pages of mappings: how a program comes to one (fault), gets a copy of its own (copy on write), and loses it (zap).
 *
 *   entry of the page table ─► still true? ──yes──► the frame
 *                                 │ no
 *                                 ▼
 *   read        fault ─► entry, and of cached neighbours (map_pages)
 *   write       shared:  fault ─► page_mkwrite ─► entry that may be written by, until the page is written back (rmap.ts)
 *               private: fault ─► copy; from then on the file's page is not looked at
 *
 * All of it may be called again after -EAGAIN: what has been reached is found again.
 *
 * Does not own: where pages come from (filemap-fault.ts, vfs/mmap.ts), how many may be locked (gup.ts).
 *
 * @see Linux mm/memory.c handle_mm_fault(), do_fault(), wp_page_copy(), unmap_mapping_range()
 */
import { EAGAIN, EFAULT, ENOMEM } from "../base/errno.ts";
import type { InodeHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import {
  INODE_SIZE,
  KERNEL_BLOCK,
  KERNEL_VMSTAT,
  PAGE_SIZE,
  PG_DIRTY,
  PG_READAHEAD,
  PG_SHARED,
  PG_UPTODATE,
  PTE_ANON,
  PTE_LOCKED,
  PTE_PINNED,
  PTE_PRESENT,
  PTE_WRITE,
  VM_PGFAULT,
  VM_PGMAJFAULT,
  VM_SHARED,
} from "../wasm/layout.ts";
import { type PageCache, TRY_AGAIN } from "./address-space.ts";
import { accountLocked } from "./gup.ts";
import { pageFlags } from "./page.ts";
import { setPageDirty } from "./page-dirty.ts";
import { areasOf, pteFrame, type VmArea, vmAreas } from "./vm-area.ts";
import type { VmFault, VmOperations } from "./vm-operations.ts";

const EVENTS = (KERNEL_BLOCK + KERNEL_VMSTAT) >>> 3;
/** Pages around one that is read which are mapped with it, aligned. @see Linux fault_around_bytes */
const FAULT_AROUND = 16;

function pteOf(pfn: number, flags: number): number {
  return pfn * PAGE_SIZE + (flags | PTE_PRESENT);
}

/** A store has been asked for a page that a program has come to. */
export function countMajorFault({ f64 }: Core): void {
  f64[EVENTS + VM_PGMAJFAULT]++;
}

/**
 * Finds the page of a mapping for a load or a store.
 *
 * @param i page of the mapping
 * @returns its frame, which stays where it is until the next call into the core that may reclaim; as VmOperations.fault(),
 *   and as pageMkwrite()
 */
export function handleMmFault(
  cache: PageCache,
  operations: VmOperations,
  area: VmArea,
  i: number,
  isWrite: boolean,
): number {
  return mappedFrame(area, i, isWrite) || doFault(cache, operations, area, i, isWrite);
}

/** The frame of a page that is mapped, for a load or a store; 0 = there would be a fault. */
export function mappedFrame(area: VmArea, i: number, isWrite: boolean): number {
  const known = knownFrame(area, i, isWrite);
  if (known !== 0 && !(area.pte(i) & PTE_ANON)) area.core.x.markPageAccessed(known);
  return known;
}

/** The frame that an entry stands for, if it may be used for this; 0 = there is a fault. */
function knownFrame(area: VmArea, i: number, isWrite: boolean): number {
  const { core } = area;
  const entry = area.pte(i);
  const pfn = pteFrame(entry);
  if (pfn === 0 || entry & PTE_ANON) return pfn;
  if (core.x.findPage(area.inode, area.pgoff + i) !== pfn || isBehindEnd(area, i)) return 0;
  const flags = pageFlags(core, pfn);
  if (!(flags & PG_UPTODATE)) return 0;
  if (!isWrite) return pfn;
  return entry & PTE_WRITE && (flags & (PG_DIRTY | PG_SHARED)) === PG_DIRTY ? pfn : 0;
}

/** Has the file no byte of the page? */
function isBehindEnd({ core, inode, pgoff }: VmArea, i: number): boolean {
  return (pgoff + i) * PAGE_SIZE >= core.f64[(inode << 2) + INODE_SIZE];
}

function doFault(cache: PageCache, operations: VmOperations, area: VmArea, i: number, isWrite: boolean): number {
  const { core } = cache;
  if (isBehindEnd(area, i)) return -EFAULT;
  const room = withRoom(cache, () => (area.allocPte(i) ? 0 : -ENOMEM));
  if (room < 0) return room;
  const fault: VmFault = { file: area.file, inode: area.inode, index: area.pgoff + i };
  const found = operations.fault(cache, fault);
  if (found < 0) return found;
  const isShared = (area.flags & VM_SHARED) !== 0;
  if (!isWrite) mapPage(area, i, found, 0);
  else if (!isShared) {
    const copied = copyOnWrite(cache, area, i, found);
    if (copied < 0) return copied;
  } else {
    const rc = operations.pageMkwrite?.(cache, fault) ?? 0;
    if (rc < 0) return rc;
    const pfn = core.x.findPage(area.inode, fault.index);
    const isThere = pfn !== 0 && (pageFlags(core, pfn) & PG_UPTODATE) !== 0;
    if (!isThere) return doFault(cache, operations, area, i, isWrite); // somebody has cut the file in the midst
    setPageDirty(cache, area.inode, pfn); // it may have been written back already, by who had dirtied too much
    mapPage(area, i, pfn, PTE_WRITE);
  }
  core.f64[EVENTS + VM_PGFAULT]++;
  const pfn = pteFrame(area.pte(i));
  if (!(area.pte(i) & PTE_ANON)) core.x.markPageAccessed(pfn);
  if (!isWrite && operations.mapPages) mapAround(area, i);
  return pfn;
}

/** @returns the frame of the copy; -ENOMEM; -EAGAIN with a token */
function copyOnWrite(cache: PageCache, area: VmArea, i: number, from: number): number {
  const { core } = cache;
  core.x.getPage(from); // to make room may be to reclaim it
  const copy = withRoom(cache, () => core.x.allocBuffer(0) || -ENOMEM);
  if (copy > 0) {
    core.u8.copyWithin(copy * PAGE_SIZE, from * PAGE_SIZE, (from + 1) * PAGE_SIZE);
    mapPage(area, i, copy, PTE_ANON | PTE_WRITE);
  }
  core.x.putPage(from);
  return copy;
}

/** Makes room where there is no memory, until there is, or there is none to be had. */
function withRoom(cache: PageCache, attempt: () => number): number {
  for (;;) {
    const rc = attempt();
    if (rc >= 0 || rc === -EAGAIN) return rc;
    const room = cache.room(rc);
    if (room !== TRY_AGAIN) return room;
  }
}

/** Has an entry stand for a frame: what it stood for before goes, and one that is locked pins it. */
function mapPage(area: VmArea, i: number, pfn: number, flags: number): void {
  const { core } = area;
  const before = area.pte(i);
  const isLocked = (before & PTE_LOCKED) !== 0;
  if (isLocked) core.x.getPage(pfn);
  zapEntry(area, i);
  area.setPte(i, pteOf(pfn, flags | (isLocked ? PTE_LOCKED | PTE_PINNED : 0)));
}

/** What an entry stands for goes; it stays locked. */
function zapEntry(area: VmArea, i: number): void {
  const entry = area.pte(i);
  const pfn = pteFrame(entry);
  if (pfn === 0) return;
  area.setPte(i, entry & PTE_LOCKED);
  if (entry & PTE_ANON) area.core.x.putPage(pfn);
  if (entry & PTE_PINNED) area.core.x.putPage(pfn);
}

/** Maps the cached neighbours of a page, of which no program has to have come to one. @see Linux do_fault_around(), filemap_map_pages() */
function mapAround(area: VmArea, at: number): void {
  const { core } = area;
  const first = Math.max(0, at - ((area.pgoff + at) % FAULT_AROUND));
  const last = Math.min(area.nrPages, first + FAULT_AROUND) - 1;
  for (let i = first; i <= last; i++) {
    if (area.pte(i) !== 0 || isBehindEnd(area, i)) continue;
    const pfn = core.x.findPage(area.inode, area.pgoff + i);
    // One with the marker is to be come to, so that the next window is read.
    const isReady = pfn !== 0 && (pageFlags(core, pfn) & (PG_UPTODATE | PG_READAHEAD)) === PG_UPTODATE;
    if (isReady && area.allocPte(i)) mapPage(area, i, pfn, 0);
  }
}

// --- Locked pages -------------------------------------------------------------------------------------------------------

/** Marks the entry of a page as locked: what is there now is pinned, and what comes. @returns -ENOMEM; 0 */
export function lockEntry(area: VmArea, i: number): number {
  if (!area.allocPte(i)) return -ENOMEM;
  const entry = area.pte(i);
  if (entry & PTE_LOCKED) return 0;
  const pfn = pteFrame(entry);
  if (pfn !== 0) area.core.x.getPage(pfn);
  area.setPte(i, entry | PTE_LOCKED | (pfn === 0 ? 0 : PTE_PINNED));
  area.nrLocked++;
  return 0;
}

/** Undoes lockEntry(); the page stays mapped. The caller counts. */
export function unlockEntry(area: VmArea, i: number): void {
  const entry = area.pte(i);
  if (!(entry & PTE_LOCKED)) return;
  area.setPte(i, entry & ~(PTE_LOCKED | PTE_PINNED));
  if (entry & PTE_PINNED) area.core.x.putPage(pteFrame(entry));
  area.nrLocked--;
}

// --- Pages that go --------------------------------------------------------------------------------------------------------

/** A mapping goes, with all that it holds but the file. */
export function dropArea(area: VmArea): void {
  for (const i of area.entries(0, area.nrPages - 1)) zapEntry(area, i);
  accountLocked(area.core, -area.nrLocked);
  area.free();
}

/**
 * Pages of a file from `first` to `last` have been cut: no mapping has them any more, nor a private copy of them.
 *
 * @see Linux unmap_mapping_range(), with even_cows
 */
export function unmapMappingRange(core: Core, inode: InodeHandle, first: number, last: number): void {
  for (const area of areasOf(core, inode)) {
    const from = Math.max(0, first - area.pgoff);
    const to = Math.min(area.nrPages - 1, last - area.pgoff);
    for (const i of area.entries(from, to)) zapEntry(area, i);
  }
}

// --- Counts ---------------------------------------------------------------------------------------------------------------

/** Pages of mappings, as /proc/meminfo and /proc/vmstat count them. */
export interface MmCounts {
  /** Of files, each once. */
  nrMapped: number;
  /** Private copies. */
  nrAnon: number;
  /** Pinned by mlock(). */
  nrMlock: number;
  /** Frames of page tables. */
  nrPageTables: number;
}

/** Counts them: it walks all page tables. */
export function mmCounts(core: Core): MmCounts {
  const mapped = new Set<number>();
  const locked = new Set<number>();
  let nrAnon = 0;
  let nrPageTables = 0;
  for (const area of vmAreas(core)) {
    nrPageTables += area.nrTables;
    for (const i of area.entries(0, area.nrPages - 1)) {
      const entry = area.pte(i);
      const pfn = knownFrame(area, i, false);
      if (pfn === 0) continue;
      if (entry & PTE_ANON) nrAnon++;
      else mapped.add(pfn);
      if (entry & PTE_PINNED) locked.add(pfn);
    }
  }
  return { nrMapped: mapped.size, nrAnon, nrMlock: locked.size, nrPageTables };
}

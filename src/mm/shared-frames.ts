/**
 * Frames that are a page of several files at once: how they come about, and what walks from frames to files must do for them, since
 * there is no way back from such a frame (assembly/mm/shared-frame.ts). All files are looked at that may have some (AS_SHARED).
 *
 * Part of what file systems with a store bring with them: the core alone knows how to write to such pages, and to let go of them.
 *
 * Does not own: which pages are to be shared (clone-range.ts).
 */
import type { InodeHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import {
  AS_SHARED,
  FIRST_FREE_PFN,
  INODE_SB_NEXT,
  INODE_XA_FLAGS,
  KERNEL_BLOCK,
  KERNEL_END_PFN,
  PAGE_BYTES,
  PAGE_FLAGS,
  PAGE_INDEX,
  PAGE_MAPPING,
  PAGE_PRIVATE_HIGH,
  PAGE_PRIVATE_LOW,
  PAGE_REFCOUNT,
  PAGE_SIZE,
  PG_DIRTY,
  PG_LOCKED,
  PG_LRU,
  PG_PRIVATE,
  PG_REFERENCED,
  PG_SHARED,
  PG_SWAPCACHE,
  PG_UNEVICTABLE,
  PG_UPTODATE,
  PG_WRITEBACK,
  SUPER_BLOCK_INODES,
} from "../wasm/layout.ts";
import { nextFree, takeFreeFrame } from "./frames.ts";
import { lruAdd, lruRemove } from "./lru-list.ts";
import { fieldOf, pageFlags, pagePins } from "./page.ts";
import { eachData, eachLeaf } from "./page-index.ts";
import { LAST_INDEX } from "./page-state.ts";
import { forgetSlot } from "./swap-out.ts";
import { swapOf } from "./swap-state.ts";

/** Is a frame a page of several files, or has it been? */
export function isShared(core: Core, pfn: number): boolean {
  return (pageFlags(core, pfn) & PG_SHARED) !== 0;
}

/** Files that have the shared page in a frame. */
export function nrSharers({ u32 }: Core, pfn: number): number {
  return u32[fieldOf(pfn, PAGE_INDEX)];
}

/** Can a page be shared as it is? Not one that somebody may be writing to, or has the address of. */
export function isSharable(core: Core, pfn: number): boolean {
  const flags = pageFlags(core, pfn);
  if (flags & PG_SHARED) return true;
  return pagePins(core, pfn) === 1 && (flags & (PG_LRU | PG_LOCKED | PG_PRIVATE | PG_WRITEBACK)) === PG_LRU;
}

/** One more file has a page. Precondition: isSharable(), of a file in memory. */
export function sharePage(core: Core, pfn: number): void {
  const { u32 } = core;
  const at = fieldOf(pfn, 0);
  if (!(u32[at + PAGE_FLAGS] & PG_SHARED)) startSharing(core, pfn);
  u32[at + PAGE_INDEX]++;
  u32[at + PAGE_REFCOUNT]++;
}

function startSharing(core: Core, pfn: number): void {
  const { u32 } = core;
  const at = fieldOf(pfn, 0);
  if (u32[at + PAGE_FLAGS] & PG_SWAPCACHE) forgetSlot(core, swapOf(core), pfn);
  if (!(u32[at + PAGE_FLAGS] & PG_UNEVICTABLE)) {
    lruRemove(core, pfn);
    u32[at + PAGE_FLAGS] = PG_UNEVICTABLE;
    lruAdd(core, pfn);
  }
  u32[at + PAGE_FLAGS] = PG_SHARED | PG_UNEVICTABLE | PG_LRU | PG_UPTODATE | PG_DIRTY | PG_REFERENCED;
  u32[at + PAGE_MAPPING] = 0;
  u32[at + PAGE_INDEX] = 1;
  u32[at + PAGE_PRIVATE_LOW] = 0;
}

/** A page leaves one of its files, or the only one; a pin with it. The index is the caller's, and counts. */
export function dropPage(core: Core, pfn: number): void {
  const { u32 } = core;
  const at = fieldOf(pfn, 0);
  const flags = u32[at + PAGE_FLAGS];
  if (flags & PG_SWAPCACHE) forgetSlot(core, swapOf(core), pfn);
  if (!(flags & PG_SHARED) || --u32[at + PAGE_INDEX] === 0) {
    if (flags & PG_LRU) lruRemove(core, pfn);
    u32[at + PAGE_FLAGS] &= ~(PG_DIRTY | PG_SHARED | PG_UNEVICTABLE);
    u32[at + PAGE_MAPPING] = 0;
  }
  core.x.putPage(pfn);
}

/** Files that may have shared pages. */
export function* inodesThatShare({ u32, x }: Core): Generator<InodeHandle> {
  for (let sb = x.superFirst(); sb !== 0; sb = x.superNext(sb as never)) {
    let at = u32[(sb << 3) + SUPER_BLOCK_INODES] >>> 5;
    while (at !== 0) {
      if (u32[(at << 3) + INODE_XA_FLAGS] & AS_SHARED) yield at as InodeHandle;
      at = u32[(at << 3) + INODE_SB_NEXT] >>> 5;
    }
  }
}

/**
 * Pages that one file alone has are its own again, and can go to swap areas. One that is lent counts as a block then, if there may be one more.
 *
 * @returns how many
 */
export function reclaimSharing(core: Core): number {
  let nr = 0;
  for (const inode of inodesThatShare(core)) {
    eachData(core, inode, 0, LAST_INDEX, (index, entry) => {
      const pfn = entry >>> 2;
      const isLast = (entry & 3) === 0 && isShared(core, pfn) && nrSharers(core, pfn) === 1;
      if (isLast && core.x.ownPage(inode, index) > 0) nr++;
      return true;
    });
  }
  return nr;
}

// --- Compaction ---------------------------------------------------------------------------------------------------------

/**
 * Moves shared pages from the end of memory to free frames at its start. First all go, and leave behind where to; then the indexes of all
 * files that may have them follow, in one pass, and their frames are free.
 *
 * @returns how many have moved
 */
export function migrateSharedPages(core: Core): number {
  const end = core.u32[(KERNEL_BLOCK >>> 2) + KERNEL_END_PFN];
  const moved: number[] = [];
  let to = nextFree(core, FIRST_FREE_PFN, end);
  for (let from = end - 1; to >= 0 && from > to; from--) {
    if (!isShared(core, from) || pagePins(core, from) !== nrSharers(core, from)) continue;
    if (!takeFreeFrame(core, to)) break;
    moveTo(core, from, to);
    moved.push(from);
    to = nextFree(core, to + 1, from);
  }
  if (moved.length === 0) return 0;
  for (const inode of inodesThatShare(core)) follow(core, inode);
  for (const pfn of moved) {
    core.u32.fill(0, fieldOf(pfn, 0), fieldOf(pfn, 0) + PAGE_BYTES / 4);
    core.x.freePages(pfn, 1);
  }
  return moved.length;
}

/** The page is in another frame from now on, and its old one says in which. */
function moveTo(core: Core, from: number, to: number): void {
  const { u32, u8 } = core;
  const source = fieldOf(from, 0);
  const target = fieldOf(to, 0);
  u8.copyWithin(to * PAGE_SIZE, from * PAGE_SIZE, (from + 1) * PAGE_SIZE);
  const flags = u32[source + PAGE_FLAGS];
  lruRemove(core, from);
  u32[source + PAGE_PRIVATE_HIGH] = to;
  u32[target + PAGE_FLAGS] = flags & ~PG_LRU;
  u32[target + PAGE_INDEX] = u32[source + PAGE_INDEX];
  u32[target + PAGE_REFCOUNT] = u32[source + PAGE_REFCOUNT];
  lruAdd(core, to);
}

function follow(core: Core, inode: InodeHandle): void {
  eachLeaf(core, inode, 0, LAST_INDEX, (_, first, nr) => {
    const { u32 } = core;
    for (let at = first; at < first + nr; at++) {
      const entry = u32[at];
      if (entry === 0 || (entry & 3) !== 0 || !isShared(core, entry >>> 2)) continue;
      const to = u32[fieldOf(entry >>> 2, PAGE_PRIVATE_HIGH)];
      if (to !== 0) u32[at] = to << 2;
    }
    return true;
  });
}

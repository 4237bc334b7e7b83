/**
 * Reclaim of what the core cannot drop by itself: dirty pages are written back, file systems that want to be asked let
 * their pages go, and pages of memory go to swap areas.
 *
 *   core finds no frame (assembly/mm/reclaim.ts) ─► -ENOMEM or -ENOSPC, nothing has changed ─► shrinkPages() ─► tried again
 *
 * Stores that answer at once have written by then. Of one that takes time the call waits for what is on its way, if it may
 * wait; else it is -EAGAIN, and not the end of memory.
 *
 * @see Linux mm/vmscan.c shrink_folio_list(), do_try_to_free_pages()
 */
import type { InodeHandle } from "../base/handles.ts";
import { type Core, SLOT } from "../wasm/core.ts";
import {
  AS_FREE_PAGE,
  INODE_XA_FLAGS,
  INODE_XA_HEAD,
  KERNEL_BLOCK,
  KERNEL_LRU_LISTS,
  KERNEL_NR_DIRTY,
  KERNEL_NR_FREE,
  KERNEL_VMSTAT,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_FILE,
  PAGE_INDEX,
  PAGE_LIST_BYTES,
  PAGE_LIST_TAIL,
  PAGE_LRU_PREV,
  PAGE_MAPPING,
  PG_DIRTY,
  PG_PRIVATE,
  PG_WRITEBACK,
  SLOT_FLAGS,
  SLOT_MEMALLOC,
  VM_SLABS_FREE,
} from "../wasm/layout.ts";
import type { AddressSpaceOperations, PageCache } from "./address-space.ts";
import type { BackingDevice } from "./backing-dev.ts";
import { callOut } from "./call-out.ts";
import { writebackInodes } from "./flusher.ts";
import { invalidateMappingPages } from "./invalidate.ts";
import { fieldOf, isTruncated, PageAt, pageFlags } from "./page.ts";
import { reclaimSharing } from "./shared-frames.ts";
import { swapOut } from "./swap-out.ts";
import { swapIfAny } from "./swap-state.ts";

const KERNEL = KERNEL_BLOCK >>> 2;
const SLABS_FREED = ((KERNEL_BLOCK + KERNEL_VMSTAT) >>> 3) + VM_SLABS_FREE;
/** Pages let go, or looked at for that, in a turn. */
const NR_WANTED = 32;
const NR_SCANNED = 256;
/** Pages written in a turn: neighbours go together. */
const NR_WRITTEN = 1024;

/** What reclaim needs of the kernel above. */
export interface ReclaimHost extends PageCache {
  /** Backing devices, by whatever they are known. */
  readonly bdis: ReadonlyMap<unknown, BackingDevice>;
  tableOf(inode: InodeHandle): { readonly mapping: AddressSpaceOperations };
}

const reclaiming = new WeakSet<object>();

/**
 * Has pages let go and written, until frames are free.
 *
 * @returns true when there are; false too for what is done in the midst of it, which has to do with what there is
 */
export function shrinkPages(host: ReclaimHost): boolean {
  if (reclaiming.has(host.owner)) return false;
  reclaiming.add(host.owner);
  host.core.u32[SLOT + SLOT_FLAGS] |= SLOT_MEMALLOC;
  try {
    return host.nested(() => letGo(host) > 0 || writeBack(host) || swapOutAll(host.core));
  } finally {
    host.core.u32[SLOT + SLOT_FLAGS] &= ~SLOT_MEMALLOC;
    reclaiming.delete(host.owner);
  }
}

/** Sends pages to swap areas, in the end those that only one file has left of them. */
function swapOutAll(core: Core): boolean {
  if (swapOut(core)) return true;
  const state = swapIfAny(core);
  if (state === undefined || state.areas.length === 0 || state.writes.size > 0) return false;
  return reclaimSharing(core) > 0 && swapOut(core);
}

/** What devices are writing now: when it is over, there may be frames. */
export function writesUnderWay({ bdis, core }: ReclaimHost): Promise<void> | undefined {
  const writes = [...bdis.values()].flatMap((bdi) => bdi.writesOf() ?? []);
  writes.push(...(swapIfAny(core)?.writes ?? []));
  return writes.length === 0 ? undefined : Promise.race(writes);
}

/** Asks for the oldest pages those who want to be asked. @returns how many have gone */
function letGo(host: ReclaimHost): number {
  let nr = 0;
  for (const page of [...pagesToAskFor(host.core)]) {
    const operations = host.tableOf(page.inode).mapping;
    if (!isInUse(host, operations, page))
      nr += invalidateMappingPages(host, operations, page.inode, page.index, page.index);
    if (nr >= NR_WANTED) break;
  }
  return nr;
}

/** Has the file system marks of its own that the page is dirty, or on its way? */
function isInUse(host: ReclaimHost, { isDirtyWriteback }: AddressSpaceOperations, page: PageAt): boolean {
  if (isDirtyWriteback === undefined || isTruncated(host.core, page.pfn)) return false;
  const state = { isDirty: false, isWriteback: false };
  callOut(host, (seen) => isDirtyWriteback(seen, page, state));
  return state.isDirty || state.isWriteback;
}

/** Of the oldest pages those that only their file system can let go. */
function* pagesToAskFor(core: Core): Generator<PageAt> {
  const { u32 } = core;
  for (const list of [LRU_INACTIVE_FILE, LRU_ACTIVE_FILE]) {
    let pfn = u32[KERNEL + ((KERNEL_LRU_LISTS + list * PAGE_LIST_BYTES) >>> 2) + PAGE_LIST_TAIL];
    for (let n = 0; pfn !== 0 && n < NR_SCANNED; n++) {
      const inode = ((u32[fieldOf(pfn, PAGE_MAPPING)] - 4 * INODE_XA_HEAD) >>> 5) as InodeHandle;
      const flags = pageFlags(core, pfn);
      const isAskedFor = (flags & PG_PRIVATE) !== 0 || (u32[(inode << 3) + INODE_XA_FLAGS] & AS_FREE_PAGE) !== 0;
      const isClean = !(flags & (PG_DIRTY | PG_WRITEBACK));
      if (isAskedFor && isClean) yield new PageAt(core, inode, u32[fieldOf(pfn, PAGE_INDEX)], pfn);
      pfn = u32[fieldOf(pfn, PAGE_LRU_PREV)];
    }
  }
}

/** Has the oldest dirty files written. @returns whether frames have come free */
function writeBack(host: ReclaimHost): boolean {
  const { core } = host;
  const enough = core.u32[KERNEL + KERNEL_NR_DIRTY] - NR_WRITTEN;
  const isEnough = (): boolean => core.u32[KERNEL + KERNEL_NR_DIRTY] <= enough;
  for (const bdi of host.bdis.values()) {
    if (isEnough()) break;
    if (bdi.host.isFrozen()) continue;
    writebackInodes(bdi, { olderThanCs: undefined, nrPages: NR_WRITTEN, forBackground: true, isEnough });
  }
  return reclaims(core);
}

/**
 * Has the core free what it can. @returns whether frames have come free, beside those of empty slabs: what has failed for want
 * of a second one had taken the first for just such a slab, and would for ever
 */
function reclaims({ u32, f64, x }: Core): boolean {
  const gained = (): number => u32[KERNEL + KERNEL_NR_FREE] - f64[SLABS_FREED];
  const before = gained();
  x.reclaim();
  return gained() > before;
}

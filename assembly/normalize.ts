// The normal form of memory: what snapshots hold. Equal file systems that came about in the same way and lost their
// open files give equal bytes: free lists and partial slabs are sorted by address, counters of events are zero, no
// empty slab is left, and what belonged to the instance is gone.
import {
  BOOT_SLOT, FIRST_FREE_PFN, I_FSNOTIFY, KERNEL_BLOCK, KERNEL_VMSTAT, KERNEL_WAIT_TABLE, NR_VM_EVENTS, NR_WAIT_BUCKETS,
  PG_BUDDY, PG_BUFFER, PG_LOCKED, PG_LRU, PG_SHARED, PG_SLAB, PG_TABLE, PG_WAITERS, PG_WRITEBACK, OWNER_SLOT_BYTES,
} from "./abi";
import { setPageDirty } from "./mm/filemap";
import { endPageWriteback } from "./mm/page-lock";
import { isNil, kernel } from "./kernel";
import { lruAdd } from "./mm/lru";
import { Page, pageOf } from "./mm/page";
import { drainPcp, freePage, normalizeFreeLists } from "./mm/page-alloc";
import { normalizeCaches, normalizeSlab } from "./mm/slab";

/** Brings all of memory into its normal form. Precondition: slot 0, the only one, holds nothing any more. */
export function normalizeMemory(): void {
  const k = kernel();
  k.failAfter = 0;
  k.pathVersion = 0; // nobody has walked a path of what is restored
  k.goneVersion = 0;
  k.nameVersion = 0;
  memory.fill(BOOT_SLOT, 0, OWNER_SLOT_BYTES);
  memory.fill(KERNEL_BLOCK + KERNEL_WAIT_TABLE, 0, NR_WAIT_BUCKETS << 3);
  normalizeCaches();
  drainPcp(0);
  for (let pfn: u32 = FIRST_FREE_PFN; pfn < k.endPfn; ) {
    const page = pageOf(pfn);
    if (page.flags == PG_BUDDY) {
      pfn += 1 << page.privateLow;
      continue;
    }
    if (page.flags & PG_SLAB) normalizeSlab(pfn, page);
    else if (page.flags & PG_SHARED) page.refcount = page.index;
    else if (page.mapping) resetPage(page, pfn);
    else if (page.refcount && !(page.flags & (PG_TABLE | PG_BUFFER))) freePage(pfn); // had left the cache, but was pinned
    pfn++;
  }
  normalizeFreeLists();
  resetInodes();
  memory.fill(KERNEL_BLOCK + KERNEL_VMSTAT, 0, NR_VM_EVENTS << 3);
  k.maxPfn = 0; // whoever restores says anew
  k.minFree = 0;
  k.recordPfn = 0;
  k.compactConsidered = 0;
  k.compactDeferShift = 0;
  k.compactOrderFailed = 0;
}

/** Operations that were suspended are gone, and with them the locks they held; who watched is not here. */
function resetInodes(): void {
  for (let sb = kernel().superBlocks; !isNil(sb); sb = sb.next) {
    sb.umountLock = 0;
    for (let inode = sb.inodes; !isNil(inode); inode = inode.sbNext) {
      inode.rwsem = 0;
      inode.state &= ~I_FSNOTIFY;
    }
  }
}

/** A page under writeback counts as dirty, since nobody will end the writeback; nobody puts back what is isolated. */
function resetPage(page: Page, pfn: u32): void {
  const flags = page.flags;
  if (flags & PG_WRITEBACK) {
    setPageDirty(pfn);
    endPageWriteback(pfn);
  }
  page.flags &= ~(PG_LOCKED | PG_WAITERS);
  page.refcount = 1;
  if (!(flags & PG_LRU)) lruAdd(pfn);
}

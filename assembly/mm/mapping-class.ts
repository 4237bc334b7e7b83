// What kind of address space it is (AS_CLASS): chosen by the file system for an inode, and changed by mlock, swapon and
// their like.
//
//   AS_NO_STORE        nothing lies behind the cache: holes are zeros, pages are up to date, full is -ENOSPC
//   AS_NO_ACCOUNTING   pages are dirty from the start; nobody counts or writes them
//   AS_UNEVICTABLE     pages stay: their own list, and no notes of references
//   AS_SWAPBACKED      pages go to a swap area: the lists of anonymous pages
import { AS_CLASS, AS_NO_ACCOUNTING, PG_ACTIVE, PG_DIRTY, PG_LRU, PG_SHARED, PG_SWAPBACKED, PG_UNEVICTABLE, XA_MARK_DIRTY, XA_PRESENT } from "../abi";
import { AddressSpace, indexOf, stateFlags } from "./address-space";
import { kernel, slot as self } from "../kernel";
import { lruAdd, lruRemove } from "./lru";
import { pageOf } from "./page";
import { isPage, xaClearMark, xaFind, xaSetMark } from "./xarray";

/** Changes the class (AS_CLASS bits): pages move to the lists, and into or out of the accounts, of the new one. */
export function setMappingClass(mapping: AddressSpace, flags: u32): void {
  const xa = indexOf(mapping);
  const changed = (xa.flags ^ flags) & AS_CLASS;
  if (!changed) return;
  xa.flags ^= changed;
  let entry = xaFind(xa, 0, u32.MAX_VALUE, XA_PRESENT);
  while (entry) {
    const index = self().xaIndex;
    if (isPage(entry) && !(pageOf(entry >> 2).flags & PG_SHARED)) { // those are of no class
      relist(entry >> 2, stateFlags(xa));
      if (changed & AS_NO_ACCOUNTING && pageOf(entry >> 2).flags & PG_DIRTY) account(mapping, index);
    }
    if (index == u32.MAX_VALUE) return;
    entry = xaFind(xa, index + 1, u32.MAX_VALUE, XA_PRESENT);
  }
}

/** Gives a page other flags of its class; one that is isolated goes to the new list when it is put back. */
function relist(pfn: u32, state: u32): void {
  const page = pageOf(pfn);
  if ((page.flags & (PG_UNEVICTABLE | PG_SWAPBACKED)) == state) return;
  const isListed = (page.flags & PG_LRU) != 0;
  if (isListed) lruRemove(pfn);
  page.flags = (page.flags & ~(PG_UNEVICTABLE | PG_SWAPBACKED)) | state;
  if (state & PG_UNEVICTABLE) page.flags &= ~PG_ACTIVE;
  if (isListed) lruAdd(pfn);
}

/** Counts a dirty page that was not, or no longer one that was. */
function account(mapping: AddressSpace, index: u32): void {
  const xa = indexOf(mapping);
  if (xa.flags & AS_NO_ACCOUNTING) {
    xaClearMark(xa, index, XA_MARK_DIRTY);
    kernel().nrDirty--;
  } else {
    xaSetMark(xa, index, XA_MARK_DIRTY);
    kernel().nrDirty++;
  }
}

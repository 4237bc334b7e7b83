// Frames that are a page of several files at once, until one of them is written to (Linux: reflinks, whose extents XFS counts
// in xfs_refcount.c; its page cache has no such thing).
//
//   index of a file ─┐                                  first write to either: a copy takes the frame's place in the index of
//   index of a file ─┼─► frame, PG_SHARED, index = 3    that file alone. Who is the last to have the frame keeps it, and it
//   index of a file ─┘            each has a pin        is an ordinary page again.
//
// A frame does not know who has it: there is no mapping, and so no way back, but the number of ways. Nobody reclaims it,
// for nobody could tell its files: it is unevictable, and in no swap area. The last holder is not known either, so
// PG_SHARED goes when that one comes to write the next time, or when swap looks for pages (src/mm/shared-frames.ts).
//
// AS_SHARED says that a file may have such pages: whoever writes to one without looks at no descriptor.
//
// Pages are blocks of each file and each file system that has them, as on XFS; but for those that are lent by another
// file system (XA_MARK_LENT): they are blocks once they are written to.
//
// Does not own: how pages come to be shared, and move (src/mm/clone-range.ts, src/mm/shared-frames.ts).
import { AS_SHARED, PAGE_SIZE, PG_DIRTY, PG_REFERENCED, PG_SHARED, PG_UPTODATE, XA_MARK_LENT } from "../abi";
import { blocksLeft, chargeBlocks } from "../block-accounts";
import { AddressSpace, indexOf, stateFlags } from "./address-space";
import { lruAdd, lruRemove } from "./lru";
import { Page, pageAddress, pageOf } from "./page";
import { allocPages } from "./page-alloc";
import { keepsPromises } from "./reserve";
import { pageEntry, xaClearMark, xaGetMark, xaStore } from "./xarray";

/** A file has a shared page no more; its pin is the caller's to drop. */
export function unsharePage(page: Page, pfn: u32): void {
  if (--page.index) return;
  lruRemove(pfn);
  page.flags = 0;
}

/** Is a page of a file one that is no block of its file system? */
// @ts-ignore: decorator
@inline export function isLent(mapping: AddressSpace, index: u32): bool {
  return (mapping.flags & AS_SHARED) != 0 && xaGetMark(indexOf(mapping), index, XA_MARK_LENT);
}

/**
 * Makes a page of a file one that may be written to: where others have it, too, the file gets a copy.
 *
 * @param pfn frame of page `index`
 * @param isWhole all of it will be overwritten: its bytes need not be copied
 * @returns its frame, the same if it was the file's own; 0 when memory ran out, or the file system is full
 */
export function ownPage(mapping: AddressSpace, index: u32, pfn: u32, isWhole: bool): u32 {
  const page = pageOf(pfn);
  if (!(page.flags & PG_SHARED)) return pfn;
  const xa = indexOf(mapping);
  const lent = isLent(mapping, index);
  if (lent && !blocksLeft(mapping)) return 0;
  let own = pfn;
  if (page.index == 1) lruRemove(pfn);
  else {
    own = keepsPromises() ? allocPages(0) : 0;
    if (!own) return 0;
    if (!isWhole) memory.copy(pageAddress(own), pageAddress(pfn), PAGE_SIZE);
    xaStore(xa, index, pageEntry(own)); // in its own place: no memory is needed
    page.index--;
    page.refcount--;
  }
  const at = pageOf(own);
  at.flags = PG_UPTODATE | PG_DIRTY | PG_REFERENCED | stateFlags(xa);
  at.mapping = <u32>changetype<usize>(mapping);
  at.index = index;
  lruAdd(own);
  if (lent) {
    xaClearMark(xa, index, XA_MARK_LENT);
    chargeBlocks(mapping, 1);
  }
  return own;
}

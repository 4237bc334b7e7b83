// Pages that are promised to a file (Linux shmem_fallocate()): no frame is touched before one is written to.
//
//   index    XA_RESERVED at each promised page: a shadow to all who look for data, and so a hole
//   counts   the inode's, the file system's blocks, and Kernel.nrReserved, by chargeReserved()
//
// Who fills a hole there (filemap.ts) needs no block, and no node of the index; who cuts the file gives the promise back.
// Frames that are promised are kept from other files in memory (affordable()), and from records (keepsPromises()).
import { ENOSPC, SLOT_MEMALLOC, VM_ALLOC_FAILED, XA_PRESENT, XA_RESERVED, XA_RESERVING } from "../abi";
import { blocksLeft, chargeReserved } from "../block-accounts";
import { AddressSpace, indexOf } from "./address-space";
import { countEvent, isNil, kernel, slot as self } from "../kernel";
import { minFreeFrames } from "./page-alloc";
import { reclaim } from "./reclaim";
import { nrFilePages } from "./workingset";
import { getSlot, isData, setEntry, XArray, xaErase, xaFind, xaLeaf, xaLoad, xaStore } from "./xarray";

/**
 * Promises pages `first` to `last`, where there is no data. All or nothing.
 *
 * @returns 0; -ENOSPC when file system or memory have no more
 */
export function reserveRange(mapping: AddressSpace, first: u32, last: u32): i32 {
  const xa = indexOf(mapping);
  const wanted = <u64>last - first + 1 - nrKept(xa, first, last);
  if (wanted > <u64>blocksLeft(mapping) || wanted > <u64>framesFor(<u32>wanted)) return -ENOSPC;
  if (!makeLeaves(xa, first, last)) return -ENOSPC;
  chargeReserved(mapping, reserveHoles(xa, first, last));
  return 0;
}

/** How many of `nr` pages from `index` on, which are holes, may be had: promised ones, and others that nobody else is promised. */
export function affordable(mapping: AddressSpace, index: u32, nr: u32): u32 {
  const xa = indexOf(mapping);
  let left = min<u32>(blocksLeft(mapping), framesFor(nr));
  let n: u32 = 0;
  for (; n < nr; n++) {
    if (xaLoad(xa, index + n) == XA_RESERVED) continue;
    if (!left) break;
    left--;
  }
  return n;
}

/** May a frame go to records? Not where the last ones are promised, but to who frees others. */
export function keepsPromises(): bool {
  if (!kernel().nrReserved || self().flags & SLOT_MEMALLOC || framesFor(1)) return true;
  countEvent(VM_ALLOC_FAILED);
  return false;
}

/** Frames that nobody is promised; while they are fewer than `wanted`, what the core can do without goes. */
function framesFor(wanted: u32): u32 {
  let left = framesLeft();
  while (left < wanted && reclaim()) left = framesLeft();
  return left;
}

/** Frames that are free, may come or may be reclaimed, and slots for pages in swap areas, that are promised to nobody. What descriptors of new sections take is left out. */
function framesLeft(): u32 {
  const k = kernel();
  const growable = k.maxPfn - k.endPfn;
  const available = k.nrFree + growable - (growable >> 7) + nrFilePages() + k.nrSwapPages;
  const spoken = k.nrReserved + minFreeFrames();
  return available > spoken ? available - spoken : 0;
}

/** Pages of a range that are data or promised already. */
function nrKept(xa: XArray, first: u32, last: u32): u32 {
  let nr: u32 = 0;
  let index = first;
  let entry = xaFind(xa, index, last, XA_PRESENT);
  while (entry) {
    index = self().xaIndex;
    if (isKept(entry)) nr++;
    entry = index == last ? 0 : xaFind(xa, index + 1, last, XA_PRESENT);
  }
  return nr;
}

// @ts-ignore: decorator
@inline function isKept(entry: u32): bool {
  return isData(entry) || entry == XA_RESERVED;
}

/** Makes the leaves that are missing in a range, with an entry in each. @returns whether there was memory; else nothing has changed */
function makeLeaves(xa: XArray, first: u32, last: u32): bool {
  let index = first;
  while (true) {
    const end = min<u32>(index | 63, last);
    // Without a leaf the last page of it is a hole; but page 0 alone needs no leaf.
    if (isNil(xaLeaf(xa, index)) && !isKept(xaLoad(xa, end)) && xaStore(xa, end, XA_RESERVING)) {
      dropLeaves(xa, first, last);
      return false;
    }
    if (end == last) return true;
    index = end + 1;
  }
}

function dropLeaves(xa: XArray, first: u32, last: u32): void {
  let index = first;
  let entry = xaFind(xa, index, last, XA_PRESENT);
  while (entry) {
    index = self().xaIndex;
    if (entry == XA_RESERVING) xaErase(xa, index);
    entry = index == last ? 0 : xaFind(xa, index + 1, last, XA_PRESENT);
  }
}

/** Marks every hole of a range whose leaves are all there. @returns how many */
function reserveHoles(xa: XArray, first: u32, last: u32): u32 {
  let nr: u32 = 0;
  let index = first;
  while (true) {
    const leaf = xaLeaf(xa, index);
    if (isNil(leaf)) { // one page, without a leaf
      if (isKept(xa.head)) return 0;
      xa.head = XA_RESERVED;
      return 1;
    }
    const end = min<u32>(index | 63, last);
    for (let at = index & 63; at <= (end & 63); at++) {
      if (isKept(getSlot(leaf, at))) continue;
      setEntry(leaf, at, XA_RESERVED);
      nr++;
    }
    if (end == last) return nr;
    index = end + 1;
  }
}

// Address space of a file: its pages, by their index in it (Linux struct address_space).
//
// It lies in the record of its inode (i_data), which says where its pages come from; an inode reaches pages by its
// `mapping`, which may be another inode's.
import { AS_SWAPBACKED, AS_UNEVICTABLE, PG_SWAPBACKED, PG_UNEVICTABLE } from "../abi";
import { XArray } from "./xarray";

/** Pages of a file. */
// @ts-ignore: decorator
@unmanaged export class AddressSpace {
  head: u32; // page index: with `flags` a class XArray
  flags: u32; // marks of the head, and AS_*
  nrPages: u32; // pages in the cache, and in swap areas
  wbErr: u32; // errseq of writeback
}

/** Page index of an address space. */
// @ts-ignore: decorator
@inline export function indexOf(mapping: AddressSpace): XArray {
  return changetype<XArray>(changetype<usize>(mapping));
}

/** Flags that a page has from its address space. */
// @ts-ignore: decorator
@inline export function stateFlags(xa: XArray): u32 {
  return (xa.flags & AS_UNEVICTABLE ? PG_UNEVICTABLE : 0) | (xa.flags & AS_SWAPBACKED ? PG_SWAPBACKED : 0);
}

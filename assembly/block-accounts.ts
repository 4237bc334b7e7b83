// Blocks of a file system: as many as there are pages in the caches of its files, and no more than it may have. The page
// cache asks here, so that mm need not know super blocks (Linux shmem_inode_acct_blocks(), shmem_inode_unacct_blocks()).
//
// Room is asked for before frames are taken and charged when pages are in the index, once a run: one load and one
// comparison. Whoever has no limit is counted as well.
import { hostOf } from "./fs/inode";
import { kernel } from "./kernel";
import { AddressSpace } from "./mm/address-space";

/** Pages that the file system of an address space may still have. */
// @ts-ignore: decorator
@inline export function blocksLeft(mapping: AddressSpace): u32 {
  const sb = hostOf(mapping).sb;
  return sb.maxBlocks - sb.usedBlocks;
}

/** `nr` pages have come into an address space, or, negative, left it. */
// @ts-ignore: decorator
@inline export function chargeBlocks(mapping: AddressSpace, nr: i32): void {
  const sb = hostOf(mapping).sb;
  sb.usedBlocks += nr;
}

/**
 * `nr` pages have been promised to an address space, or, negative, are promised no more: they are there, or holes again.
 * A promised page counts as a block.
 */
export function chargeReserved(mapping: AddressSpace, nr: i32): void {
  const inode = hostOf(mapping);
  inode.dirtiedCs += nr;
  inode.sb.usedBlocks += nr;
  kernel().nrReserved += nr;
}

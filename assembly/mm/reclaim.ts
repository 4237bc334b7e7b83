// What is done when frames run out, before -ENOMEM: missing names and the core's own spare memory go first, then cached
// pages with names and inodes in proportion, then all names and inodes that can be had again.
//
// Does not own: which pages go (vmscan.ts), what has to be written first (src/mm/vmscan.ts).
import { VM_ALLOCSTALL } from "../abi";
import { forgetWalk, nrUnused, pruneNegative, shrinkShadows, shrinkUnused } from "../shrinkers";
import { countEvent, kernel } from "../kernel";
import { drainPcp } from "./page-alloc";
import { shrinkCaches } from "./slab";
import { shrinkLists } from "./vmscan";
import { nrReclaimable, tooManyShadowNodes } from "./workingset";

/** Unused dentries looked at before empty slabs are counted: 32 frames of them, and 40 of inodes. */
const BATCH: u32 = 1024;
/** Pages freed at a time. @see Linux SWAP_CLUSTER_MAX */
const CLUSTER: u32 = 32;

/**
 * Frees what the core can do without, and no more than it takes. Inodes whose file systems want to know are only lined up:
 * whoever still finds no memory calls evictInode for them and tries again.
 *
 * @returns whether any frame came free
 */
export function reclaim(): bool {
  countEvent(VM_ALLOCSTALL);
  const before = kernel().nrFree;
  pruneNegative(kernel().nrNegative);
  if (tooManyShadowNodes()) shrinkShadows();
  const nrPages = nrReclaimable();
  if (nrPages) shrinkWithPages(<u32>(shrinkLists(CLUSTER) >> 32), nrPages);
  if (kernel().nrFree > before) return true;
  shrinkShadows();
  do {
    shrinkCaches();
    drainPcp(0);
    if (kernel().nrFree > before) return true;
  } while (shrinkUnused(BATCH, true));
  return false;
}

/** As large a part of the unused names and inodes as of the pages has been looked at. @see Linux do_shrink_slab() */
function shrinkWithPages(scanned: u32, nrPages: u32): void {
  const part = <u32>(<u64>nrUnused() * scanned * kernel().vfsCachePressure / (<u64>nrPages * 100));
  if (part) shrinkUnused(part, false);
}

/** Frees all names that nobody uses and that can be asked for again. Precondition: nothing of this slot is borrowed. */
export function dropUnused(): void {
  forgetWalk();
  pruneNegative(kernel().nrNegative);
  while (shrinkUnused(u32.MAX_VALUE, true)) {}
}

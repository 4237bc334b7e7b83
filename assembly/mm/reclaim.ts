// What is done when frames run out, before -ENOMEM: the core's own spare memory goes first, then cached names and the
// inodes that go with them.
//
// Does not own: reclaim of cached pages (Linux vmscan), which needs backing stores to drop pages to.
import { forgetWalk, pruneNegative, shrinkShadows, shrinkUnused } from "../shrinkers";
import { drainPcp } from "./page-alloc";
import { shrinkCaches } from "./slab";
import { kernel } from "../kernel";

/** Unused dentries looked at before empty slabs are counted: 32 frames of them, and 40 of inodes. */
const BATCH: u32 = 1024;

/**
 * Frees what the core can do without: missing names, nodes of shadows, empty slabs, then names that can be asked for again, oldest first and
 * no more than it takes. Inodes whose file systems want to know are only lined up: whoever still finds no memory calls
 * evictInode for them and tries again.
 *
 * @returns whether any frame came free
 */
export function reclaim(): bool {
  const before = kernel().nrFree;
  pruneNegative(kernel().nrNegative);
  shrinkShadows();
  do {
    shrinkCaches();
    drainPcp(0);
    if (kernel().nrFree > before) return true;
  } while (shrinkUnused(BATCH));
  return false;
}

/** Frees all names that nobody uses and that can be asked for again. Precondition: nothing of this slot is borrowed. */
export function dropUnused(): void {
  forgetWalk();
  pruneNegative(kernel().nrNegative);
  while (shrinkUnused(u32.MAX_VALUE)) {}
}

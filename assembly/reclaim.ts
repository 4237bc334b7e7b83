// What is done when frames run out, before -ENOMEM: the core's own spare memory goes first.
//
// Does not own: reclaim of cached pages (Linux vmscan), which needs backing stores to drop pages to.
import { drainPcp } from "./page-alloc";
import { shrinkCaches } from "./slab";
import { pruneNegative } from "./dcache";
import { kernel } from "./kernel";

/** @returns whether any frame came free */
export function reclaim(): bool {
  const before = kernel().nrFree;
  pruneNegative(kernel().nrNegative);
  shrinkCaches();
  drainPcp(0);
  return kernel().nrFree > before;
}

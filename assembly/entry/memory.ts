// Entry points: boot, memory, snapshots' normal form, counters. Frames are given by number.
import { bootKernel, releaseSlot as release } from "../boot";
import { kernel } from "../kernel";
import { pageOf } from "../mm/page";
import { allocPages as alloc, freePage, freePages as free, normalizeFreeLists as trim } from "../mm/page-alloc";
import { compactMemory as compact } from "../mm/compaction";
import { dropUnused, reclaim as reclaimMemory } from "../mm/reclaim";
import { normalizeMemory as normalize } from "../normalize";
import { PG_BUFFER } from "../abi";
import { checksum } from "../checksum";

/** Boots a kernel in fresh memory. @returns 1, or 0 when memory ran out */
export function boot(maxPfn: u32, seed: u32): u32 {
  return bootKernel(maxPfn, seed) ? 1 : 0;
}

/** Takes 2^order contiguous frames. @returns the first frame's number, 0 when memory ran out */
export function allocPages(order: u32): u32 {
  return alloc(order);
}

/** Gives `nr` contiguous frames back. */
export function freePages(pfn: u32, nr: u32): void {
  if (nr == 1) freePage(pfn);
  else free(pfn, nr);
}

/** Takes a buffer of 2^order frames. @returns its frame number, 0 when memory ran out */
export function allocBuffer(order: u32): u32 {
  const pfn = alloc(order);
  if (pfn) for (let i: u32 = 0; i < 1 << order; i++) pageOf(pfn + i).flags = PG_BUFFER;
  return pfn;
}

/** The nth allocation from now fails, and all after it; 0 = none does. */
export function setFailAfter(n: u32): void {
  kernel().failAfter = n;
}

/** Gives back what the core keeps in reserve. @returns 1 if any frame came free */
export function reclaim(): u32 {
  return reclaimMemory() ? 1 : 0;
}

/** Moves cached pages together, to the start of memory. @returns how many have moved */
export function compactMemory(): u32 {
  return compact();
}

/** Takes memory behind the last used frame offline, and sorts the free lists. */
export function trimMemory(): void {
  trim();
}

/** Frees all names that nobody uses and that can be asked for again. */
export function dropDentries(): void {
  dropUnused();
}

/** Drops all references of this slot. */
export function releaseSlot(): void {
  release();
}

/** Brings memory into the one form that its content has in snapshots. Precondition: releaseSlot() was called. */
export function normalizeMemory(): void {
  normalize();
}

/**
 * Checksum of memory: of `bytes`, a multiple of 32, at an address.
 *
 * @param low and high: what came before has this checksum, 0 at the start
 * @returns its low word, unsigned; its high word is in RESULT_EXTRA
 */
export function checksumBytes(address: u32, bytes: u32, low: u32, high: u32): u32 {
  return checksum(address, bytes, low, high);
}

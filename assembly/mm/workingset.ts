// Shadows: what page indexes remember of pages that were reclaimed (Linux mm/workingset.c).
//
//   page leaves the inactive list ──► shadow: the age of the list, which moves on with every page that leaves it
//   page is wanted again ──► refault distance: pages that have left since. Had it been on the active list, which is that
//                            long, it would still be here: so it goes there at once
//
// Does not own: which page leaves (vmscan.ts).
import {
  LRU_ACTIVE_ANON, LRU_ACTIVE_FILE, LRU_INACTIVE_ANON, LRU_INACTIVE_FILE, VM_WORKINGSET_ACTIVATE, VM_WORKINGSET_NODERECLAIM,
  VM_WORKINGSET_REFAULT, XA_PRESENT, XA_SHADOW,
} from "../abi";
import { AddressSpace, indexOf } from "./address-space";
import { countEvent, isNil, kernel, slot as self } from "../kernel";
import { lruList } from "./lru";
import { isShadowNode, xaErase, xaFind, xaLeaf } from "./xarray";

const AGE_MASK: u32 = (1 << 29) - 1; // values above are promised pages (reserve.ts)

/** Pages of files with a store that reclaim could take. */
// @ts-ignore: decorator
@inline export function nrFilePages(): u32 {
  return lruList(LRU_INACTIVE_FILE).count + lruList(LRU_ACTIVE_FILE).count;
}

/** Pages that reclaim could take. */
export function nrReclaimable(): u32 {
  return nrFilePages() + lruList(LRU_INACTIVE_ANON).count + lruList(LRU_ACTIVE_ANON).count;
}

/** The entry that a page leaves behind on its way from the inactive list. @see Linux workingset_eviction() */
export function workingsetEviction(): u32 {
  const k = kernel();
  k.evictionAge = (k.evictionAge + 1) & AGE_MASK;
  return k.evictionAge << 2 | XA_SHADOW;
}

/**
 * Notes that a page is wanted again that left this shadow.
 *
 * Distances up to 5/4 of what is cached count: a loop a little longer than the cache then has part of its pages stay.
 *
 * @returns whether it has come back soon enough to be active @see Linux workingset_refault()
 */
export function workingsetRefault(shadow: u32): bool {
  countEvent(VM_WORKINGSET_REFAULT);
  const distance = (kernel().evictionAge - (shadow >> 2)) & AGE_MASK;
  const nr = nrReclaimable();
  if (distance > nr + nr / 4) return false;
  countEvent(VM_WORKINGSET_ACTIVATE);
  return true;
}

/** More leaves of nothing but shadows than these cost more than they tell: one for 64 pages. @see Linux count_shadow_nodes() */
export function tooManyShadowNodes(): bool {
  return kernel().nrShadowNodes > 64 + nrReclaimable() / 64;
}

/** Frees the leaves of an index that hold nothing but shadows. */
export function dropShadowNodes(mapping: AddressSpace): void {
  const xa = indexOf(mapping);
  let index: u32 = 0;
  while (xaFind(xa, index, u32.MAX_VALUE, XA_PRESENT)) {
    const leaf = xaLeaf(xa, self().xaIndex);
    if (isNil(leaf)) return; // one entry, without a node
    const first = self().xaIndex & ~63;
    if (isShadowNode(leaf)) {
      countEvent(VM_WORKINGSET_NODERECLAIM);
      for (let i: u32 = 0; i < 64; i++) xaErase(xa, first + i);
    }
    index = first + 64;
    if (!index) return;
  }
}

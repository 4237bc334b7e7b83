// Shadows: what page indexes remember of pages that were reclaimed (Linux mm/workingset.c).
//
// Does not own: what a shadow says; that comes with reclaim. Here is how to get rid of those that cost a node of their own.
import { XA_PRESENT } from "../abi";
import { AddressSpace, indexOf } from "./address-space";
import { isNil, slot as self } from "../kernel";
import { isShadowNode, xaErase, xaFind, xaLeaf } from "./xarray";

/** Frees the leaves of an index that hold nothing but shadows. */
export function dropShadowNodes(mapping: AddressSpace): void {
  const xa = indexOf(mapping);
  let index: u32 = 0;
  while (xaFind(xa, index, u32.MAX_VALUE, XA_PRESENT)) {
    const leaf = xaLeaf(xa, self().xaIndex);
    if (isNil(leaf)) return; // one entry, without a node
    const first = self().xaIndex & ~63;
    if (isShadowNode(leaf)) for (let i: u32 = 0; i < 64; i++) xaErase(xa, first + i);
    index = first + 64;
    if (!index) return;
  }
}

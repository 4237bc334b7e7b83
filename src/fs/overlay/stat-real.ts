/**
 * Attributes of inodes of layers, fresh from their file systems.
 */
import type { InodeHandle } from "../../base/handles.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { type Core, RESULT } from "../../wasm/core.ts";
import { RESULT_STAT } from "../../wasm/layout.ts";

export const NR_STAT = 18;

/** Where statReal() leaves attributes: a view, to be used at once. */
export function statValues({ f64 }: Core): Float64Array {
  return f64.subarray(RESULT + RESULT_STAT, RESULT + RESULT_STAT + NR_STAT);
}

/** Asks for the attributes of an inode of a layer. @param values statValues() @returns 0 or a negated errno */
export function statReal(kernel: Kernel, inode: InodeHandle, values: Float64Array): number {
  kernel.core.x.statInode(inode);
  return kernel.tableOf(inode).inode.getattr?.(kernel, inode, values, false) ?? 0;
}

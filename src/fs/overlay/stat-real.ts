/**
 * Attributes of inodes of layers, fresh from their file systems.
 */
import type { InodeHandle } from "../../base/handles.ts";
import type { Kernel } from "../../vfs/kernel.ts";

/** Asks for the attributes of an inode of a layer. @param values `statValues` of the core @returns 0 or a negated errno */
export function statReal(kernel: Kernel, inode: InodeHandle, values: Float64Array): number {
  kernel.core.x.statInode(inode);
  return kernel.tableOf(inode).inode.getattr?.(kernel, inode, values, false) ?? 0;
}

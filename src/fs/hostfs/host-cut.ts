/** A cut of a file that the host has been asked for, and may have made: whoever called for it does not know yet. */
import type { InodeHandle } from "../../base/handles.ts";
import type { Kernel } from "../../vfs/kernel.ts";

/** @returns its end; undefined = there is none under way */
export function cutOf(kernel: Kernel, inode: InodeHandle): Promise<void> | undefined {
  return kernel.bdiOf(inode)?.host.cutOf(inode);
}

/** Is one under way? Then there is a token for who waits for it. */
export function isBeingCut(kernel: Kernel, inode: InodeHandle): boolean {
  const cut = cutOf(kernel, inode);
  if (cut !== undefined) kernel.setWaitToken(cut);
  return cut !== undefined;
}

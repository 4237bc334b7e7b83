/**
 * Attributes through an overlay: those of the real inode, under numbers of the overlay's (numbers.ts).
 *
 * @see Linux fs/overlayfs/inode.c ovl_getattr()
 */
import type { InodeHandle } from "../../base/handles.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { STAT_NLINK } from "../../vfs/syscalls.ts";
import { INODE_NLINK } from "../../wasm/layout.ts";
import { flagsOf, hasSeveral, OVL_INDEX } from "./entry.ts";
import { realInode } from "./inode.ts";
import { isDirectory } from "./layer-names.ts";
import { overlayOfInode } from "./layers.ts";
import { mapNumbers } from "./numbers.ts";
import { takeRealPages } from "./real-pages.ts";
import { statReal } from "./stat-real.ts";

/** InodeOperations.getattr. The core asks for what takeRealPages() has not done. @returns 0; what the file system of the layer answers */
export function getattr(kernel: Kernel, inode: InodeHandle, values: Float64Array): number {
  const { core } = kernel;
  takeRealPages(kernel, inode);
  const rc = statReal(kernel, realInode(core, inode), values);
  if (rc < 0) return rc;
  const isDir = isDirectory(core, inode);
  mapNumbers(kernel, overlayOfInode(kernel, inode), inode, isDir, values);
  if (isDir && hasSeveral(core, inode)) values[STAT_NLINK] = 1; // to count them would be to list them
  if (flagsOf(core, inode) & OVL_INDEX) values[STAT_NLINK] = core.u32[(inode << 3) + INODE_NLINK];
  return 0;
}

/**
 * Attributes through an overlay: those of the real inode, under numbers of the overlay's (numbers.ts).
 *
 * @see Linux fs/overlayfs/inode.c ovl_getattr()
 */
import type { InodeHandle } from "../../base/handles.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { STAT_BLOCKS, STAT_NLINK, STAT_SIZE } from "../../vfs/syscalls.ts";
import { INODE_NLINK, PAGE_SIZE } from "../../wasm/layout.ts";
import { dataDentry, flagsOf, hasSeveral, OVL_INDEX, OVL_METACOPY } from "./entry.ts";
import { realInode } from "./inode.ts";
import { inodeOf, isDirectory } from "./layer-names.ts";
import { overlayOfInode } from "./layers.ts";
import { mapNumbers } from "./numbers.ts";
import { takeRealPages } from "./real-pages.ts";
import { statReal } from "./stat-real.ts";

const BLOCK_BYTES = 512;

/** Blocks of the file that has the data; what is not known yet is taken for a file without holes. @returns or what its file system answers */
function blocksBelow(kernel: Kernel, inode: InodeHandle, values: Float64Array): number {
  const data = dataDentry(kernel.core, inode);
  const isKnown = data !== 0;
  const rc = statReal(kernel, isKnown ? inodeOf(kernel.core, data) : realInode(kernel.core, inode), values);
  if (rc < 0) return rc;
  return isKnown ? values[STAT_BLOCKS] : Math.ceil(values[STAT_SIZE] / PAGE_SIZE) * (PAGE_SIZE / BLOCK_BYTES);
}

/** InodeOperations.getattr. The core asks for what takeRealPages() has not done. @returns 0; what the file system of the layer answers */
export function getattr(kernel: Kernel, inode: InodeHandle, values: Float64Array): number {
  const { core } = kernel;
  takeRealPages(kernel, inode);
  const isElsewhere = (flagsOf(core, inode) & OVL_METACOPY) !== 0;
  const blocks = isElsewhere ? blocksBelow(kernel, inode, values) : 0;
  if (blocks < 0) return blocks;
  const rc = statReal(kernel, realInode(core, inode), values);
  if (rc < 0) return rc;
  if (isElsewhere) values[STAT_BLOCKS] = blocks;
  const isDir = isDirectory(core, inode);
  mapNumbers(kernel, overlayOfInode(kernel, inode), inode, isDir, values);
  if (isDir && hasSeveral(core, inode)) values[STAT_NLINK] = 1; // to count them would be to list them
  if (flagsOf(core, inode) & OVL_INDEX) values[STAT_NLINK] = core.u32[(inode << 3) + INODE_NLINK];
  return 0;
}

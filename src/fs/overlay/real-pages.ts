/**
 * Regular files whose layer lies in memory: the overlay's inode has the pages of the real one for its own (i_mapping). So the core reads
 * them, and tells attributes, as it does of files that stand for themselves, without asking here. So it does of directories that are in
 * one layer, which have no pages, but attributes.
 *
 *   inode of the overlay ── mapping ──► pages in the real inode     reads, the size, all attributes
 *     btimeSec, atimeSec                                            st_dev and st_ino, as the overlay shows them
 *
 * It is done when a file is first asked for, and undone when it is copied up (setUpper()): then it is done anew. The real inode stays as
 * long as the overlay's does, which holds its dentry.
 *
 * Does not own: the core's side (assembly/fs/stack.ts), writes, which go by a file of the layer (file.ts).
 */
import type { InodeHandle } from "../../base/handles.ts";
import { S_IFDIR, S_IFREG } from "../../base/stat-flags.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { STAT_DEV, STAT_INO } from "../../vfs/syscalls.ts";
import type { Core } from "../../wasm/core.ts";
import {
  INODE_ATIME_SEC,
  INODE_BTIME_SEC,
  INODE_MAPPING,
  INODE_SB,
  SB_GETATTR,
  SUPER_BLOCK_FLAGS,
} from "../../wasm/layout.ts";
import { isPlain } from "./copy-data.ts";
import { flagsOf, hasSeveral, OVL_INDEX, OVL_METACOPY, ownMapping } from "./entry.ts";
import { realInode } from "./inode.ts";
import { isDirectory, typeOf } from "./layer-names.ts";
import { overlayOfInode } from "./layers.ts";
import { mapNumbers } from "./numbers.ts";
import { statReal } from "./stat-real.ts";

/** Has an inode the pages of the real one? */
export function hasRealPages({ u32 }: Core, inode: InodeHandle): boolean {
  return u32[(inode << 3) + INODE_MAPPING] !== ownMapping(inode);
}

/** Has an inode have the pages of the real one, if it may. @returns does it? */
export function takeRealPages(kernel: Kernel, inode: InodeHandle): boolean {
  const { core } = kernel;
  if (hasRealPages(core, inode)) return true;
  const real = realInode(core, inode);
  if (!isEligible(kernel, inode, real)) return false;
  const values = core.statValues;
  statReal(kernel, real, values);
  mapNumbers(kernel, overlayOfInode(kernel, inode), inode, isDirectory(core, inode), values);
  core.f64[(inode << 2) + INODE_BTIME_SEC] = values[STAT_DEV];
  core.f64[(inode << 2) + INODE_ATIME_SEC] = values[STAT_INO];
  core.u32[(inode << 3) + INODE_MAPPING] = core.u32[(real << 3) + INODE_MAPPING];
  return true;
}

/** Links of a merged directory, and those that the index counts, are the overlay's own; a file with data elsewhere is none in memory; of attributes that a file system makes up the core knows nothing. */
function isEligible(kernel: Kernel, inode: InodeHandle, real: InodeHandle): boolean {
  const { core } = kernel;
  const type = typeOf(core, inode);
  if (type !== S_IFREG && (type !== S_IFDIR || hasSeveral(core, inode))) return false;
  if (flagsOf(core, inode) & (OVL_INDEX | OVL_METACOPY)) return false;
  const flags = core.u32[(core.u32[(real << 3) + INODE_SB] >>> 2) + SUPER_BLOCK_FLAGS];
  return !(flags & SB_GETATTR) && isPlain(kernel, real);
}

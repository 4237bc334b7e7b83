/**
 * What stays in an upper layer when it is committed: files that somebody may write to by what he holds of them, or could see a change
 * of in two places.
 *
 * Does not own: the commit (commit.ts).
 */
import type { DentryHandle, FileHandle, InodeHandle, SuperBlockHandle } from "../../base/handles.ts";
import { pagePins } from "../../mm/gup.ts";
import { inodeOfFile } from "../../mm/page.ts";
import { inodeOfPage, vmAreas } from "../../mm/vm-area.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import type { SuperBlock } from "../../vfs/super-block.ts";
import { type Core, SLOT } from "../../wasm/core.ts";
import {
  FILE_MODE,
  FILE_NEXT,
  FMODE_WRITE,
  INODE_NLINK,
  INODE_SB,
  INODE_SB_NEXT,
  PAGE_PIN_NR_FRAMES,
  PAGE_PIN_PFN,
  SLOT_FILES,
  SUPER_BLOCK_INODES,
} from "../../wasm/layout.ts";
import { copyInodeAttributes } from "./copy-node.ts";
import { upperOf } from "./entry.ts";
import { childrenOf, inodeOf, isDirectory, removeName } from "./layer-names.ts";
import { setLayerXattr } from "./layer-xattr.ts";
import { OPAQUE } from "./lookup.ts";
import { REDIRECT } from "./redirect.ts";

/** Open files of a file system. */
export function filesOf(core: Core, sb: SuperBlockHandle): FileHandle[] {
  const { u32 } = core;
  const files: FileHandle[] = [];
  for (let at = u32[SLOT + SLOT_FILES]; at !== 0; at = u32[(at >>> 2) + FILE_NEXT])
    files.push((at >>> 5) as FileHandle);
  return files.filter((file) => u32[(inodeOfFile(core, file) << 3) + INODE_SB] >>> 5 === sb);
}

/** Inodes of a super block that are in memory. */
function inodesOf({ u32 }: Core, sb: SuperBlockHandle): InodeHandle[] {
  const inodes: InodeHandle[] = [];
  for (let at = u32[(sb << 3) + SUPER_BLOCK_INODES]; at !== 0; at = u32[(at >>> 2) + INODE_SB_NEXT])
    inodes.push((at >>> 5) as InodeHandle);
  return inodes;
}

/**
 * Files of an upper layer that are open for writing, mapped, or seen by views, and those with several names of which one is in use.
 *
 * @param upper its file system
 */
export function keptFiles({ kernel, handle }: SuperBlock, upper: SuperBlockHandle): ReadonlySet<InodeHandle> {
  const { core } = kernel;
  const { u32 } = core;
  const kept = new Set<InodeHandle>();
  for (const file of filesOf(core, upper))
    if (u32[(file << 3) + FILE_MODE] & FMODE_WRITE) kept.add(inodeOfFile(core, file));
  for (const area of vmAreas(core)) kept.add(area.inode);
  for (const pin of pagePins(core)) {
    const first = u32[pin * 8 + PAGE_PIN_PFN];
    for (let i = 0; i < u32[pin * 8 + PAGE_PIN_NR_FRAMES]; i++) kept.add(inodeOfPage(core, first + i));
  }
  for (const inode of inodesOf(core, handle)) {
    const dentry = upperOf(core, inode);
    const real = dentry ? inodeOf(core, dentry) : 0;
    if (real && !isDirectory(core, real) && u32[(real << 3) + INODE_NLINK] > 1) kept.add(real);
  }
  return kept;
}

/**
 * Empties a directory of an upper layer, but for what is kept and the directories that lead there.
 *
 * @param become what is below in the place of a directory, which is merged with it now
 * @returns is anything left?
 */
export function emptyDirectory(
  kernel: Kernel,
  dir: DentryHandle,
  kept: ReadonlySet<InodeHandle>,
  become: ReadonlyMap<InodeHandle, InodeHandle>,
): boolean {
  const { core } = kernel;
  let isLeft = false;
  for (const child of childrenOf(core, dir)) {
    const inode = inodeOf(core, child);
    const isDir = isDirectory(core, inode);
    const stays = isDir ? emptyDirectory(kernel, child, kept, become) : kept.has(inode);
    if (!stays) removeName(kernel, child);
    isLeft ||= stays;
  }
  const inode = inodeOf(core, dir);
  if (isLeft) for (const name of [OPAQUE, REDIRECT]) setLayerXattr(kernel, inode, name, undefined);
  copyInodeAttributes(kernel, become.get(inode) as InodeHandle, inode);
  return isLeft;
}

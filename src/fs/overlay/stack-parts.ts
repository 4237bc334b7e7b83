/**
 * What an inode of an overlay stands on in the end, through overlays over overlays: what two trees have in common is seen by it.
 *
 * Does not own: the parts themselves (entry.ts).
 */
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { INODE_SB, SB_STACKED, SUPER_BLOCK_FLAGS } from "../../wasm/layout.ts";
import { lowersOf, upperOf } from "./entry.ts";
import { realInode } from "./inode.ts";
import { inodeOf } from "./layer-names.ts";
import { dataFileOf } from "./lower-data.ts";

/** Is it of an overlay? */
export function isStacked({ core: { u32 } }: Kernel, inode: InodeHandle): boolean {
  return (u32[(u32[(inode << 3) + INODE_SB] >>> 2) + SUPER_BLOCK_FLAGS] & SB_STACKED) !== 0;
}

/** What an inode shows: itself, where it is of no overlay. */
export function bottomInode(kernel: Kernel, inode: InodeHandle): InodeHandle {
  return isStacked(kernel, inode) ? bottomInode(kernel, realInode(kernel.core, inode)) : inode;
}

/** What has the data of a regular file: itself, where it is of no overlay. @returns or as dataFileOf() */
export function bottomData(kernel: Kernel, inode: InodeHandle): InodeHandle {
  if (!isStacked(kernel, inode)) return inode;
  const data = dataFileOf(kernel, inode);
  return typeof data === "number" ? (data as InodeHandle) : bottomData(kernel, inodeOf(kernel.core, data.dentry));
}

/** Directories that a directory is made of, the uppermost first: itself, where it is of no overlay. Whoever holds it holds them. */
export function partsOf(kernel: Kernel, dentry: DentryHandle): DentryHandle[] {
  const { core } = kernel;
  const inode = inodeOf(core, dentry);
  if (!isStacked(kernel, inode)) return [dentry];
  const upper = upperOf(core, inode);
  const parts = [...(upper ? [upper] : []), ...lowersOf(core, inode).map((lower) => lower.dentry)];
  return parts.flatMap((part) => partsOf(kernel, part));
}

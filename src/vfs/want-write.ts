/**
 * May something be changed? Not while it is read-only, and while it is frozen not yet.
 *
 * Does not own: freezing (freeze.ts).
 *
 * @see Linux fs/namespace.c mnt_want_write()
 */
import { EROFS } from "../base/errno.ts";
import type { InodeHandle, MountHandle, SuperBlockHandle } from "../base/handles.ts";
import { INODE_SB, MOUNT_SB, SB_FROZEN, SUPER_BLOCK_FLAGS } from "../wasm/layout.ts";
import type { Kernel } from "./kernel.ts";
import { isReadOnly } from "./mount-flags.ts";
import { storeSupport } from "./store-part.ts";

/** @param sb address of the super block */
function waitUnlessThawed(kernel: Kernel, sb: number): number {
  const isFrozen = kernel.core.u32[(sb >>> 2) + SUPER_BLOCK_FLAGS] & SB_FROZEN;
  return isFrozen ? storeSupport().waitForChange(kernel, (sb >>> 5) as SuperBlockHandle) : 0;
}

/**
 * May something be changed through this mount? Asked before every change of a name or an attribute.
 *
 * @returns 0; -EAGAIN while the file system is frozen; -EROFS
 * @see Linux mnt_want_write()
 */
export function wantWrite(kernel: Kernel, mnt: MountHandle): number {
  const { core } = kernel;
  return waitUnlessThawed(kernel, core.u32[(mnt << 3) + MOUNT_SB]) || (isReadOnly(core, mnt) ? -EROFS : 0);
}

/** As wantWrite(), for the data of an inode that is open for writing: it may be. @returns 0; -EAGAIN while frozen */
export function wantWriteInode(kernel: Kernel, inode: InodeHandle): number {
  return waitUnlessThawed(kernel, kernel.core.u32[(inode << 3) + INODE_SB]);
}

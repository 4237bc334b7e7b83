/**
 * May something be changed? Not while it is read-only, and while it is frozen not yet.
 *
 * Does not own: freezing (freeze.ts), calls that wait in the midst of writing (writer.ts).
 *
 * @see Linux fs/namespace.c mnt_want_write(), include/linux/fs.h file_start_write()
 */
import { EROFS } from "../base/errno.ts";
import type { InodeHandle, MountHandle, SuperBlockHandle } from "../base/handles.ts";
import { INODE_SB, MOUNT_SB, SB_FROZEN, SUPER_BLOCK_FLAGS } from "../wasm/layout.ts";
import type { Kernel } from "./kernel.ts";
import { isReadOnly } from "./mount-flags.ts";
import { storeSupport } from "./store-part.ts";

/** @param address of a super block */
function wantWriteSuper(kernel: Kernel, address: number): number {
  if (!(kernel.core.u32[(address >>> 2) + SUPER_BLOCK_FLAGS] & SB_FROZEN)) return 0;
  return storeSupport().waitForThaw(kernel, (address >>> 5) as SuperBlockHandle);
}

/**
 * May something be changed through this mount? Asked before every change of a name or an attribute.
 *
 * @returns 0; -EAGAIN with a token while the file system is frozen; -EROFS
 */
export function wantWrite(kernel: Kernel, mnt: MountHandle): number {
  const { core } = kernel;
  return wantWriteSuper(kernel, core.u32[(mnt << 3) + MOUNT_SB]) || (isReadOnly(core, mnt) ? -EROFS : 0);
}

/** As wantWrite(), for the data of an inode that is open for writing. @returns 0; -EAGAIN with a token while frozen */
export function wantWriteInode(kernel: Kernel, inode: InodeHandle): number {
  return wantWriteSuper(kernel, kernel.core.u32[(inode << 3) + INODE_SB]);
}

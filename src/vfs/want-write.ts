/**
 * May something be changed? Not while it is read-only, and while it is frozen not yet.
 *
 * Does not own: freezing (freeze.ts).
 *
 * @see Linux fs/namespace.c mnt_want_write()
 */
import { EROFS } from "../base/errno.ts";
import type { InodeHandle, MountHandle, SuperBlockHandle } from "../base/handles.ts";
import {
  INODE_SB,
  MNT_READONLY,
  MOUNT_FLAGS,
  MOUNT_SB,
  SB_FROZEN,
  SB_RDONLY,
  SUPER_BLOCK_FLAGS,
} from "../wasm/layout.ts";
import type { Kernel } from "./kernel.ts";
import { storeSupport } from "./store-part.ts";

/**
 * May something be changed through this mount? Asked before every change of a name or an attribute.
 *
 * @returns 0; -EAGAIN while the file system is frozen; -EROFS
 * @see Linux mnt_want_write()
 */
export function wantWrite(kernel: Kernel, mnt: MountHandle): number {
  const { u32 } = kernel.core;
  const sb = u32[(mnt << 3) + MOUNT_SB] >>> 5;
  const flags = u32[(sb << 3) + SUPER_BLOCK_FLAGS];
  if (((u32[(mnt << 3) + MOUNT_FLAGS] & MNT_READONLY) | (flags & (SB_RDONLY | SB_FROZEN))) === 0) return 0;
  return flags & SB_FROZEN ? storeSupport().waitForChange(kernel, sb as SuperBlockHandle) : -EROFS;
}

/** As wantWrite(), for the data of an inode that is open for writing: it may be. @returns 0; -EAGAIN while frozen */
export function wantWriteInode(kernel: Kernel, inode: InodeHandle): number {
  const { u32 } = kernel.core;
  const sb = u32[(inode << 3) + INODE_SB] >>> 5;
  return u32[(sb << 3) + SUPER_BLOCK_FLAGS] & SB_FROZEN
    ? storeSupport().waitForChange(kernel, sb as SuperBlockHandle)
    : 0;
}

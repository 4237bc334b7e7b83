/**
 * What the flags of a mount and of its super block say to a system call.
 *
 * Does not own: how they come to be set (mount.ts), access times (assembly/fs/read-write.ts).
 */
import type { MountHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import {
  MNT_NODEV,
  MNT_NOEXEC,
  MNT_READONLY,
  MOUNT_FLAGS,
  MOUNT_SB,
  SB_NODEV,
  SB_NOEXEC,
  SB_RDONLY,
  SUPER_BLOCK_FLAGS,
} from "../wasm/layout.ts";

function sbFlags(core: Core, mnt: MountHandle): number {
  return core.u32[(core.u32[(mnt << 3) + MOUNT_SB] >>> 2) + SUPER_BLOCK_FLAGS];
}

/** True if nothing may be changed through this mount (Linux mnt_want_write). */
export function isReadOnly(core: Core, mnt: MountHandle): boolean {
  return (core.u32[(mnt << 3) + MOUNT_FLAGS] & MNT_READONLY) !== 0 || (sbFlags(core, mnt) & SB_RDONLY) !== 0;
}

/** True if files may be executed through this mount. @see Linux fs/exec.c path_noexec() */
export function mayExecute(core: Core, mnt: MountHandle): boolean {
  return !(core.u32[(mnt << 3) + MOUNT_FLAGS] & MNT_NOEXEC) && !(sbFlags(core, mnt) & SB_NOEXEC);
}

/** True if device nodes may be opened through this mount. @see Linux fs/namei.c may_open_dev() */
export function mayOpenDevices(core: Core, mnt: MountHandle): boolean {
  return !(core.u32[(mnt << 3) + MOUNT_FLAGS] & MNT_NODEV) && !(sbFlags(core, mnt) & SB_NODEV);
}

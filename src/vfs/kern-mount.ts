/**
 * Mounts in no place: a file system for the kernel's own use, or for tools.
 *
 * Does not own: mounts in the tree (mount.ts).
 *
 * @see Linux fs/namespace.c kern_mount(), kern_unmount()
 */
import { EINVAL } from "../base/errno.ts";
import type { MountHandle } from "../base/handles.ts";
import { MNT_INTERNAL, MOUNT_FLAGS } from "../wasm/layout.ts";
import type { FileSystemType } from "./fs-type.ts";
import type { Kernel } from "./kernel.ts";
import { dropMount, leaveTree, mountHandles } from "./mount.ts";

/**
 * Mounts a file system in no place, pseudo file systems too. Nobody walks to it, and no snapshot has it.
 *
 * @returns the mount or a negated errno
 */
export function kernMount(kernel: Kernel, type: FileSystemType, data = "", source?: string): number {
  const mnt = kernel.makeMount(type, data, 0, source);
  if (mnt > 0) kernel.core.u32[(mnt << 3) + MOUNT_FLAGS] |= MNT_INTERNAL;
  return mnt;
}

/** The end of kernMount(): the mount goes with the last file that is open on it. @returns 0; -EINVAL for another mount */
export function kernUmount(kernel: Kernel, mnt: MountHandle): number {
  const { core } = kernel;
  const isKnown = [...mountHandles(core)].includes(mnt);
  if (!isKnown || !(core.u32[(mnt << 3) + MOUNT_FLAGS] & MNT_INTERNAL)) return -EINVAL;
  leaveTree(core, mnt);
  dropMount(kernel, mnt);
  return 0;
}

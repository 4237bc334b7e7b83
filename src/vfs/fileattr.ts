/**
 * Flags of inodes that chattr(1) sets: append-only and immutable, of files and directories in memory. What they forbid is asked where it
 * would be done (I_APPEND, I_IMMUTABLE).
 *
 * @see Linux fs/file_attr.c ioctl_setflags(), vfs_fileattr_set(), mm/shmem.c shmem_fileattr_set(); ioctl_iflags(2)
 */
import { ENOTTY, EOPNOTSUPP, EPERM } from "../base/errno.ts";
import type { InodeHandle } from "../base/handles.ts";
import { S_IFDIR, S_IFREG } from "../base/stat-flags.ts";
import {
  I_APPEND,
  I_IMMUTABLE,
  INODE_SB,
  INODE_STATE,
  SB_MEMORY,
  SUPER_BLOCK_FLAGS,
  TOUCH_CTIME,
} from "../wasm/layout.ts";
import { isCapable, ownerOrCapable, typeOf } from "./attr.ts";
import { type FileTarget, findTarget } from "./file-target.ts";
import { FS_ATTRIB } from "./fsnotify-events.ts";
import type { Kernel } from "./kernel.ts";
import { pathsChanged } from "./path-cache.ts";
import type { Task } from "./task.ts";
import { wantWrite } from "./want-write.ts";

/** Nothing of the file may be changed, nor its names. */
export const FS_IMMUTABLE_FL = 0x10;
/** It can be written to at its end alone; in a directory names can be made alone. */
export const FS_APPEND_FL = 0x20;

/** Has the file such flags? */
function hasFlags({ core }: Kernel, inode: InodeHandle): boolean {
  const { u32 } = core;
  if (!(u32[(u32[(inode << 3) + INODE_SB] >>> 2) + SUPER_BLOCK_FLAGS] & SB_MEMORY)) return false;
  const type = typeOf(core, inode);
  return type === S_IFREG || type === S_IFDIR;
}

function flagsOf({ core: { u32 } }: Kernel, inode: InodeHandle): number {
  const state = u32[(inode << 3) + INODE_STATE];
  return (state & I_IMMUTABLE ? FS_IMMUTABLE_FL : 0) | (state & I_APPEND ? FS_APPEND_FL : 0);
}

/** Sets the states that flags stand for, of an inode in memory. @param state union of I_APPEND, I_IMMUTABLE @returns 0 */
export function setState(kernel: Kernel, inode: InodeHandle, state: number): number {
  const { core } = kernel;
  const at = (inode << 3) + INODE_STATE;
  core.u32[at] = (core.u32[at] & ~(I_IMMUTABLE | I_APPEND)) | state;
  pathsChanged(core);
  core.x.touch(inode, TOUCH_CTIME, kernel.now());
  return 0;
}

/** FS_IOC_GETFLAGS. @returns union of FS_*_FL; errors of the walk, -EBADF; -ENOTTY where there are none */
export function getFlags(task: Task, target: FileTarget): number {
  const found = findTarget(task, target);
  if (typeof found === "number") return found;
  return hasFlags(task.kernel, found.inode) ? flagsOf(task.kernel, found.inode) : -ENOTTY;
}

/**
 * FS_IOC_SETFLAGS.
 *
 * @returns 0; errors of the walk, -EBADF; -EROFS; -ENOTTY; -EPERM for others than the owner, and to change either flag for others than
 *   root; -EOPNOTSUPP for other flags
 */
export function setFlags(task: Task, target: FileTarget, flags: number): number {
  const { kernel } = task;
  const found = findTarget(task, target);
  if (typeof found === "number") return found;
  const { inode, mnt } = found;
  const refused = wantWrite(kernel, mnt);
  if (refused) return refused;
  if (!hasFlags(kernel, inode)) return -ENOTTY;
  if (!ownerOrCapable(task, inode)) return -EPERM;
  const changes = (flags ^ flagsOf(kernel, inode)) & (FS_IMMUTABLE_FL | FS_APPEND_FL);
  if (changes && !isCapable(task)) return -EPERM;
  if (flags & ~(FS_IMMUTABLE_FL | FS_APPEND_FL)) return -EOPNOTSUPP;
  const state = (flags & FS_IMMUTABLE_FL ? I_IMMUTABLE : 0) | (flags & FS_APPEND_FL ? I_APPEND : 0);
  const own = kernel.tableOf(inode).inode.setFlags;
  const rc = own ? own(kernel, inode, state) : setState(kernel, inode, state);
  if (rc < 0) return rc;
  kernel.fsnotify?.changed(found, FS_ATTRIB);
  return 0;
}

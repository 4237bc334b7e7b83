/**
 * Unmounting with flags: lazily, by force, or what nobody has walked into.
 *
 * Does not own: umount without flags (mount.ts).
 *
 * @see Linux fs/namespace.c path_umount(), can_umount(), do_umount(); umount2(2)
 */
import { EAGAIN, EBUSY, EINVAL, EPERM } from "../base/errno.ts";
import type { MountHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import {
  LOOKUP_FOLLOW,
  MNT_EXPIRY_MARK,
  MOUNT_COUNT,
  MOUNT_FLAGS,
  MOUNT_PARENT,
  TASK_ROOT_MOUNT,
} from "../wasm/layout.ts";
import { isCapable } from "./attr.ts";
import type { Kernel } from "./kernel.ts";
import { detachMount, dropMount, isInTree, mountHandles, superOf, unmountIdle } from "./mount.ts";
import { MNT_DETACH, MNT_EXPIRE, MNT_FORCE, UMOUNT_NOFOLLOW } from "./mount-constants.ts";
import { ndMount, walk } from "./namei.ts";
import { pathsChanged } from "./path-cache.ts";
import { isLostWhenFrozen } from "./sget.ts";
import type { Path } from "./syscalls.ts";
import type { Task } from "./task.ts";

/** Flags by name, as options of calls. */
export const umountOptions = { detach: MNT_DETACH, force: MNT_FORCE, expire: MNT_EXPIRE, noFollow: UMOUNT_NOFOLLOW };
const UMOUNT_FLAGS = MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW;

/**
 * Unmounts what is mounted at a place.
 *
 * @param flags MNT_FORCE asks the file system to give up on what it waits for; MNT_DETACH takes the mount and all below it
 *   out of the tree, and they live on as long as somebody uses them; MNT_EXPIRE unmounts what nobody has walked into since
 *   it was tried last; UMOUNT_NOFOLLOW does not follow a link at the end
 * @returns 0; in the order checked -EINVAL for other flags; errors of the walk; -EPERM for others than root; -EINVAL (nothing
 *   is mounted there, or it is out of the tree; MNT_EXPIRE with FORCE or DETACH, or of the task's root; MNT_DETACH of the
 *   root of the tree); -EBUSY for the root of the tree and for what is in use (open files, working directories, mounts
 *   below), and for the last mount of a frozen file system that nobody could thaw any more; -EAGAIN (MNT_EXPIRE: it is
 *   marked now). -EBUSY with a wait token while a store takes its time to write, to end inodes or to close files; 0 with a
 *   wait token: it has come to the last of it, putSuper and the root
 * @see Linux fs/namespace.c path_umount(), can_umount(), do_umount()
 */
export function umount2(task: Task, target: Path, flags: number): number {
  if (flags & ~UMOUNT_FLAGS) return -EINVAL;
  const { kernel } = task;
  const { core } = kernel;
  const marked = flags & MNT_EXPIRE ? expiryMarks(core) : []; // this walk goes in, too
  const start = walk(task, target, flags & UMOUNT_NOFOLLOW ? 0 : LOOKUP_FOLLOW);
  if (start < 0) return start;
  const found = core.x.walkFollowMounts();
  const mnt = ndMount(core);
  for (const other of marked) setMountFlags(core, other, MNT_EXPIRY_MARK);
  if (!isCapable(task)) return -EPERM;
  if (found !== kernel.rootOf(mnt) || !isInTree(core, mnt)) return -EINVAL;
  const isExpired = marked.includes(mnt);
  clearMountFlags(core, mnt, MNT_EXPIRY_MARK);
  if (flags & MNT_EXPIRE) {
    if (flags & (MNT_FORCE | MNT_DETACH) || mnt === rootMountOf(task)) return -EINVAL;
    if (core.u32[(mnt << 3) + MOUNT_COUNT] > 1) return -EBUSY;
    if (!isExpired) return markForExpiry(core, mnt);
  }
  if (flags & MNT_FORCE) superOf(kernel, mnt).type.superOps?.umountBegin?.(superOf(kernel, mnt));
  return flags & MNT_DETACH ? detach(kernel, mnt) : unmountIdle(kernel, mnt);
}

function rootMountOf({ kernel, handle }: Task): MountHandle {
  return (kernel.core.u32[(handle << 3) + TASK_ROOT_MOUNT] >>> 5) as MountHandle;
}

function expiryMarks(core: Core): MountHandle[] {
  return [...mountHandles(core)].filter((mnt) => core.u32[(mnt << 3) + MOUNT_FLAGS] & MNT_EXPIRY_MARK);
}

/** Known paths into it are forgotten, so that whoever uses one walks, and takes the mark away. @returns -EAGAIN */
function markForExpiry(core: Core, mnt: MountHandle): number {
  setMountFlags(core, mnt, MNT_EXPIRY_MARK);
  pathsChanged(core);
  return -EAGAIN;
}

/** Takes a mount and all below it out of the tree, each for itself. */
function detach(kernel: Kernel, mnt: MountHandle): number {
  const { core } = kernel;
  if (core.u32[(mnt << 3) + MOUNT_PARENT] === 0) return -EINVAL;
  const tree = subtree(core, mnt);
  if (tree.some((below) => isLostWhenFrozen(superOf(kernel, below)))) return -EBUSY;
  for (const below of tree.reverse()) {
    detachMount(core, below);
    dropMount(kernel, below);
  }
  return 0;
}

/** A mount and all below it, parents first. */
function subtree(core: Core, top: MountHandle): MountHandle[] {
  const below = [...mountHandles(core)].filter((mnt) => core.u32[(mnt << 3) + MOUNT_PARENT] >>> 5 === top);
  return [top, ...below.flatMap((mnt) => subtree(core, mnt))];
}

function setMountFlags({ u32 }: Core, mnt: MountHandle, flags: number): void {
  u32[(mnt << 3) + MOUNT_FLAGS] |= flags;
}

function clearMountFlags({ u32 }: Core, mnt: MountHandle, flags: number): void {
  u32[(mnt << 3) + MOUNT_FLAGS] &= ~flags;
}

/**
 * Path walks as the system calls use them: a walk in the core, and the steps that a file system takes itself.
 *
 * Errors of every walk, in the order in which they are met, stand at the head of assembly/fs/namei.ts.
 *
 * Does not own: the walk (assembly/fs/namei.ts), what is done with what it finds.
 */
import { ENAMETOOLONG, ENOENT } from "../base/errno.ts";
import type { DentryHandle, FileHandle, InodeHandle, MountHandle } from "../base/handles.ts";
import { type Core, PATH_A, SLOT } from "../wasm/core.ts";
import {
  DENTRY_INODE,
  FILE_DENTRY,
  FILE_MNT,
  HANDOVER_LOOKUP,
  I_DEAD,
  INODE_SB,
  INODE_STATE,
  MAY_EXEC,
  MAY_WRITE,
  NAME_MAX,
  SB_PERMISSION,
  SLOT_ND_DENTRY,
  SLOT_ND_LAST_LEN,
  SLOT_ND_LAST_TYPE,
  SLOT_ND_MOUNT,
  SLOT_ND_PARENT,
  SLOT_ND_PARENT_MOUNT,
  SLOT_ND_TRAILING,
  SUPER_BLOCK_FLAGS,
} from "../wasm/layout.ts";
import { putPath } from "../wasm/path-buffer.ts";
import type { Kernel } from "./kernel.ts";
import { storeSupport } from "./store-part.ts";
import type { Path } from "./syscalls.ts";
import type { Task } from "./task.ts";

/** A handle field of the walk's state in the slot (SLOT_ND_*). */
export function nd(core: Core, field: number): number {
  return core.u32[SLOT + field] >>> 5;
}
/** What the walk has found, 0 = the last component is missing. */
export function ndDentry(core: Core): DentryHandle {
  return nd(core, SLOT_ND_DENTRY) as DentryHandle;
}
/** The mount that it was found on. */
export function ndMount(core: Core): MountHandle {
  return nd(core, SLOT_ND_MOUNT) as MountHandle;
}
/** Directory of the last component. */
export function ndParent(core: Core): DentryHandle {
  return nd(core, SLOT_ND_PARENT) as DentryHandle;
}
/** The mount that the directory of the last component was found on. */
export function ndParentMount(core: Core): MountHandle {
  return nd(core, SLOT_ND_PARENT_MOUNT) as MountHandle;
}
/** LAST_* of the last component. */
export function ndLastType(core: Core): number {
  return core.u32[SLOT + SLOT_ND_LAST_TYPE];
}
/** True if the directory of the last component has been removed: no name can be made in it, or looked for. */
export function ndIsDead(core: Core): boolean {
  return (core.u32[(inodeOf(core, ndParent(core)) << 3) + INODE_STATE] & I_DEAD) !== 0;
}
/**
 * Why a last component that is missing is no name, for the caller to answer at the moment it is looked up.
 *
 * @returns 0; -ENOENT or -ENAMETOOLONG for one that is too long, in a directory that has been removed or in any other
 */
export function ndNameError(core: Core): number {
  if (core.u32[SLOT + SLOT_ND_LAST_LEN] <= NAME_MAX) return 0;
  return ndIsDead(core) ? -ENOENT : -ENAMETOOLONG;
}
/** 1 if slashes follow the last component. */
export function ndTrailing(core: Core): number {
  return core.u32[SLOT + SLOT_ND_TRAILING];
}
/** Inode of a dentry, 0 = it is negative. */
export function inodeOf(core: Core, dentry: DentryHandle): InodeHandle {
  return (core.u32[(dentry << 3) + DENTRY_INODE] >>> 5) as InodeHandle;
}

/**
 * Walks a path of the task; the result is in the slot (ndDentry, ndMount ...) until the next walk.
 *
 * @param flags LOOKUP_*
 * @param base open directory that a relative path starts from, 0 = the task's working directory
 * @returns the dentry; 0 with LOOKUP_LAST when just the last component is missing; a negated errno
 */
export function walk(task: Task, path: Path, flags: number, base = 0 as FileHandle): number {
  const { core } = task.kernel;
  task.enter();
  const len = putPath(core, path, PATH_A);
  if (len < 0) return len;
  const rc = core.x.walk(len, base, flags);
  return rc > -HANDOVER_LOOKUP ? rc : handOver(task.kernel, rc);
}

/**
 * May the task that is served? Asks the file system where it has a say.
 *
 * Precondition: a walk has just been done, or standAt() says where the inode is held.
 *
 * @param mask union of MAY_*
 */
export function inodePermission(kernel: Kernel, inode: InodeHandle, mask: number): number {
  const { core } = kernel;
  const own = kernel.tableOf(inode).inode.permission;
  return own ? storeSupport().askPermission(kernel, inode, mask, own) : core.x.permission(inode, mask);
}

/** Makes the place of an open file what a walk has found. */
export function standAt(core: Core, file: FileHandle): void {
  const { u32 } = core;
  const at = file << 3;
  u32[SLOT + SLOT_ND_DENTRY] = u32[at + FILE_DENTRY];
  u32[SLOT + SLOT_ND_PARENT] = u32[at + FILE_DENTRY];
  u32[SLOT + SLOT_ND_MOUNT] = u32[at + FILE_MNT];
}

/** May make a name in `dir` (assembly/fs/permission.ts mayCreate()), with a say for the file system. */
export function mayCreate(kernel: Kernel, dir: InodeHandle): number {
  return kernel.core.x.mayCreate(dir) || mayChangeNames(kernel, dir);
}

/** May take the name `victim` out of `dir` (assembly/fs/permission.ts mayDelete()), with a say for the file system. */
export function mayDelete(kernel: Kernel, dir: InodeHandle, victim: DentryHandle, wantDir: number): number {
  return kernel.core.x.mayDelete(dir, victim, wantDir) || mayChangeNames(kernel, dir);
}

function mayChangeNames(kernel: Kernel, dir: InodeHandle): number {
  const { u32 } = kernel.core;
  const sb = u32[(dir << 3) + INODE_SB] >>> 2;
  return u32[sb + SUPER_BLOCK_FLAGS] & SB_PERMISSION ? inodePermission(kernel, dir, MAY_WRITE | MAY_EXEC) : 0;
}

/** Answers what a walk asks for until it ends. @param rc what the walk answered, a handover @returns as walk() */
export function handOver(kernel: Kernel, rc: number): number {
  return storeSupport().handOver(kernel, rc);
}

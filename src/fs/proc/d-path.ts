/**
 * From a place back to its path, as a task sees it whose call it need not be. Bytes, as names are.
 *
 * Does not own: paths of the task that is served (assembly/fs/d-path.ts), which are ENOENT where these say "(deleted)".
 *
 * @see Linux fs/d_path.c d_path(), dentry_path(); fs/proc_namespace.c show_mountinfo()
 */
import type { DentryHandle, MountHandle } from "../../base/handles.ts";
import { utf8Encoder } from "../../base/utf8.ts";
import type { LinkPlace } from "../../vfs/fs-type.ts";
import { Dentry, Inode } from "../../vfs/inode.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { superOf } from "../../vfs/mount.ts";
import type { Task } from "../../vfs/task.ts";
import {
  DCACHE_HASHED,
  DENTRY_FLAGS,
  MNT_INTERNAL,
  MOUNT_FLAGS,
  MOUNT_MOUNTPOINT,
  MOUNT_PARENT,
  TASK_CWD_DENTRY,
  TASK_CWD_MOUNT,
  TASK_ROOT_DENTRY,
  TASK_ROOT_MOUNT,
} from "../../wasm/layout.ts";

const SLASH = utf8Encoder.encode("/");

/** Root directory of a task. */
export function rootOfTask({ kernel, handle }: Task): LinkPlace {
  return placeAt(kernel, handle, TASK_ROOT_MOUNT, TASK_ROOT_DENTRY);
}

/** Working directory of a task. */
export function cwdOfTask({ kernel, handle }: Task): LinkPlace {
  return placeAt(kernel, handle, TASK_CWD_MOUNT, TASK_CWD_DENTRY);
}

/** A mount and a dentry that a record names. */
export function placeAt({ core }: Kernel, record: number, mntField: number, dentryField: number): LinkPlace {
  const at = record << 3;
  return {
    mnt: (core.u32[at + mntField] >>> 5) as MountHandle,
    dentry: (core.u32[at + dentryField] >>> 5) as DentryHandle,
  };
}

/**
 * The path of a place, from a task's root on, or from as far up as it hangs together. Names that are gone end in " (deleted)";
 * what lies in a mount without a place is "type:[inode]".
 */
export function dPath(task: Task, place: LinkPlace): Uint8Array {
  const { kernel } = task;
  if (kernel.core.u32[(place.mnt << 3) + MOUNT_FLAGS] & MNT_INTERNAL) return inodeName(kernel, place);
  const { names } = climb(task, place);
  const path = joined(names);
  return isUnlinked(kernel, place.dentry) ? concat([path, utf8Encoder.encode(" (deleted)")]) : path;
}

/** As dPath(), of what the task can reach. @returns undefined when that is not so @see Linux seq_path_root() */
export function reachablePath(task: Task, place: LinkPlace): Uint8Array | undefined {
  const { names, isAtRoot } = climb(task, place);
  return isAtRoot ? joined(names) : undefined;
}

/** The path of a dentry within its file system. @see Linux dentry_path() */
export function dentryPath(kernel: Kernel, dentry: DentryHandle): Uint8Array {
  const names: Uint8Array[] = [];
  for (let at = dentry; !isRoot(kernel, at); at = new Dentry(kernel, at).parent) names.unshift(nameOf(kernel, at));
  const path = joined(names);
  return isUnlinked(kernel, dentry) ? concat([path, utf8Encoder.encode("//deleted")]) : path;
}

/** All names on the way up, the uppermost first. */
function climb(task: Task, { mnt, dentry }: LinkPlace): { names: Uint8Array[]; isAtRoot: boolean } {
  const { kernel } = task;
  const { u32 } = kernel.core;
  const root = rootOfTask(task);
  const names: Uint8Array[] = [];
  let at = { mnt, dentry };
  while (at.mnt !== root.mnt || at.dentry !== root.dentry) {
    if (at.dentry !== kernel.rootOf(at.mnt)) {
      // Moved to where its mount does not show it: Linux says no more of it than "/".
      if (isRoot(kernel, at.dentry)) return { names: [], isAtRoot: false };
      names.unshift(nameOf(kernel, at.dentry));
      at = { mnt: at.mnt, dentry: new Dentry(kernel, at.dentry).parent };
    } else if (u32[(at.mnt << 3) + MOUNT_PARENT] === 0) return { names, isAtRoot: false };
    else at = placeAt(kernel, at.mnt, MOUNT_PARENT, MOUNT_MOUNTPOINT);
  }
  return { names, isAtRoot: true };
}

/** A file that has never had a name goes by its number. */
function nameOf(kernel: Kernel, handle: DentryHandle): Uint8Array {
  const dentry = new Dentry(kernel, handle);
  const { name } = dentry;
  return name.length > 0 ? name : utf8Encoder.encode(`#${new Inode(kernel, dentry.inode).ino}`);
}

function inodeName(kernel: Kernel, { mnt, dentry }: LinkPlace): Uint8Array {
  const { ino } = new Inode(kernel, new Dentry(kernel, dentry).inode);
  return utf8Encoder.encode(`${superOf(kernel, mnt).type.name}:[${ino}]`);
}

function isRoot(kernel: Kernel, dentry: DentryHandle): boolean {
  return new Dentry(kernel, dentry).parent === dentry;
}

/** @see Linux d_unlinked() */
function isUnlinked(kernel: Kernel, dentry: DentryHandle): boolean {
  const flags = kernel.core.u8[dentry * 32 + DENTRY_FLAGS * 2];
  return !(flags & DCACHE_HASHED) && !isRoot(kernel, dentry);
}

function joined(names: readonly Uint8Array[]): Uint8Array {
  return names.length === 0 ? SLASH : concat(names.flatMap((name) => [SLASH, name]));
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/**
 * Calls relative to an open directory: openat(2) and its kin.
 *
 * A call that walks one such path is made with the directory in the place of the working directory: between one and the other nobody
 * else can look. Calls of two walk the other from its open directory.
 *
 * Does not own: the calls (open.ts, dir-ops.ts, attr.ts).
 *
 * @see Linux fs/namei.c path_init(), do_linkat(), do_renameat2(); POSIX.1-2024 openat()
 */
import { EINVAL, ENOENT, ENOTDIR, EPERM } from "../base/errno.ts";
import type { FileHandle } from "../base/handles.ts";
import { AT_SYMLINK_FOLLOW, O_EXCL, O_TMPFILE } from "../base/stat-flags.ts";
import { TRY_AGAIN } from "../mm/address-space.ts";
import {
  FILE_CRED,
  FILE_DENTRY,
  FILE_FLAGS,
  FILE_MNT,
  LOOKUP_FOLLOW,
  LOOKUP_LAST,
  TASK_CWD_DENTRY,
  TASK_CWD_MOUNT,
} from "../wasm/layout.ts";
import { inodeOfFile, isCapable, mountOfFile } from "./attr.ts";
import { credOf } from "./cred.ts";
import { isRename, linkInode, renameWalked } from "./dir-ops.ts";
import { inodeOf, ndDentry, ndMount, walk } from "./namei.ts";
import type { Path } from "./syscalls.ts";
import type { Task } from "./task.ts";
import { resultOf } from "./waiting.ts";

/** In place of a directory's descriptor: the working directory. */
export const AT_FDCWD = -100;
/** With no path: the descriptor's own file. */
export const AT_EMPTY_PATH = 0x1000;

const SLASH = 0x2f;

function isAbsolute(path: Path): boolean {
  return typeof path === "string" ? path.startsWith("/") : path[0] === SLASH;
}

/** The open directory that a relative path starts from. @returns 0 = the path says all; -EBADF, -ENOTDIR */
function baseOf(task: Task, dir: number, path: Path): FileHandle | number {
  if (path.length === 0 || isAbsolute(path) || dir === AT_FDCWD) return 0;
  const file = task.file(dir);
  if (!file) return task.files.missing(dir);
  return task.kernel.core.x.isDirectory(inodeOfFile(task.kernel.core, file)) ? file : -ENOTDIR;
}

/** What a path is to the calls, from the working directory on where it is relative to that. */
function fromHere(task: Task, dir: number, path: Path): Path {
  return dir === AT_FDCWD ? task.fromCwd(path) : path;
}

/** Makes a call whose path starts from an open directory. @returns what it answers; -EBADF, -ENOTDIR */
export function callAt<T>(task: Task, dir: number, path: Path, call: (path: Path) => T | number): T | number {
  const base = baseOf(task, dir, path);
  if (base < 0) return base;
  return base === 0 ? call(fromHere(task, dir, path)) : inDirectory(task, base as FileHandle, () => call(path));
}

/** Makes a call in an open directory. Nothing is held: the open file holds it, and the task goes back. */
function inDirectory<T>(task: Task, dir: FileHandle, call: () => T): T {
  const { kernel } = task;
  const at = task.handle << 3;
  const stand = (mount: number, dentry: number): void => {
    const { u32 } = kernel.core;
    u32[at + TASK_CWD_MOUNT] = mount;
    u32[at + TASK_CWD_DENTRY] = dentry;
    task.paths.clear(); // it knows relative paths, too
  };
  const { u32 } = kernel.core;
  const before = [u32[at + TASK_CWD_MOUNT], u32[at + TASK_CWD_DENTRY]] as const;
  stand(u32[(dir << 3) + FILE_MNT], u32[(dir << 3) + FILE_DENTRY]);
  try {
    return call();
  } finally {
    stand(...before);
  }
}

/** Makes a call, and again when there is room. */
export function withRoom(task: Task, call: () => number): number {
  for (;;) {
    const rc = task.kernel.room(call());
    if (rc !== TRY_AGAIN) return rc;
  }
}

/** As rename(). @returns as that; -EBADF, -ENOTDIR */
export function renameat2(task: Task, oldDir: number, from: Path, newDir: number, to: Path, flags: number): number {
  if (!isRename(flags)) return -EINVAL;
  if (from.length === 0 || to.length === 0) return -ENOENT;
  const fromBase = baseOf(task, oldDir, from);
  if (fromBase < 0) return fromBase;
  const toBase = baseOf(task, newDir, to);
  const { kernel } = task;
  const done = resultOf(task, "rename", from, to);
  if (done !== undefined) return done;
  kernel.holdTime(true);
  try {
    const [a, b] = [fromHere(task, oldDir, from), fromHere(task, newDir, to)];
    if (toBase < 0) return walkOnly(task, a, fromBase as FileHandle) || toBase;
    return renameWalked(task, a, b, flags, fromBase as FileHandle, toBase as FileHandle);
  } finally {
    kernel.holdTime(false);
  }
}

/** The error of a path that is walked before another is found to be none. */
function walkOnly(task: Task, path: Path, base: FileHandle): number {
  return Math.min(walk(task, path, LOOKUP_LAST, base), 0);
}

/**
 * As link(), which follows a symbolic link at the end with AT_SYMLINK_FOLLOW, and with AT_EMPTY_PATH and no path gives the descriptor's
 * file a name: one that has been opened with O_TMPFILE, too, unless with O_EXCL.
 *
 * @returns as link(); -EINVAL for other flags; -ENOENT for AT_EMPTY_PATH by others than root and who has opened it, as it is for no path
 */
export function linkat(task: Task, oldDir: number, existing: Path, newDir: number, path: Path, flags: number): number {
  if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) return -EINVAL;
  const { core } = task.kernel;
  const done = resultOf(task, "link", existing, path);
  if (done !== undefined) return done;
  const call = { name: "link", a: existing, b: path };
  if (existing.length === 0 && flags & AT_EMPTY_PATH) {
    if (oldDir === AT_FDCWD) return -EPERM;
    const file = task.file(oldDir);
    if (!file) return task.files.missing(oldDir);
    task.enter();
    if (core.u32[(file << 3) + FILE_CRED] >>> 2 !== credOf(task) && !isCapable(task)) return -ENOENT;
    const opened = core.u32[(file << 3) + FILE_FLAGS];
    const isLinkable = (opened & O_TMPFILE) === O_TMPFILE && !(opened & O_EXCL);
    return callAt(task, newDir, path, (to) =>
      linkInode(task, call, inodeOfFile(core, file), mountOfFile(core, file), to, isLinkable),
    );
  }
  const base = baseOf(task, oldDir, existing);
  if (base < 0) return base;
  const follow = flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0;
  const found = walk(task, fromHere(task, oldDir, existing), follow, base as FileHandle);
  if (found < 0) return found;
  const inode = inodeOf(core, ndDentry(core));
  const mnt = ndMount(core);
  core.x.iget(inode);
  const rc = callAt(task, newDir, path, (to) => linkInode(task, call, inode, mnt, to));
  core.x.iput(inode);
  task.kernel.evictInodes();
  return rc;
}

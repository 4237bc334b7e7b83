/**
 * Names: mkdir, rmdir, mknod, symlink, link, unlink, rename. What POSIX and Linux check before a file system is asked,
 * in their order; then the file system's operation; then the dcache.
 *
 * Does not own: files made by opening them (open.ts), the dcache (assembly/fs/dentry.ts), what names do to inodes (fs/).
 *
 * @see Linux fs/namei.c filename_create(), do_mkdirat(), do_unlinkat(), do_renameat2(), vfs_rename()
 */
import {
  EAGAIN,
  EBUSY,
  EEXIST,
  EINVAL,
  EISDIR,
  EMLINK,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  EOPNOTSUPP,
  EPERM,
  EXDEV,
} from "../base/errno.ts";
import type { DentryHandle, FileHandle, InodeHandle, MountHandle } from "../base/handles.ts";
import {
  AT_REMOVEDIR,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
  S_IALLUGO,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_ISVTX,
} from "../base/stat-flags.ts";
import { type Core, PATH_A, PATH_B } from "../wasm/core.ts";
import {
  DCACHE_MOUNTED,
  DENTRY_FLAGS,
  HANDOVER_LOOKUP,
  I_APPEND,
  I_IMMUTABLE,
  INODE_NLINK,
  INODE_STATE,
  LAST_DOT,
  LAST_DOTDOT,
  LAST_NORM,
  LOOKUP_LAST,
  LOOKUP_PATH_B,
  MAY_WRITE,
} from "../wasm/layout.ts";
import { putPath } from "../wasm/path-buffer.ts";
import { isCapable, newMode } from "./attr.ts";
import { dropName, makeChange, moveName, nameMade } from "./change-name.ts";
import type { Answer, InodeOperations } from "./fs-type.ts";
import type { Kernel } from "./kernel.ts";
import {
  handOver,
  inodeOf,
  inodePermission,
  mayCreate,
  mayDelete,
  ndIsDead,
  ndLastType,
  ndMount,
  ndNameError,
  ndParent,
  ndParentMount,
  ndTrailing,
  walk,
} from "./namei.ts";
import type { Path } from "./syscalls.ts";
import type { Task } from "./task.ts";
import { type Call, resultOf } from "./waiting.ts";
import { wantWrite } from "./want-write.ts";

// --- Making names -----------------------------------------------------------------------------------------------------

/** What makes the inode behind a new name. */
type Make = (dir: InodeHandle, dentry: DentryHandle, operations: InodeOperations) => Answer;

/**
 * Makes a name: walks to its directory, checks, and lets `make` fill the new dentry.
 *
 * @param call the system call: its `a` or `b` is the path
 * @param linked the file that gets the name, where it is there already
 * @returns 0; errors of the walk; -EEXIST; -ENOENT (slashes behind what is to be no directory); -EROFS; -EXDEV; errors of
 *   mayCreate(); -ENOSPC, or where the names are only cached -ENOMEM; what `make` answers
 */
function createName(task: Task, call: Call, path: Path, wantsDir: boolean, make: Make, linked?: Linked): number {
  const found = walk(task, path, LOOKUP_LAST);
  return found < 0 ? found : createAtWalk(task, call, found, wantsDir, make, linked);
}

/** The file that link() gives a name, and the mount that it must lie on. */
interface Linked {
  inode: InodeHandle;
  mnt: MountHandle;
}

/** As createName(), where the walk has been done. @param found what it answered */
function createAtWalk(task: Task, call: Call, found: number, wantsDir: boolean, make: Make, linked?: Linked): number {
  const { kernel } = task;
  const { core } = kernel;
  if (found !== 0) return wantWrite(kernel, ndParentMount(core)) === -EAGAIN ? -EAGAIN : -EEXIST;
  const nameError = ndNameError(core);
  if (nameError) return nameError;
  if (ndTrailing(core) && !wantsDir) return -ENOENT;
  const mnt = ndParentMount(core);
  const readOnly = wantWrite(kernel, mnt);
  if (readOnly) return readOnly;
  if (linked && mnt !== linked.mnt) return -EXDEV;
  const parent = ndParent(core);
  const dir = inodeOf(core, parent);
  const denied = mayCreate(kernel, dir);
  if (denied) return denied;
  const dentry = core.x.dAllocLast() as DentryHandle;
  if (dentry < 0) return dentry;
  const { inode } = kernel.tableOf(dir);
  const rc = makeChange(
    task,
    call,
    linked ? { mnt, dir: parent, dentry, inode: linked.inode } : { mnt, dir: parent, dentry },
    () => make(dir, dentry, inode),
    (answer) => nameMade(kernel, dentry, answer),
  );
  core.x.dput(dentry);
  return rc;
}

/**
 * Makes a directory; of `mode` the permission bits and the sticky bit count. @returns as createName(); -EPERM; -EMLINK
 */
export function mkdir(task: Task, path: Path, mode: number): number {
  const done = resultOf(task, "mkdir", path, mode);
  if (done !== undefined) return done;
  const bits = mode & (0o777 | S_ISVTX);
  const { core } = task.kernel;
  task.enter();
  const length = putPath(core, path, PATH_A);
  if (length < 0) return length;
  const rc = core.x.mkdirPlain(length, bits);
  return rc === -EOPNOTSUPP ? mkdirWalked(task, { name: "mkdir", a: path, b: mode }, path, bits) : rc;
}

/** What the core leaves of it (assembly/fs/plain-names.ts mkdirPlain()). */
function mkdirWalked(task: Task, call: Call, path: Path, bits: number): number {
  const { kernel } = task;
  return createName(task, call, path, true, (dir, dentry, operations) => {
    if (!operations.mkdir) return -EPERM;
    if (hasMaxLinks(task, dir)) return -EMLINK;
    return operations.mkdir(kernel, dir, dentry, S_IFDIR | (bits & ~task.umaskOf()));
  });
}

/**
 * @param mode type and permission bits; type 0 is a regular file
 * @param dev of a device; character device 0 is a whiteout, which anybody may make
 * @returns as createName(); -EPERM for a directory or a device of others than root; -EINVAL
 */
export function mknod(task: Task, path: Path, mode: number, dev: number): number {
  const { kernel } = task;
  const type = mode & S_IFMT || S_IFREG;
  const isDevice = type === S_IFCHR || type === S_IFBLK;
  const isWhiteout = type === S_IFCHR && dev === 0;
  if (type === S_IFDIR) return -EPERM;
  if (![S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK].includes(type)) return -EINVAL;
  const call = { name: "mknod", a: path, b: mode };
  return (
    resultOf(task, "mknod", path, mode) ??
    createName(task, call, path, false, (dir, dentry, operations) => {
      const wanted = type | newMode(task, dir, mode & S_IALLUGO);
      if (type === S_IFREG) return operations.create?.(kernel, dir, dentry, wanted) ?? -EPERM;
      if (isDevice && !isWhiteout && !isCapable(task)) return -EPERM;
      return operations.mknod?.(kernel, dir, dentry, wanted, isDevice ? dev : 0) ?? -EPERM;
    })
  );
}

/** @returns as createName(); -ENOENT for an empty target, -ENAMETOOLONG for one of 4096 bytes or more */
export function symlink(task: Task, target: Path, path: Path): number {
  const { kernel } = task;
  const { core } = kernel;
  if (target.length === 0) return -ENOENT;
  const length = putPath(core, target, PATH_B);
  if (length < 0) return length;
  const call = { name: "symlink", a: target, b: path };
  return (
    resultOf(task, "symlink", target, path) ??
    createName(task, call, path, false, (dir, dentry, operations) => {
      if (!operations.symlink) return -EPERM;
      const again = putPath(core, target, PATH_A); // the walk may have used both buffers
      return operations.symlink(kernel, dir, dentry, again);
    })
  );
}

/**
 * Gives a file another name; a symbolic link is not followed but linked.
 *
 * @returns 0; errors of both walks; -ENOENT; -EEXIST; -EROFS; -EXDEV; -EACCES; -EPERM for a directory; -EMLINK
 */
export function link(task: Task, existing: Path, path: Path): number {
  const { core } = task.kernel;
  const done = resultOf(task, "link", existing, path);
  if (done !== undefined) return done;
  if (namePlain(task, existing, path, true) === 0) return 0;
  const source = walk(task, existing, 0) as DentryHandle;
  if (source < 0) return source;
  return linkInode(task, { name: "link", a: existing, b: path }, inodeOf(core, source), ndMount(core), path);
}

/** Gives a file that has been found the name `path`. @param linkable a file without a name may get one @returns as link() */
export function linkInode(
  task: Task,
  call: Call,
  inode: InodeHandle,
  mnt: MountHandle,
  path: Path,
  linkable = false,
): number {
  const { kernel } = task;
  const { core } = kernel;
  core.x.iget(inode);
  const make: Make = (dir, dentry, operations) =>
    mayLink(task, inode, linkable) || (operations.link?.(kernel, inode, dir, dentry) ?? -EPERM);
  const rc = createName(task, call, path, false, make, { inode, mnt });
  core.x.iput(inode);
  kernel.evictInodes();
  return rc;
}

/** @returns 0; -EPERM; -ENOENT without any name, unless it is `linkable`; -EMLINK */
function mayLink(task: Task, inode: InodeHandle, linkable: boolean): number {
  const { core } = task.kernel;
  if (core.u32[(inode << 3) + INODE_STATE] & (I_APPEND | I_IMMUTABLE)) return -EPERM;
  if (core.x.isDirectory(inode)) return -EPERM;
  if (core.u32[(inode << 3) + INODE_NLINK] === 0 && !linkable) return -ENOENT;
  return hasMaxLinks(task, inode) ? -EMLINK : 0;
}

function hasMaxLinks(task: Task, inode: InodeHandle): boolean {
  const { maxLinks } = task.kernel.sbOf(inode);
  return maxLinks !== 0 && task.kernel.core.u32[(inode << 3) + INODE_NLINK] >= maxLinks;
}

// --- Taking names away --------------------------------------------------------------------------------------------------

function isMounted(core: Core, dentry: DentryHandle): boolean {
  return ((core.u32[(dentry << 3) + (DENTRY_FLAGS >> 1)] >>> ((DENTRY_FLAGS & 1) * 16)) & DCACHE_MOUNTED) !== 0;
}

/** @returns 0; errors of the walk; -EISDIR; -EROFS; -ENOENT; -ENOTDIR (slashes behind a file); errors of mayDelete(); -EBUSY */
export function unlink(task: Task, path: Path): number {
  const { kernel } = task;
  kernel.holdTime(true); // both ways ask for it
  try {
    return unlinkPlain(task, path) === 0 ? 0 : unlinkWalked(task, path, NO_BASE);
  } finally {
    kernel.holdTime(false);
  }
}

/** @param dir descriptor of the directory that the path starts from, NO_BASE = the working directory */
function unlinkWalked(task: Task, path: Path, dir: number, base?: FileHandle): number {
  const { core } = task.kernel;
  const done = resultOf(task, "unlink", path, dir);
  if (done !== undefined) return done;
  const found = walk(task, path, LOOKUP_LAST, base) as DentryHandle;
  if (found < 0) return found;
  if (ndLastType(core) !== LAST_NORM) return -EISDIR;
  const refused = wantWrite(task.kernel, ndParentMount(core));
  if (refused) return refused;
  if (found === 0) return missing(core);
  if (ndTrailing(core)) return core.x.isDirectory(inodeOf(core, found)) ? -EISDIR : -ENOTDIR;
  return remove(task, { name: "unlink", a: path, b: dir }, found, 0);
}

/** The common case in one call. @returns 0; -EOPNOTSUPP when nothing has been done (assembly/fs/plain-names.ts) */
function unlinkPlain(task: Task, path: Path): number {
  const { kernel } = task;
  task.enter();
  const length = putPath(kernel.core, path, PATH_A);
  if (length < 0) return -EOPNOTSUPP;
  const rc = kernel.core.x.unlinkPlain(length, kernel.now());
  kernel.evictInodes();
  return rc;
}

/** @returns 0; errors of the walk; -EINVAL for ".", -ENOTEMPTY for "..", -EBUSY for "/"; -EROFS; -ENOENT; errors of mayDelete() */
export function rmdir(task: Task, path: Path): number {
  return rmdirWalked(task, path, NO_BASE);
}

/** As unlinkWalked(). */
function rmdirWalked(task: Task, path: Path, dir: number, base?: FileHandle): number {
  const { core } = task.kernel;
  const done = resultOf(task, "rmdir", path, dir);
  if (done !== undefined) return done;
  const found = walk(task, path, LOOKUP_LAST, base) as DentryHandle;
  if (found < 0) return found;
  const type = ndLastType(core);
  if (type !== LAST_NORM) return type === LAST_DOT ? -EINVAL : type === LAST_DOTDOT ? -ENOTEMPTY : -EBUSY;
  const refused = wantWrite(task.kernel, ndParentMount(core));
  if (refused) return refused;
  return found === 0 ? missing(core) : remove(task, { name: "rmdir", a: path, b: dir }, found, 1);
}

/** As unlink(), or with AT_REMOVEDIR as rmdir(), from an open directory on. @returns as these; -EBADF */
export function unlinkat(task: Task, dir: number, path: Path, flags: number): number {
  const base = task.file(dir);
  if (!base) return task.files.missing(dir);
  return flags & AT_REMOVEDIR ? rmdirWalked(task, path, dir, base) : unlinkWalked(task, path, dir, base);
}

/** Why the last component of a walk is not there. */
function missing(core: Core): number {
  return ndNameError(core) || -ENOENT;
}

/**
 * Removes a directory and all that is below it in one go.
 *
 * @returns 0; -EOPNOTSUPP when it has to be done name by name, and nothing has changed: for others than root, for what
 *   is no directory, on errors that a walk name by name will find and report, and where the file system cannot
 */
export function removeTree(task: Task, path: Path): number {
  const { kernel } = task;
  const { core } = kernel;
  const found = walk(task, path, LOOKUP_LAST) as DentryHandle;
  if (found <= 0 || ndLastType(core) !== LAST_NORM || !isCapable(task)) return -EOPNOTSUPP;
  const dir = inodeOf(core, ndParent(core));
  const operation = kernel.tableOf(dir).inode.removeTree;
  if (!operation || wantWrite(kernel, ndParentMount(core)) || mayDelete(kernel, dir, found, 1)) return -EOPNOTSUPP;
  if (kernel.fsnotify?.watchesTree(found)) return -EOPNOTSUPP;
  if (operation(kernel, dir, found) < 0) return -EOPNOTSUPP;
  kernel.evictInodes();
  return 0;
}

/** Checks and removes what the walk has found. @param wantDir 1 for rmdir */
function remove(task: Task, call: Call, dentry: DentryHandle, wantDir: number): number {
  const { kernel } = task;
  const { core } = kernel;
  const parent = ndParent(core);
  const dir = inodeOf(core, parent);
  const denied = mayDelete(kernel, dir, dentry, wantDir);
  if (denied) return denied;
  const operations = kernel.tableOf(dir).inode;
  const operation = wantDir ? operations.rmdir : operations.unlink;
  if (!operation) return -EPERM;
  if (isMounted(core, dentry)) return -EBUSY;
  const rc = makeChange(
    task,
    call,
    { mnt: ndParentMount(core), dir: parent, dentry },
    () => operation(kernel, dir, dentry),
    (answer) => dropName(kernel, dentry, answer),
  );
  kernel.evictInodes();
  return rc;
}

/** In place of a descriptor: the working directory. */
const NO_BASE = -1;

// --- Rename -------------------------------------------------------------------------------------------------------------

/** One side of a rename: what a walk has found. */
interface End {
  mnt: MountHandle;
  parent: DentryHandle;
  dentry: DentryHandle;
  lastType: number;
  trailing: boolean;
  /** Why it can be no name, 0 = it can. */
  nameError: number;
}

function walkEnd(task: Task, path: Path, at: number, base = 0 as FileHandle): End | number {
  const { core } = task.kernel;
  task.enter();
  const len = putPath(core, path, at);
  if (len < 0) return len;
  const rc = core.x.walk(len, base, LOOKUP_LAST | (at === PATH_B ? LOOKUP_PATH_B : 0));
  const dentry = rc > -HANDOVER_LOOKUP ? rc : handOver(task.kernel, rc);
  if (dentry < 0) return dentry;
  return {
    mnt: ndParentMount(core),
    parent: ndParent(core),
    dentry: dentry as DentryHandle,
    lastType: ndLastType(core),
    trailing: ndTrailing(core) !== 0,
    nameError: ndIsDead(core) ? -ENOENT : ndNameError(core),
  };
}

const RENAME_FLAGS = RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT;

/** To swap leaves both names as they are: neither may be free, and none becomes it. */
export function isRename(flags: number): boolean {
  return (flags & ~RENAME_FLAGS) === 0 && (!(flags & RENAME_EXCHANGE) || flags === RENAME_EXCHANGE);
}

/**
 * Renames, or swaps (RENAME_EXCHANGE), or leaves a whiteout under the old name (RENAME_WHITEOUT).
 *
 * @returns 0; -EINVAL for unknown or contradicting flags; errors of both walks; -EXDEV; -EBUSY for "." and ".."; -EROFS;
 *   -ENOENT; -EEXIST (RENAME_NOREPLACE); -ENOTDIR (slashes behind a file); -EINVAL (into itself); -ENOTEMPTY (over an
 *   ancestor); errors of mayDelete() and mayCreate(); -EBUSY for mountpoints; what the file system answers
 */
export function rename(task: Task, from: Path, to: Path, flags: number): number {
  if (!isRename(flags)) return -EINVAL;
  const { kernel } = task;
  const done = resultOf(task, "rename", from, to);
  if (done !== undefined) return done;
  kernel.holdTime(true); // both ways ask for it
  try {
    return flags === 0 && namePlain(task, from, to, false) === 0 ? 0 : renameWalked(task, from, to, flags);
  } finally {
    kernel.holdTime(false);
  }
}

/**
 * As rename(), from open directories on. Precondition: the flags are some, and time stands still.
 *
 * @param fromBase what `from` starts at, missing: the working directory @param toBase the same of `to`
 */
export function renameWalked(
  task: Task,
  from: Path,
  to: Path,
  flags: number,
  fromBase?: FileHandle,
  toBase?: FileHandle,
): number {
  const { kernel } = task;
  const { core } = kernel;
  const old = walkEnd(task, from, PATH_A, fromBase);
  if (typeof old === "number") return old;
  core.x.dget(old.parent); // a file system's own lookup on the second walk must not free what the first has found
  if (old.dentry) core.x.dget(old.dentry);
  const target = walkEnd(task, to, PATH_B, toBase);
  const call = { name: "rename", a: from, b: to };
  const rc = typeof target === "number" ? target : renameEnds(task, call, old, target, flags);
  if (old.dentry) core.x.dput(old.dentry);
  core.x.dput(old.parent);
  kernel.evictInodes();
  return rc;
}

/** Link or rename, as unlinkPlain(). */
function namePlain(task: Task, from: Path, to: Path, isLink: boolean): number {
  const { kernel } = task;
  const { core } = kernel;
  task.enter();
  const fromLength = putPath(core, from, PATH_A);
  const toLength = putPath(core, to, PATH_B);
  if (fromLength < 0 || toLength < 0) return -EOPNOTSUPP;
  const rc = isLink ? core.x.linkPlain(fromLength, toLength) : core.x.renamePlain(fromLength, toLength, kernel.now());
  kernel.evictInodes();
  return rc;
}

function renameEnds(task: Task, call: Call, old: End, target: End, flags: number): number {
  const { core } = task.kernel;
  if (old.mnt !== target.mnt) return -EXDEV;
  if (old.lastType !== LAST_NORM) return -EBUSY;
  if (target.lastType !== LAST_NORM) return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
  const readOnly = wantWrite(task.kernel, old.mnt);
  if (readOnly) return readOnly;
  if (old.dentry === 0) return old.nameError || -ENOENT;
  if (target.nameError) return target.nameError;
  if (target.dentry !== 0 && flags & RENAME_NOREPLACE) return -EEXIST;
  if (target.dentry === 0 && flags & RENAME_EXCHANGE) return -ENOENT;
  const refused = slashesRefused(core, old, target, flags) || familyRefused(core, old, target, flags);
  if (refused) return refused;
  return target.dentry === 0
    ? renameToNew(task, call, old, target, flags)
    : vfsRename(task, call, old, target, target.dentry, flags);
}

/** Slashes behind a name want a directory. */
function slashesRefused(core: Core, old: End, target: End, flags: number): number {
  const exchange = flags & RENAME_EXCHANGE;
  if (exchange && target.trailing && !core.x.isDirectory(inodeOf(core, target.dentry))) return -ENOTDIR;
  if (core.x.isDirectory(inodeOf(core, old.dentry))) return 0;
  return old.trailing || (!exchange && target.trailing) ? -ENOTDIR : 0;
}

/** A directory goes neither into itself nor over one that it lies in. */
function familyRefused(core: Core, old: End, target: End, flags: number): number {
  if (core.x.isSubdir(target.parent, old.dentry)) return -EINVAL;
  if (target.dentry === 0 || !core.x.isSubdir(old.parent, target.dentry)) return 0;
  return flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
}

function renameToNew(task: Task, call: Call, old: End, target: End, flags: number): number {
  const { core } = task.kernel;
  const fresh = core.x.dAllocLast() as DentryHandle;
  if (fresh < 0) return fresh;
  const rc = vfsRename(task, call, old, target, fresh, flags);
  core.x.dput(fresh);
  return rc;
}

/** @see Linux fs/namei.c vfs_rename() */
function vfsRename(task: Task, call: Call, old: End, target: End, newDentry: DentryHandle, flags: number): number {
  const { kernel } = task;
  const { core } = kernel;
  const oldDir = inodeOf(core, old.parent);
  const newDir = inodeOf(core, target.parent);
  const inode = inodeOf(core, old.dentry);
  const replaced = inodeOf(core, newDentry);
  if (inode === replaced) return 0;
  const refused = mayRename(kernel, oldDir, newDir, old.dentry, newDentry, flags);
  if (refused) return refused;
  const operation = kernel.tableOf(oldDir).inode.rename;
  if (!operation) return -EPERM;
  if (isMounted(core, old.dentry) || isMounted(core, newDentry)) return -EBUSY;
  const isDir = core.x.isDirectory(inode) === 1;
  if (isDir && oldDir !== newDir && !replaced && hasMaxLinks(task, newDir)) return -EMLINK;
  const { mnt, parent: dir, dentry } = old;
  const isMove = isDir && oldDir !== newDir;
  return makeChange(
    task,
    call,
    { mnt, dir, dentry, otherDir: target.parent, otherDentry: newDentry, isMove },
    () => operation(kernel, oldDir, dentry, newDir, newDentry, flags),
    (answer) => moveName(kernel, dentry, newDentry, flags, answer),
  );
}

function mayRename(
  kernel: Kernel,
  oldDir: InodeHandle,
  newDir: InodeHandle,
  oldDentry: DentryHandle,
  newDentry: DentryHandle,
  flags: number,
): number {
  const { core } = kernel;
  const isDir = core.x.isDirectory(inodeOf(core, oldDentry));
  const replaced = inodeOf(core, newDentry);
  const replacedIsDir = replaced && core.x.isDirectory(replaced);
  let denied = mayDelete(kernel, oldDir, oldDentry, isDir);
  if (denied) return denied;
  if (!replaced) denied = mayCreate(kernel, newDir);
  else denied = mayDelete(kernel, newDir, newDentry, flags & RENAME_EXCHANGE ? replacedIsDir : isDir);
  if (denied || oldDir === newDir) return denied;
  // A directory that moves gets another "..": that is a write to it.
  if (isDir) denied = inodePermission(kernel, inodeOf(core, oldDentry), MAY_WRITE);
  if (!denied && flags & RENAME_EXCHANGE && replacedIsDir) denied = inodePermission(kernel, replaced, MAY_WRITE);
  return denied;
}

// --- Two operations of libfs --------------------------------------------------------------------------------------------
// They stand here since the VFS knows them: directories that have no other leave plain cases to the core.

/** Takes a link away from a file; its name is the VFS's to drop. @returns 0 */
export function simpleUnlink(kernel: Kernel, _dir: InodeHandle, dentry: DentryHandle): number {
  kernel.core.x.simpleUnlink(dentry, kernel.now());
  return 0;
}

/** Link counts, sizes and times of a rename, and its whiteout. @returns 0; -ENOTEMPTY; -ENOSPC */
export function simpleRename(
  kernel: Kernel,
  oldDir: InodeHandle,
  oldDentry: DentryHandle,
  _newDir: InodeHandle,
  newDentry: DentryHandle,
  flags: number,
): number {
  const { x } = kernel.core;
  if (flags & RENAME_EXCHANGE) {
    x.simpleExchange(oldDentry, newDentry, kernel.now());
    return 0;
  }
  if (flags & RENAME_WHITEOUT) {
    const rc = simpleWhiteout(kernel, oldDir, oldDentry, newDentry);
    if (rc < 0) return rc;
  }
  return x.simpleRename(oldDentry, newDentry, kernel.now());
}

const WHITEOUT_DEV = 0;

/**
 * Makes the whiteout that a rename leaves. Until the VFS moves the name that goes, there are two of it.
 *
 * @returns 0; -ENOTEMPTY for what the rename would replace: from here on it must not fail; -ENOSPC
 * @see Linux mm/shmem.c shmem_whiteout()
 */
function simpleWhiteout(kernel: Kernel, dir: InodeHandle, oldDentry: DentryHandle, newDentry: DentryHandle): number {
  const { x } = kernel.core;
  if (x.hasChildren(newDentry)) return -ENOTEMPTY;
  const dentry = x.dAllocTwin(oldDentry) as DentryHandle;
  if (dentry < 0) return dentry;
  const rc = kernel.tableOf(dir).inode.mknod?.(kernel, dir, dentry, S_IFCHR, WHITEOUT_DEV) ?? -EINVAL;
  x.dput(dentry);
  return rc as number; // names of libfs lie in memory
}

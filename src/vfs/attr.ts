/**
 * Attributes: stat, access, chmod, chown, utimens, statfs.
 *
 * Does not own: sizes (read-write.ts), changes that a file system with a store is asked for (setattr.ts), the check of the mode bits (assembly/fs/permission.ts), limits (super blocks).
 *
 * @see Linux fs/stat.c, fs/attr.c setattr_prepare(), setattr_copy(), fs/open.c chmod_common(), chown_common()
 */
import { EACCES, EAGAIN, EINVAL, ENOENT, ENOSYS, EOPNOTSUPP, EPERM, EROFS } from "../base/errno.ts";
import type { FileHandle, InodeHandle, MountHandle } from "../base/handles.ts";
import {
  AT_SYMLINK_NOFOLLOW,
  S_IALLUGO,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_ISGID,
  S_ISUID,
  UTIME_NOW,
  UTIME_OMIT,
} from "../base/stat-flags.ts";
import { inodeOfFile } from "../mm/page.ts";
import { type Core, PATH_A } from "../wasm/core.ts";
import {
  ADDRESS_SPACE_FLAGS,
  AS_NO_STORE,
  FILE_MNT,
  FILE_MODE,
  FMODE_PATH,
  HANDOVER_LOOKUP,
  I_APPEND,
  I_IMMUTABLE,
  INODE_ATIME_NSEC,
  INODE_ATIME_SEC,
  INODE_GID,
  INODE_MAPPING,
  INODE_MODE,
  INODE_MTIME_NSEC,
  INODE_MTIME_SEC,
  INODE_STATE,
  INODE_UID,
  LOOKUP_FOLLOW,
  MAY_EXEC,
  MAY_WRITE,
  TOUCH_CTIME,
} from "../wasm/layout.ts";
import { putPath } from "../wasm/path-buffer.ts";
import { credOf, inGroup, isCapable, ownerOrCapable, uidOf } from "./cred.ts";
import {
  ATTR_ATIME,
  ATTR_ATIME_SET,
  ATTR_GID,
  ATTR_MODE,
  ATTR_MTIME,
  ATTR_MTIME_SET,
  ATTR_TIMES_SET,
  ATTR_UID,
} from "./fs-type.ts";
import { FS_ATTRIB } from "./fsnotify-events.ts";
import type { Kernel } from "./kernel.ts";
import { isReadOnly, mayExecute } from "./mount-flags.ts";
import { handOver, inodeOf, inodePermission, ndDentry, ndMount, standAt, walk } from "./namei.ts";
import { ENTRY_DENTRY, ENTRY_INODE, ENTRY_VERSION, pathsChanged } from "./path-cache.ts";
import { type HeldInode, setattrOf } from "./setattr-of.ts";
import { storeSupport, storeSupportIfAny } from "./store-part.ts";
import type { Path } from "./syscalls.ts";
import type { Task } from "./task.ts";
import { type Call, resultOf } from "./waiting.ts";
import { wantWrite } from "./want-write.ts";

export { isCapable, ownerOrCapable, uidOf };

/** The id that says "leave it" to chown. */
const NO_ID = 0xffffffff;
const NSEC_PER_MS = 1e6;

function follow(flags: number): number {
  return flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
}

/** Mount of an open file. */
export function mountOfFile({ u32 }: Core, file: FileHandle): MountHandle {
  return (u32[(file << 3) + FILE_MNT] >>> 5) as MountHandle;
}

export { inodeOfFile };

/** Whether nothing lies behind an inode's pages: then the core can read and write them whole, by itself. */
export function hasNoStore(core: Core, inode: InodeHandle): boolean {
  const mapping = core.u32[(inode << 3) + INODE_MAPPING] >>> 2;
  return (core.u32[mapping + ADDRESS_SPACE_FLAGS] & AS_NO_STORE) !== 0;
}

/** What an inode is, S_IFMT of its mode. */
export function typeOf(core: Core, inode: InodeHandle): number {
  return core.u32[(inode << 3) + INODE_MODE] & S_IFMT;
}

/** The open file behind a descriptor; 0 = none, or one that O_PATH has made a place only. */
export function fdget(task: Task, fd: number): FileHandle {
  const file = task.file(fd);
  return file && task.kernel.core.u32[(file << 3) + FILE_MODE] & FMODE_PATH ? (0 as FileHandle) : file;
}

/** Attributes of a path, into task.statValues. @returns 0, or the errors of the walk */
export function stat(task: Task, path: Path, flags: number): number {
  const { kernel } = task;
  const { core } = kernel;
  const { paths } = task;
  task.enter();
  const entry = paths.find(path);
  if (entry >= 0) {
    const known = core.x.statKnown(paths.words[entry + ENTRY_INODE], paths.words[entry + ENTRY_VERSION]);
    if (known === 0 || known === -ENOENT) return known;
    if (known > 0) return statInode(task, paths.words[entry + ENTRY_INODE] as InodeHandle);
  }
  return statByWalk(task, path, flags, entry);
}

function statByWalk(task: Task, path: Path, flags: number, entry: number): number {
  const { kernel, paths } = task;
  const { core } = kernel;
  const len = putPath(core, path, PATH_A);
  if (len < 0) return len;
  const rc = core.x.statPath(len, follow(flags));
  let found = 0;
  if (rc <= -HANDOVER_LOOKUP) found = handOver(kernel, rc);
  else {
    if (flags === 0) paths.note(core, path, entry, len, rc);
    if (rc <= 0) return rc;
  }
  return found < 0 ? found : statInode(task, inodeOf(core, ndDentry(core)), found > 0);
}

/** Does a path lead to something? Errors on the way are a no. @returns undefined when a store must answer first */
export function exists(task: Task, path: Path): boolean | undefined {
  const { kernel, paths } = task;
  const { core } = kernel;
  const entry = paths.find(path);
  if (entry >= 0 && paths.isCurrent(core, entry)) return paths.words[entry + ENTRY_DENTRY] !== 0;
  return existsByWalk(task, path, entry);
}

function existsByWalk(task: Task, path: Path, entry: number): boolean | undefined {
  const { kernel, paths } = task;
  const { core } = kernel;
  task.enter();
  const len = putPath(core, path, PATH_A);
  if (len < 0) return false;
  const rc = core.x.walk(len, 0 as FileHandle, LOOKUP_FOLLOW);
  if (rc <= -HANDOVER_LOOKUP) {
    const found = handOver(kernel, rc);
    return found === -EAGAIN ? undefined : found > 0;
  }
  paths.note(core, path, entry, len, rc);
  return rc > 0;
}

/** Attributes of an open file, into task.statValues. @returns 0, -EBADF, what the file system's getattr() answers */
export function fstat(task: Task, fd: number): number {
  task.enter();
  const file = task.file(fd);
  return file ? statInode(task, inodeOfFile(task.kernel.core, file)) : task.files.missing(fd);
}

function statInode(task: Task, inode: InodeHandle, isWalked = false): number {
  const { kernel } = task;
  kernel.core.x.statInode(inode);
  return kernel.tableOf(inode).inode.getattr?.(kernel, inode, task.statValues, isWalked) ?? 0;
}

/** May the task? @param mode union of R_OK, W_OK, X_OK @returns 0, -EINVAL, errors of the walk, -EACCES, -EROFS */
export function access(task: Task, path: Path, mode: number): number {
  if (mode & ~7) return -EINVAL;
  const { core } = task.kernel;
  const found = walk(task, path, LOOKUP_FOLLOW);
  if (found < 0 || mode === 0) return Math.min(found, 0);
  const inode = inodeOf(core, ndDentry(core));
  const type = typeOf(core, inode);
  if (mode & MAY_EXEC && type === S_IFREG && !mayExecute(core, ndMount(core))) return -EACCES;
  const denied = inodePermission(task.kernel, inode, mode);
  if (denied) return denied;
  const isSpecial = type !== S_IFREG && type !== S_IFDIR && type !== S_IFLNK;
  return mode & MAY_WRITE && !isSpecial && isReadOnly(core, ndMount(core)) ? -EROFS : 0;
}

/**
 * Permission bits of a file to be made in `dir`: without what the umask takes away, and without set-group-ID for an
 * executable that would get a group its maker is not in.
 *
 * @see Linux include/linux/fs.h mode_strip_umask(), fs/inode.c mode_strip_sgid()
 */
export function newMode(task: Task, dir: InodeHandle, mode: number): number {
  const { u32 } = task.kernel.core;
  const isGroupExecutable = (mode & (S_ISGID | 0o010)) === (S_ISGID | 0o010);
  const takesGroup = isGroupExecutable && (u32[(dir << 3) + INODE_MODE] & S_ISGID) !== 0;
  const strips = takesGroup && !isCapable(task) && !isInGroup(task, u32[(dir << 3) + INODE_GID]);
  return mode & ~task.umaskOf() & (strips ? ~S_ISGID : -1);
}

function isInGroup(task: Task, gid: number): boolean {
  return inGroup(task.kernel.core, credOf(task), gid);
}

// --- Changes ----------------------------------------------------------------------------------------------------------

/** A change that is checked and made on an inode. */
type Change = (held: HeldInode, call: Call) => number;

/** Inodes whose attributes stay as they are. */
const UNCHANGING = I_IMMUTABLE | I_APPEND;

/**
 * @param name of the system call
 * @param values its other arguments
 * @param verdict a negated errno, for what is wrong with the change itself; else states of an inode that allow it all the same
 */
function changePath(
  task: Task,
  name: string,
  path: Path,
  values: number[],
  flags: number,
  change: Change,
  verdict = 0,
): number {
  const { core } = task.kernel;
  const call = { name, a: path, b: task.kernel.mayWait ? `${values},${flags}` : "" };
  const done = resultOf(task, name, path, call.b);
  if (done !== undefined) return done;
  const found = walk(task, path, follow(flags));
  if (found < 0) return found;
  const held = { mnt: ndMount(core), inode: inodeOf(core, ndDentry(core)) };
  return verdict < 0 ? verdict : changeInode(task.kernel, call, held, change, verdict);
}

/** As changePath(). */
function changeFile(task: Task, name: string, fd: number, values: number[], change: Change, verdict = 0): number {
  const { core } = task.kernel;
  const call = { name, a: fd, b: task.kernel.mayWait ? `${values}` : "" };
  const done = resultOf(task, name, fd, call.b);
  if (done !== undefined) return done;
  task.enter();
  const file = fdget(task, fd);
  if (!file) return task.files.missing(fd);
  const mnt = mountOfFile(core, file);
  standAt(core, file);
  const held = { mnt, inode: inodeOfFile(core, file), file };
  return verdict < 0 ? verdict : changeInode(task.kernel, call, held, change, verdict);
}

function changeInode(kernel: Kernel, call: Call, held: HeldInode, change: Change, allowed: number): number {
  const { core } = kernel;
  const refused = wantWrite(kernel, held.mnt);
  if (refused) return refused;
  if (core.u32[(held.inode << 3) + INODE_STATE] & UNCHANGING & ~allowed) return -EPERM;
  return change(held, call);
}

/**
 * Changes the permission bits.
 *
 * @returns 0; errors of the walk; -EROFS; -EPERM (immutable); -EOPNOTSUPP for a symbolic link itself; -EPERM for others
 *   than owner and root
 */
export function chmod(task: Task, path: Path, mode: number, flags: number): number {
  return changePath(task, "chmod", path, [mode], flags, (held, call) => {
    return typeOf(task.kernel.core, held.inode) === S_IFLNK ? -EOPNOTSUPP : setMode(task, held, call, mode);
  });
}

/** Changes the permission bits of an open file. @returns 0; -EBADF; -EROFS; -EPERM */
export function fchmod(task: Task, fd: number, mode: number): number {
  return changeFile(task, "fchmod", fd, [mode], (held, call) => setMode(task, held, call, mode));
}

function setMode(task: Task, held: HeldInode, call: Call, mode: number): number {
  const { kernel } = task;
  const { core } = kernel;
  const { inode } = held;
  const setattr = setattrOf(kernel, inode);
  if (setattr !== undefined) return storeSupport().changeAttributes(task, call, held, ATTR_MODE, { mode }, setattr);
  if (!ownerOrCapable(task, inode)) return -EPERM;
  const at = (inode << 3) + INODE_MODE;
  let bits = mode & S_IALLUGO;
  if (!isCapable(task) && !isInGroup(task, core.u32[(inode << 3) + INODE_GID])) bits &= ~S_ISGID;
  core.u32[at] = (core.u32[at] & S_IFMT) | bits;
  pathsChanged(core);
  core.x.touch(inode, TOUCH_CTIME, kernel.now());
  kernel.fsnotify?.changed(held, FS_ATTRIB);
  return 0;
}

/** Changes owner and group. @param uid -1 = leave it, as for gid @returns 0; errors of the walk; -EROFS; -EPERM */
export function chown(task: Task, path: Path, uid: number, gid: number, flags: number): number {
  const change: Change = (held, call) => setOwner(task, held, call, uid >>> 0, gid >>> 0);
  return changePath(task, "chown", path, [uid, gid], flags, change);
}

/** Changes owner and group of an open file. @param uid -1 = leave it, as for gid @returns 0; -EBADF; -EROFS; -EPERM */
export function fchown(task: Task, fd: number, uid: number, gid: number): number {
  return changeFile(task, "fchown", fd, [uid, gid], (held, call) => setOwner(task, held, call, uid >>> 0, gid >>> 0));
}

/** Only root gives files away; an owner may choose among its groups. Set-ID bits go. */
function setOwner(task: Task, held: HeldInode, call: Call, uid: number, gid: number): number {
  const { kernel } = task;
  const { core } = kernel;
  const { inode } = held;
  const setattr = setattrOf(kernel, inode);
  if (setattr !== undefined) {
    const valid = (uid === NO_ID ? 0 : ATTR_UID) | (gid === NO_ID ? 0 : ATTR_GID);
    const support = storeSupport();
    const kills = support.killFlags(droppedBits(task, inode));
    return support.changeAttributes(task, call, held, valid | kills, { uid, gid }, setattr);
  }
  const at = inode << 3;
  if (!mayChown(task, inode, uid, gid)) return -EPERM;
  const bits = droppedBits(task, inode);
  if (bits && !ownerOrCapable(task, inode)) return -EPERM; // that is a chmod
  const { u32 } = core;
  u32[at + INODE_MODE] &= ~bits;
  if (uid !== NO_ID) u32[at + INODE_UID] = uid;
  if (gid !== NO_ID) u32[at + INODE_GID] = gid;
  pathsChanged(core);
  core.x.touch(inode, TOUCH_CTIME, kernel.now());
  if (bits | ~(uid & gid)) kernel.fsnotify?.changed(held, FS_ATTRIB);
  return 0;
}

/** Set-ID bits of a file that a change of owner takes away. @see Linux setattr_should_drop_suidgid() */
function droppedBits(task: Task, inode: InodeHandle): number {
  const { u32 } = task.kernel.core;
  const mode = u32[(inode << 3) + INODE_MODE];
  if ((mode & S_IFMT) === S_IFDIR) return 0;
  const dropsGroup = mode & 0o010 || (!isCapable(task) && !isInGroup(task, u32[(inode << 3) + INODE_GID]));
  return mode & (S_ISUID | (dropsGroup ? S_ISGID : 0));
}

function mayChown(task: Task, inode: InodeHandle, uid: number, gid: number): boolean {
  if (isCapable(task)) return true;
  const { u32 } = task.kernel.core;
  const isOwner = ownerOrCapable(task, inode);
  if (uid !== NO_ID && !(isOwner && uid === u32[(inode << 3) + INODE_UID])) return false;
  if (gid === NO_ID) return true;
  return isOwner && (isInGroup(task, gid) || gid === u32[(inode << 3) + INODE_GID]);
}

/**
 * Sets the access and the modification time. To leave both alone succeeds whatever the path.
 *
 * @returns 0; errors of the walk; -EINVAL for nanoseconds out of range; -EROFS; -EPERM, or -EACCES for "now"
 * @see Linux fs/utimes.c, fs/attr.c setattr_prepare()
 */
export function utimens(
  task: Task,
  path: Path,
  atimeSec: number,
  atimeNsec: number,
  mtimeSec: number,
  mtimeNsec: number,
  flags: number,
): number {
  if (atimeNsec === UTIME_OMIT && mtimeNsec === UTIME_OMIT) return 0;
  const times = [atimeSec, atimeNsec, mtimeSec, mtimeNsec];
  const change: Change = (held, call) => setTimes(task, held, call, times);
  return changePath(task, "utimensat", path, times, flags, change, checkTimes(atimeNsec, mtimeNsec));
}

/** Sets the times of an open file, as utimens() does. @returns 0; -EBADF; -EINVAL; -EROFS; -EPERM or -EACCES */
export function futimens(
  task: Task,
  fd: number,
  atimeSec: number,
  atimeNsec: number,
  mtimeSec: number,
  mtimeNsec: number,
): number {
  if (atimeNsec === UTIME_OMIT && mtimeNsec === UTIME_OMIT) return 0;
  const times = [atimeSec, atimeNsec, mtimeSec, mtimeNsec];
  const change: Change = (held, call) => setTimes(task, held, call, times);
  return changeFile(task, "futimens", fd, times, change, checkTimes(atimeNsec, mtimeNsec));
}

/** @returns -EINVAL; else I_APPEND for a touch, which what is only appended to allows. @see Linux fs/attr.c may_setattr() */
function checkTimes(...nsecs: number[]): number {
  if (nsecs.every((nsec) => nsec === UTIME_NOW)) return I_APPEND;
  return nsecs.every((nsec) => (nsec >= 0 && nsec < 1e9) || nsec === UTIME_NOW || nsec === UTIME_OMIT) ? 0 : -EINVAL;
}

/** @param times seconds and nanoseconds of atime, then of mtime */
function setTimes(task: Task, held: HeldInode, call: Call, times: number[]): number {
  const { kernel } = task;
  const { core } = kernel;
  const { inode } = held;
  const [atimeSec, atimeNsec, mtimeSec, mtimeNsec] = times;
  const bothNow = atimeNsec === UTIME_NOW && mtimeNsec === UTIME_NOW;
  const setattr = setattrOf(kernel, inode);
  const denied = setattr === undefined || bothNow ? maySetTimes(task, inode, bothNow) : 0;
  if (denied < 0) return denied;
  if (setattr !== undefined) {
    const valid = timeFlags(atimeNsec, ATTR_ATIME, ATTR_ATIME_SET) | timeFlags(mtimeNsec, ATTR_MTIME, ATTR_MTIME_SET);
    const values = { atimeSec, atimeNsec, mtimeSec, mtimeNsec };
    const chosen = bothNow ? 0 : ATTR_TIMES_SET;
    return storeSupport().changeAttributes(task, call, held, valid | chosen, values, setattr);
  }
  const now = kernel.now();
  setTime(core, inode, INODE_ATIME_SEC, INODE_ATIME_NSEC, atimeSec, atimeNsec, now);
  setTime(core, inode, INODE_MTIME_SEC, INODE_MTIME_NSEC, mtimeSec, mtimeNsec, now);
  core.x.touch(inode, TOUCH_CTIME, now);
  kernel.fsnotify?.changed(held, times);
  return 0;
}

function timeFlags(nsec: number, time: number, set: number): number {
  return nsec === UTIME_OMIT ? 0 : nsec === UTIME_NOW ? time : time | set;
}

/** Chosen times are the owner's to set; the present time may be set by whoever may write. */
function maySetTimes(task: Task, inode: InodeHandle, bothNow: boolean): number {
  if (ownerOrCapable(task, inode)) return 0;
  return bothNow ? inodePermission(task.kernel, inode, MAY_WRITE) : -EPERM;
}

function setTime(
  core: Core,
  inode: InodeHandle,
  secField: number,
  nsecField: number,
  sec: number,
  nsec: number,
  nowMs: number,
): void {
  if (nsec === UTIME_OMIT) return;
  const isNow = nsec === UTIME_NOW;
  const nowSec = Math.floor(nowMs / 1000);
  core.f64[(inode << 2) + secField] = isNow ? nowSec : sec;
  core.u32[(inode << 3) + nsecField] = isNow ? (nowMs - nowSec * 1000) * NSEC_PER_MS : nsec;
}

/** Numbers of the file system a path lies on, into task.statfsValues. @returns 0; errors of the walk; -ENOSYS; what statfs() answers */
export function statfs(task: Task, path: Path): number {
  const { core } = task.kernel;
  const found = walk(task, path, LOOKUP_FOLLOW);
  if (found < 0) return found;
  const sb = task.kernel.sbOf(inodeOf(core, ndDentry(core)));
  const values = task.statfsValues;
  const operation = sb.type.superOps?.statfs;
  if (operation === undefined) return -ENOSYS;
  values.fill(0);
  values[0] = sb.magic;
  values[1] = sb.blockSize;
  return operation(sb, values) || (storeSupportIfAny()?.completeStatfs(core, ndMount(core), sb, values) ?? 0);
}

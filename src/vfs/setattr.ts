/**
 * Changes of attributes that are more than a change of the record: asked of a file system with a store before anything
 * changes, with the values (Linux notify_change()).
 *
 *   chmod, chown, utimes, truncate, O_TRUNC, a write that kills set-ID bits
 *     └─► notifyChange() ─► setattr: setattrPrepare() ─► its store ─► truncateSetsize(), setattrCopy() ─► markInodeDirty()
 *
 * File systems in memory have no setattr and never come here: their records are changed in one go (attr.ts).
 *
 * Part of what file systems with a store bring with them (store-support.ts).
 *
 * Does not own: who may call chmod and its kin for which path (attr.ts, read-write.ts).
 *
 * @see Linux fs/attr.c notify_change(), setattr_prepare(), setattr_copy(); fs/libfs.c simple_setattr()
 */
import { EFBIG, EPERM } from "../base/errno.ts";
import type { FileHandle, InodeHandle, MountHandle } from "../base/handles.ts";
import { S_IALLUGO, S_IFMT, S_ISGID, S_ISUID } from "../base/stat-flags.ts";
import { waitForWritesBehind } from "../mm/writeback.ts";
import { type Core, SLOT } from "../wasm/core.ts";
import {
  CRED_UID,
  I_DIRTY_DATASYNC,
  I_DIRTY_SYNC,
  INODE_ATIME_NSEC,
  INODE_ATIME_SEC,
  INODE_CTIME_NSEC,
  INODE_CTIME_SEC,
  INODE_GID,
  INODE_MODE,
  INODE_MTIME_NSEC,
  INODE_MTIME_SEC,
  INODE_SB,
  INODE_SIZE,
  INODE_UID,
  SLOT_CURRENT,
  SUPER_BLOCK_MAX_BYTES,
  TASK_FILE_SIZE_LIMIT,
} from "../wasm/layout.ts";
import { mountOfFile } from "./attr.ts";
import { hasCaps, inGroup, owns, servedCred } from "./cred.ts";
import { inodeDioWait } from "./direct-in-flight.ts";
import { markInodeDirty } from "./dirty-inode.ts";
import {
  type Answer,
  ATTR_ATIME,
  ATTR_ATIME_SET,
  ATTR_CTIME,
  ATTR_FILE,
  ATTR_FORCE,
  ATTR_GID,
  ATTR_KILL_SGID,
  ATTR_KILL_SUID,
  ATTR_MODE,
  ATTR_MTIME,
  ATTR_MTIME_SET,
  ATTR_SIZE,
  ATTR_TIMES_SET,
  ATTR_UID,
  type Attributes,
} from "./fs-type.ts";
import { FS_ATTRIB, FS_MODIFY } from "./fsnotify-events.ts";
import type { Kernel } from "./kernel.ts";
import { truncated } from "./mmap.ts";
import { change } from "./operation.ts";
import { pathsChanged } from "./path-cache.ts";
import { type HeldInode, type Setattr, setattrOf } from "./setattr-of.ts";
import type { Task } from "./task.ts";
import { type Call, resultOf } from "./waiting.ts";

const NSEC_PER_MS = 1e6;

/** Attributes of which none is valid yet. @param valid union of ATTR_* */
function attributes(valid: number, values: Partial<Attributes>): Attributes {
  return {
    mode: 0,
    uid: 0,
    gid: 0,
    size: 0,
    atimeSec: 0,
    atimeNsec: 0,
    mtimeSec: 0,
    mtimeNsec: 0,
    ctimeSec: 0,
    ctimeNsec: 0,
    file: 0 as FileHandle,
    ...values,
    valid,
  };
}

/**
 * Completes a change and asks for it: ctime and the times that are "now" get their values, set-ID bits to be killed become
 * a mode.
 *
 * @returns what setattr answers
 */
function notifyChange(kernel: Kernel, inode: InodeHandle, attr: Attributes, setattr: Setattr): Answer {
  const nowMs = kernel.now();
  const sec = Math.floor(nowMs / 1000);
  const nsec = Math.floor((nowMs - sec * 1000) * NSEC_PER_MS);
  attr.valid |= ATTR_CTIME;
  attr.ctimeSec = sec;
  attr.ctimeNsec = nsec;
  if (attr.valid & ATTR_ATIME && !(attr.valid & ATTR_ATIME_SET)) {
    attr.atimeSec = sec;
    attr.atimeNsec = nsec;
  }
  if (attr.valid & ATTR_MTIME && !(attr.valid & ATTR_MTIME_SET)) {
    attr.mtimeSec = sec;
    attr.mtimeNsec = nsec;
  }
  if (attr.valid & (ATTR_KILL_SUID | ATTR_KILL_SGID)) {
    const killed = (attr.valid & ATTR_KILL_SUID ? S_ISUID : 0) | (attr.valid & ATTR_KILL_SGID ? S_ISGID : 0);
    attr.mode = kernel.core.u32[(inode << 3) + INODE_MODE] & ~killed;
    attr.valid |= ATTR_MODE;
  }
  return setattr(kernel, inode, attr);
}

/**
 * Makes a change for a system call, which waits where the file system does.
 *
 * @param valid union of ATTR_*
 * @param values those that are valid
 * @param finish the rest of the call, given what setattr has answered in the end
 * @returns what `finish` does; -EAGAIN with a token; -ENOMEM
 */
export function changeAttributes(
  task: Task,
  call: Call,
  held: HeldInode,
  valid: number,
  values: Partial<Attributes>,
  setattr: Setattr,
  finish: (answer: number) => number = (answer) => answer,
): number {
  const { kernel } = task;
  const attr = attributes(valid, values);
  const busy = valid & ATTR_SIZE ? waitToCut(kernel, held.inode, attr.size) : 0;
  if (busy < 0) return finish(busy);
  return change(
    task,
    call,
    held,
    () => notifyChange(kernel, held.inode, attr, setattr),
    (answer) => {
      if (answer >= 0) tell(kernel, held, attr.valid);
      return finish(answer);
    },
  );
}

/** Tells who watches. @see Linux include/linux/fsnotify.h fsnotify_change() */
function tell(kernel: Kernel, { inode, file }: HeldInode, valid: number): void {
  const times = valid & (ATTR_ATIME | ATTR_MTIME);
  const isTouched = times === (ATTR_ATIME | ATTR_MTIME);
  let mask = valid & (ATTR_UID | ATTR_GID | ATTR_MODE) || isTouched ? FS_ATTRIB : 0;
  if (valid & ATTR_SIZE || times === ATTR_MTIME) mask |= FS_MODIFY;
  if (mask !== 0) kernel.fsnotify?.changed(file ? { inode, file } : { inode }, mask);
}

/** Who reads or writes round the cache, and what is being written of what goes. @returns 0; -EAGAIN with a token */
function waitToCut(kernel: Kernel, inode: InodeHandle, size: number): number {
  return inodeDioWait(kernel, inode) || waitForWritesBehind(kernel, inode, size);
}

/** ATTR_KILL_* for set-ID bits of a mode. */
export function killFlags(bits: number): number {
  return (bits & S_ISUID ? ATTR_KILL_SUID : 0) | (bits & S_ISGID ? ATTR_KILL_SGID : 0);
}

/**
 * Takes from a file what a write takes away, set-ID bits; a file system with a store is asked. For its own write, before
 * any byte is written.
 *
 * @returns 0; what setattr answers; -EAGAIN with a token, and is to be called again
 * @see Linux fs/inode.c file_remove_privs()
 */
export function fileRemovePrivs(kernel: Kernel, inode: InodeHandle, file = 0 as FileHandle): number {
  const { core } = kernel;
  const task = kernel.current as Task;
  const done = resultOf(task, "file_remove_privs", inode, file);
  if (done !== undefined && done < 0) return done;
  const bits = core.x.privilegesToKill(inode);
  if (bits === 0) return 0;
  const setattr = setattrOf(kernel, inode);
  if (setattr === undefined) {
    core.x.fileRemovePrivileges(inode);
    return 0;
  }
  const mnt = file ? mountOfFile(core, file) : (0 as MountHandle);
  const valid = ATTR_FORCE | killFlags(bits) | (file ? ATTR_FILE : 0);
  const call = { name: "file_remove_privs", a: inode, b: file };
  return changeAttributes(task, call, { mnt, inode, file }, valid, { file }, setattr);
}

/**
 * May the task that is served make this change? Takes set-group-ID out of a mode whose group it is not in. What the VFS
 * itself has decided (ATTR_FORCE) is not asked about, sizes apart.
 *
 * @returns 0; -EFBIG; -EPERM
 */
export function setattrPrepare(kernel: Kernel, inode: InodeHandle, attr: Attributes): number {
  const { core } = kernel;
  const { valid } = attr;
  if (valid & ATTR_SIZE && isTooLarge(core, inode, attr.size)) return -EFBIG;
  if (valid & ATTR_FORCE) return 0;
  const cred = servedCred(core);
  if (hasCaps(core, cred)) return 0;
  if (valid & (ATTR_UID | ATTR_GID) && !mayChown(core, cred, inode, attr)) return -EPERM;
  const isOwner = owns(core, cred, inode);
  if (valid & ATTR_MODE) {
    if (!isOwner) return -EPERM;
    const gid = valid & ATTR_GID ? attr.gid : core.u32[(inode << 3) + INODE_GID];
    if (!inGroup(core, cred, gid)) attr.mode &= ~S_ISGID;
  }
  return valid & (ATTR_ATIME_SET | ATTR_MTIME_SET | ATTR_TIMES_SET) && !isOwner ? -EPERM : 0;
}

/** The limits of the file system, and of the task where a file grows. @see Linux inode_newsize_ok() */
function isTooLarge(core: Core, inode: InodeHandle, size: number): boolean {
  const { u32, f64 } = core;
  if (size > Math.abs(f64[(u32[(inode << 3) + INODE_SB] >>> 3) + SUPER_BLOCK_MAX_BYTES])) return true;
  return size > f64[(inode << 2) + INODE_SIZE] && size > f64[(u32[SLOT + SLOT_CURRENT] >>> 3) + TASK_FILE_SIZE_LIMIT];
}

/** Only root gives files away; an owner may choose among its groups. Precondition: not root. */
function mayChown(core: Core, cred: number, inode: InodeHandle, attr: Attributes): boolean {
  const { u32 } = core;
  const at = inode << 3;
  const isOwner = u32[cred + CRED_UID] === u32[at + INODE_UID];
  if (attr.valid & ATTR_UID && !(isOwner && attr.uid === u32[at + INODE_UID])) return false;
  if (!(attr.valid & ATTR_GID)) return true;
  return isOwner && (inGroup(core, cred, attr.gid) || attr.gid === u32[at + INODE_GID]);
}

/** Takes valid attributes over into the record, but for the size. Cannot fail. */
export function setattrCopy(kernel: Kernel, inode: InodeHandle, attr: Attributes): void {
  const { core } = kernel;
  const { valid } = attr;
  const at = inode << 3;
  if (valid & ATTR_UID) core.u32[at + INODE_UID] = attr.uid;
  if (valid & ATTR_GID) core.u32[at + INODE_GID] = attr.gid;
  if (valid & ATTR_MODE) core.u32[at + INODE_MODE] = (core.u32[at + INODE_MODE] & S_IFMT) | (attr.mode & S_IALLUGO);
  if (valid & (ATTR_UID | ATTR_GID | ATTR_MODE)) pathsChanged(core);
  if (valid & ATTR_ATIME) setTime(core, inode, INODE_ATIME_SEC, INODE_ATIME_NSEC, attr.atimeSec, attr.atimeNsec);
  if (valid & ATTR_MTIME) setTime(core, inode, INODE_MTIME_SEC, INODE_MTIME_NSEC, attr.mtimeSec, attr.mtimeNsec);
  if (valid & ATTR_CTIME) setTime(core, inode, INODE_CTIME_SEC, INODE_CTIME_NSEC, attr.ctimeSec, attr.ctimeNsec);
}

function setTime(
  core: Core,
  inode: InodeHandle,
  sec: number,
  nsec: number,
  seconds: number,
  nanoseconds: number,
): void {
  core.f64[(inode << 2) + sec] = seconds;
  core.u32[(inode << 3) + nsec] = nanoseconds;
}

/**
 * Sets the size, and drops the pages beyond it: after the store has been cut, so that no page is read from what is about
 * to go. Cannot fail.
 *
 * @see Linux mm/truncate.c truncate_setsize(); for the order fs/ext2/inode.c ext2_setsize()
 */
export function truncateSetsize(kernel: Kernel, inode: InodeHandle, size: number): void {
  const { core } = kernel;
  const at = (inode << 2) + INODE_SIZE;
  const isCut = size <= core.f64[at];
  core.f64[at] = size;
  if (!isCut) return;
  kernel.typeOf(inode).pages?.truncate(kernel, inode, size);
  core.x.setSize(inode, size, kernel.now());
  truncated(kernel, inode);
}

/**
 * The setattr of a file system whose records are enough for now: they are marked dirty, and go to the store by writeInode.
 * A changed size changes mtime, as on tmpfs.
 *
 * @returns 0, or what setattrPrepare() answers
 */
export function simpleSetattr(kernel: Kernel, inode: InodeHandle, attr: Attributes): number {
  const refused = setattrPrepare(kernel, inode, attr);
  if (refused < 0) return refused;
  if (attr.valid & ATTR_SIZE) truncateSetsize(kernel, inode, attr.size);
  if (attr.valid & ATTR_SIZE && !(attr.valid & ATTR_MTIME)) {
    attr.valid |= ATTR_MTIME;
    attr.mtimeSec = attr.ctimeSec;
    attr.mtimeNsec = attr.ctimeNsec;
  }
  setattrCopy(kernel, inode, attr);
  markInodeDirty(kernel, inode, I_DIRTY_SYNC | (attr.valid & ATTR_SIZE ? I_DIRTY_DATASYNC : 0));
  return 0;
}

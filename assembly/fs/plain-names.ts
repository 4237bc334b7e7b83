// Plain unlinks, links and renames, whole: of what is no directory, in directories that leave these to libfs. A rename is plain
// where the new name is free, or another such file gives it up. And new directories there, and new files, opened at once.
//
// The rules are those of src/vfs/dir-ops.ts unlink(), link(), rename() and mkdir(), and of open.ts create(), which do all
// others, and all that fail, or that somebody watches.
import {
  DCACHE_MOUNTED, EEXIST, EOPNOTSUPP, HANDOVER_LOOKUP, I_APPEND, I_FSNOTIFY, I_IMMUTABLE, LAST_NORM, LOOKUP_LAST, MNT_READONLY, NAME_MAX, NR_PLAIN_KINDS, O_TRUNC,
  S_IFDIR, S_IFMT, S_IFREG, S_ISGID, S_IXGRP, SB_FROZEN,
} from "../abi";
import { allocDentry, Dentry, dDelete, dMove, dMoveToNew, dput } from "./dentry";
import { allocFile, File, reserveFile } from "./file";
import { Inode, isDir } from "./inode";
import { currentCred, hostNow, isNil, nil, slot } from "../kernel";
import { moved, simpleLink, simpleMknod, simpleRename, simpleUnlink } from "./libfs";
import { pathWalk } from "./namei";
import { mayCreate, mayDelete } from "./permission";
import { inGroup, Task } from "./task";

/**
 * Makes the missing last component of the walk just done a regular file, and opens it.
 *
 * What it buys (Node 20): one crossing instead of six; an empty new file by writeFileSync() 350 → 260 ns.
 *
 * @param flags O_*
 * @param fmode FMODE_*
 * @param mode permission bits that are asked for
 * @returns nil when it takes more than that, or cannot be: nothing has changed
 */
export function createPlain(flags: u32, fmode: u32, mode: u32): File {
  const s = slot();
  const task = s.current;
  const mnt = s.ndParentMount;
  const dentry = reserveFile() ? nil<Dentry>() : makePlain(S_IFREG | mode);
  if (isNil(dentry)) return nil<File>();
  const file = allocFile(task, mnt, dentry, flags & ~O_TRUNC, fmode);
  dput(dentry);
  return file;
}

/**
 * Makes a directory at `path`.
 *
 * What it buys (Node 20): one crossing instead of five; 240 → 175 ns.
 *
 * @param mode permission bits that are asked for
 * @returns 0; -EEXIST; errors of the walk; -EOPNOTSUPP when it takes more than that, or cannot be: nothing has changed
 */
export function mkdirPlain(path: usize, mode: u32): i32 {
  const found = pathWalk(path, nil<File>(), LOOKUP_LAST);
  if (found > 0) return slot().ndParent.inode.sb.flags & SB_FROZEN ? -EOPNOTSUPP : -EEXIST;
  if (found < 0) return found > -<i32>HANDOVER_LOOKUP ? found : -EOPNOTSUPP;
  if (slot().ndLastLen > NAME_MAX) return -EOPNOTSUPP;
  const dentry = makePlain(S_IFDIR | mode);
  if (isNil(dentry)) return -EOPNOTSUPP;
  dput(dentry);
  return 0;
}

/**
 * Makes the missing last component of the walk just done: a regular file, or a directory of its parent's kind.
 *
 * @returns its dentry with a reference; nil as createPlain()
 */
function makePlain(mode: u32): Dentry {
  const s = slot();
  const task = s.current;
  const parent = s.ndParent;
  const dir = parent.inode;
  const sb = dir.sb;
  const isFile = (mode & S_IFMT) == S_IFREG;
  if (!sb.fileKind || !hasPlainNames(dir) || s.ndParentMount.flags & MNT_READONLY || sb.flags & SB_FROZEN) return nil<Dentry>();
  if (mayCreate(task.cred, dir) || (!isFile && sb.maxLinks && dir.nlink >= sb.maxLinks)) return nil<Dentry>();
  const dentry = allocDentry(parent, s.ndLast, s.ndLastLen); // before the clock is asked, which may make calls of its own
  if (isNil(dentry)) return dentry;
  if (simpleMknod(dentry, newMode(task, dir, mode), 0, isFile ? sb.fileKind - 1 : dir.kind, hostNow()) == 0) return dentry;
  dput(dentry);
  return nil<Dentry>();
}

/** Mode of what the task makes in `dir`. @see Linux fs/inode.c mode_strip_sgid() */
function newMode(task: Task, dir: Inode, mode: u32): u32 {
  const takesGroup = (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && (dir.mode & S_ISGID) != 0;
  const strips = takesGroup && !task.cred.caps && !inGroup(task.cred, dir.gid);
  return mode & ~task.umask & (strips ? ~S_ISGID : -1);
}

/**
 * Takes the name at `path` away.
 *
 * What it buys (Node 20): one crossing instead of four.
 *
 * @returns 0; -EOPNOTSUPP when it takes more than that, or cannot be: nothing has changed
 */
export function unlinkPlain(path: usize, nowMs: f64): i32 {
  if (pathWalk(path, nil<File>(), LOOKUP_LAST) <= 0) return -EOPNOTSUPP;
  const dentry = slot().ndDentry;
  if (!mayTakeName(dentry)) return -EOPNOTSUPP;
  simpleUnlink(dentry, nowMs);
  dDelete(dentry);
  return 0;
}

/**
 * Gives what the path at `from` names the path at `to`.
 *
 * What it buys (Node 20): one crossing instead of 14, and no dentry made for the new name; 480 → 300 ns.
 *
 * @returns as unlinkPlain(); -EOPNOTSUPP also when memory ran out
 */
export function renamePlain(from: usize, to: usize, nowMs: f64): i32 {
  const s = slot();
  if (pathWalk(from, nil<File>(), LOOKUP_LAST) <= 0) return -EOPNOTSUPP;
  const dentry = s.ndDentry;
  const oldDir = s.ndParent;
  const mnt = s.ndParentMount;
  if (!mayTakeName(dentry)) return -EOPNOTSUPP;
  if (pathWalk(to, nil<File>(), LOOKUP_LAST) < 0 || s.ndParentMount != mnt) return -EOPNOTSUPP;
  const target = s.ndDentry;
  if (!isNil(target)) {
    if (target.inode == dentry.inode || !mayTakeName(target)) return -EOPNOTSUPP;
    simpleRename(dentry, target, nowMs);
    dMove(dentry, target);
    return 0;
  }
  const newDir = s.ndParent;
  if (!endsInName() || !hasPlainNames(newDir.inode) || mayCreate(currentCred(), newDir.inode)) return -EOPNOTSUPP;
  if (!dMoveToNew(dentry, newDir, s.ndLast, s.ndLastLen, s.ndHash)) return -EOPNOTSUPP;
  moved(dentry.inode, oldDir.inode, newDir.inode, nowMs);
  return 0;
}

/**
 * Gives the file that the path at `from` names the path at `to`, too.
 *
 * What it buys (Node 20): one crossing instead of 12, 345 → 205 ns.
 *
 * @returns as unlinkPlain(); -EOPNOTSUPP also when memory ran out
 */
export function linkPlain(from: usize, to: usize): i32 {
  const s = slot();
  if (pathWalk(from, nil<File>(), 0) <= 0) return -EOPNOTSUPP;
  const inode = s.ndDentry.inode;
  const mnt = s.ndMount;
  if (isDir(inode) || inode.state & (I_APPEND | I_FSNOTIFY | I_IMMUTABLE)) return -EOPNOTSUPP;
  if (inode.sb.maxLinks && inode.nlink >= inode.sb.maxLinks) return -EOPNOTSUPP;
  if (pathWalk(to, nil<File>(), LOOKUP_LAST) != 0 || s.ndParentMount != mnt) return -EOPNOTSUPP;
  const parent = s.ndParent;
  const dir = parent.inode;
  if (!endsInName() || !hasPlainNames(dir) || mnt.flags & MNT_READONLY || dir.sb.flags & SB_FROZEN) return -EOPNOTSUPP;
  if (mayCreate(currentCred(), dir)) return -EOPNOTSUPP;
  const dentry = allocDentry(parent, s.ndLast, s.ndLastLen);
  if (isNil(dentry)) return -EOPNOTSUPP;
  const rc = simpleLink(inode, dentry, hostNow());
  dput(dentry);
  return rc ? -EOPNOTSUPP : 0;
}

/** True if the walk just done ended in what can be a name, and no slash behind it. */
function endsInName(): bool {
  const s = slot();
  return s.ndLastType == LAST_NORM && s.ndLastLen <= NAME_MAX && !s.ndTrailing;
}

/** Does the directory leave its names to libfs, and does nobody watch it? */
function hasPlainNames(dir: Inode): bool {
  return dir.kind < NR_PLAIN_KINDS && !(dir.state & I_FSNOTIFY) && (dir.sb.plainKinds >> dir.kind & 1) != 0;
}

/** May the name that the walk has just found be taken, from what is no directory? */
function mayTakeName(dentry: Dentry): bool {
  const s = slot();
  const dir = s.ndParent.inode;
  if (!endsInName() || isDir(dentry.inode) || dentry.inode.state & I_FSNOTIFY || !hasPlainNames(dir)) return false;
  if (s.ndParentMount.flags & MNT_READONLY || dir.sb.flags & SB_FROZEN || dentry.flags & DCACHE_MOUNTED) return false;
  return mayDelete(currentCred(), dir, dentry, 0) == 0;
}

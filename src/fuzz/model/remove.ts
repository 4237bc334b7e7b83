/**
 * What takes names away: unlink, rmdir and rename.
 *
 * @see Linux fs/namei.c may_delete(), do_unlinkat(), do_rmdir(), do_renameat2(), vfs_rename(); mm/shmem.c
 */
import { isKeptBySticky, MAY_EXEC, MAY_WRITE, permit } from "./credentials.ts";
import { unhash } from "./dentry-users.ts";
import { fail } from "./fault.ts";
import { type Dentry, Directory, type Inode } from "./inode.ts";
import { tellMove, tellRemoved } from "./notify.ts";
import type { ModelTask } from "./task.ts";
import { isName, type Last, Walk } from "./walk.ts";

/** @throws EACCES, EPERM in a directory with the sticky bit */
function permitRemoval(task: ModelTask, dir: Directory, victim: Inode): void {
  permit(task.who, dir, MAY_WRITE | MAY_EXEC);
  if (isKeptBySticky(task.who, dir, victim)) fail("EPERM");
}

function found(walk: Walk, { dir, name }: Last): Inode {
  return walk.lookUp(dir, name) ?? fail("ENOENT");
}

/** @throws errors of the walk; EISDIR for a path without a name; ENOENT; EISDIR, ENOTDIR for a slash behind it; EACCES; EPERM; EISDIR */
export function unlink(task: ModelTask, path: string): void {
  const walk = new Walk(task);
  const last = walk.begin(path);
  if (!isName(last)) fail("EISDIR");
  const victim = found(walk, last);
  if (last.hasSlash) fail(victim instanceof Directory ? "EISDIR" : "ENOTDIR");
  permitRemoval(task, last.dir, victim);
  if (victim instanceof Directory) fail("EISDIR");
  tellRemoved(removeName(last, victim));
}

/** @returns what the name was */
function removeName({ dir, name }: Last, victim: Inode): Dentry {
  const dentry = dir.dentryOf(name) as Dentry;
  unhash(dentry);
  dir.remove(name);
  victim.nlink--;
  victim.changed();
  return dentry;
}

/** @throws errors of the walk; ENOTEMPTY for `..`, EINVAL for `.`, EBUSY for the root; ENOENT; EACCES; EPERM; ENOTDIR; ENOTEMPTY */
export function rmdir(task: ModelTask, path: string): void {
  const walk = new Walk(task);
  const last = walk.begin(path);
  if (last.name === "..") fail("ENOTEMPTY");
  if (last.name === ".") fail("EINVAL");
  if (last.name === "") fail("EBUSY");
  const victim = found(walk, last);
  permitRemoval(task, last.dir, victim);
  if (!(victim instanceof Directory)) fail("ENOTDIR");
  if (!victim.isEmpty) fail("ENOTEMPTY");
  tellRemoved(removeDirectory(last, victim));
}

/** Its own `.` and its parent's `..` go with it. */
function removeDirectory(last: Last, victim: Directory): Dentry {
  const dentry = removeName(last, victim);
  victim.nlink--;
  last.dir.nlink--;
  victim.isDead = true;
  return dentry;
}

/** The entry of `above` that leads to `below`, which is somewhere under it. */
function entryTowards(above: Directory, below: Directory): Directory | undefined {
  for (let dir = below; !dir.isRoot; dir = dir.parent) if (dir.parent === above) return dir;
  return undefined;
}

/**
 * @throws errors of both walks; EBUSY for a path without a name; ENOENT; ENOTDIR for a slash behind what is no directory; EINVAL into
 *   itself; ENOTEMPTY over one that it is in; of the removal of either: EACCES, EPERM; ENOTDIR, EISDIR of one over the other;
 *   EACCES for a directory whose `..` changes, and that one may not write to; ENOTEMPTY
 */
export function rename(task: ModelTask, from: string, to: string): void {
  const walkFrom = new Walk(task);
  const old = walkFrom.begin(from);
  const walkTo = new Walk(task);
  const fresh = walkTo.begin(to);
  if (!isName(old) || !isName(fresh)) fail("EBUSY");
  const source = found(walkFrom, old);
  const target = walkTo.lookUp(fresh.dir, fresh.name);
  const isDirectory = source instanceof Directory;
  if (!isDirectory && (old.hasSlash || fresh.hasSlash)) fail("ENOTDIR");
  if (old.dir !== fresh.dir) {
    if (source === entryTowards(old.dir, fresh.dir)) fail("EINVAL");
    if (target !== undefined && target === entryTowards(fresh.dir, old.dir)) fail("ENOTEMPTY");
  }
  if (source === target) return; // two names of one file: nothing is done
  permitRemoval(task, old.dir, source);
  if (target === undefined) permit(task.who, fresh.dir, MAY_WRITE | MAY_EXEC);
  else {
    permitRemoval(task, fresh.dir, target);
    if (isDirectory && !(target instanceof Directory)) fail("ENOTDIR");
    if (!isDirectory && target instanceof Directory) fail("EISDIR");
  }
  if (isDirectory && old.dir !== fresh.dir) permit(task.who, source, MAY_WRITE);
  if (target instanceof Directory && !target.isEmpty) fail("ENOTEMPTY");
  let replaced: Dentry | undefined;
  if (target instanceof Directory) replaced = removeDirectory(fresh, target);
  else if (target !== undefined) replaced = removeName(fresh, target);
  const dentry = old.dir.dentryOf(old.name) as Dentry;
  move(dentry, old, fresh);
  tellMove(dentry, { parent: old.dir, name: old.name }, replaced);
}

function move(dentry: Dentry, old: Last, fresh: Last): void {
  const source = dentry.inode;
  fresh.dir.move(fresh.name, dentry);
  source.changed();
  if (!(source instanceof Directory)) return;
  old.dir.nlink--;
  fresh.dir.nlink++;
  source.parent = fresh.dir;
}

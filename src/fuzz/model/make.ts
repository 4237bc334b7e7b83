/** What new names begin with: the permissions of what they name. */
import { S_IFDIR, S_IFLNK, S_ISGID } from "../../base/stat-flags.ts";
import { MAY_EXEC, MAY_WRITE, mayHaveSetgid, permit } from "./credentials.ts";
import { fail } from "./fault.ts";
import { birthIn, Directory, type Inode, SymbolicLink } from "./inode.ts";
import { tellLinkCount, tellNew } from "./notify.ts";
import type { ModelTask } from "./task.ts";
import { checkPath, isName, type Last, resolve, Walk } from "./walk.ts";

const S_IXGRP = 0o010;
/** What mkdir(2) takes of a mode: neither setuid nor setgid. */
const DIRECTORY_MODE = 0o1777;
const LINK_MODE = 0o777;

/**
 * Permissions of what is made in a directory: without those of the umask, and for files without setgid where it would let one run
 * as a group that one is not in.
 *
 * @see Linux fs/inode.c mode_strip_sgid()
 */
export function newMode(task: ModelTask, dir: Directory, mode: number, isDirectory: boolean): number {
  const runsAsGroup = !isDirectory && (mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP);
  const isForeign = (dir.mode & S_ISGID) !== 0 && !mayHaveSetgid(task.who, dir.gid);
  return (runsAsGroup && isForeign ? mode & ~S_ISGID : mode) & ~task.mask;
}

/**
 * Where a name is to be made.
 *
 * @param isDirectory a directory may be named with a slash behind it
 * @throws errors of the walk; EEXIST for what is there; ENOENT for a slash behind what is to be no directory
 * @see Linux fs/namei.c filename_create()
 */
function newName(task: ModelTask, path: string, isDirectory = false): Last {
  const walk = new Walk(task);
  const last = walk.begin(path);
  if (!isName(last) || walk.lookUp(last.dir, last.name) !== undefined) fail("EEXIST");
  if (last.hasSlash && !isDirectory) fail("ENOENT");
  return last;
}

/** @throws as newName(); EACCES */
export function mkdir(task: ModelTask, path: string, mode: number): void {
  const { dir, name } = newName(task, path, true);
  permit(task.who, dir, MAY_WRITE | MAY_EXEC);
  const permissions = newMode(task, dir, mode & DIRECTORY_MODE, true);
  const dentry = dir.add(name, new Directory(birthIn(dir, task.who, task.newIno(), S_IFDIR | permissions), dir));
  dir.nlink++;
  tellNew(dentry);
}

/** @throws ENOENT, ENAMETOOLONG for a target of no bytes, or of 4096; as newName(); EACCES */
export function symlink(task: ModelTask, target: string, path: string): void {
  checkPath(target);
  const { dir, name } = newName(task, path);
  permit(task.who, dir, MAY_WRITE | MAY_EXEC);
  tellNew(dir.add(name, new SymbolicLink(birthIn(dir, task.who, task.newIno(), S_IFLNK | LINK_MODE), target)));
}

/**
 * @throws errors of the walk of `from`; as newName(); EPERM for what fs.protected_hardlinks protects; EACCES; EPERM for directories
 */
export function link(task: ModelTask, from: string, to: string): void {
  const inode: Inode = resolve(task, from, { follows: false });
  const { dir, name } = newName(task, to);
  if (!task.mayLink(inode)) fail("EPERM");
  permit(task.who, dir, MAY_WRITE | MAY_EXEC);
  if (inode instanceof Directory) fail("EPERM");
  const dentry = dir.add(name, inode);
  inode.nlink++;
  inode.changed();
  tellLinkCount(inode);
  tellNew(dentry);
}

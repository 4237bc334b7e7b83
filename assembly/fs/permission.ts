// May a task do this to an inode? (Linux fs/namei.c inode_permission, may_delete; fs/attr.c setattr_prepare)
import {
  EACCES, EPERM, EROFS, I_APPEND, I_DEAD, I_IMMUTABLE, MAY_EXEC, MAY_READ, MAY_WRITE, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG,
  S_ISVTX, SB_PERMISSION, SB_RDONLY, ENOENT, ENOTDIR, EISDIR, EBUSY,
} from "../abi";
import { Dentry } from "./dentry";
import { Inode, isDir } from "./inode";
import { Cred, inGroup } from "./task";

/**
 * Checks the permission bits.
 *
 * @param mask union of MAY_READ, MAY_WRITE, MAY_EXEC
 * @returns 0; -EROFS when a file system mounted read-only is to be written; -EPERM for an immutable file; -EACCES
 */
export function inodePermission(cred: Cred, inode: Inode, mask: u32): i32 {
  const rc = mask & MAY_WRITE ? mayChange(inode) : 0;
  return rc ? rc : genericPermission(cred, inode, mask);
}

/** What forbids a change to everybody. @returns 0, -EROFS or -EPERM */
function mayChange(inode: Inode): i32 {
  const type = inode.mode & S_IFMT;
  if (inode.sb.flags & SB_RDONLY && (type == S_IFREG || type == S_IFDIR || type == S_IFLNK)) return -EROFS;
  return inode.state & I_IMMUTABLE ? -EPERM : 0;
}

/** May change the names in a directory. Where the file system has a permission of its own, TypeScript asks that one. */
function mayChangeNames(cred: Cred, dir: Inode): i32 {
  return dir.sb.flags & SB_PERMISSION ? mayChange(dir) : inodePermission(cred, dir, MAY_WRITE | MAY_EXEC);
}

/** As inodePermission() without what a read-only file system or an immutable file adds. */
// @ts-ignore: decorator
@inline export function genericPermission(cred: Cred, inode: Inode, mask: u32): i32 {
  const mode = inode.mode;
  if (cred.caps) {
    // Root may all but execute a file that nobody may execute.
    return mask & MAY_EXEC && (mode & 0x49) == 0 && !isDir(inode) ? -EACCES : 0;
  }
  let bits = mode;
  if (cred.uid == inode.uid) bits >>= 6;
  else if ((((mode >> 3) ^ mode) & 7) != 0 && inGroup(cred, inode.gid)) bits >>= 3;
  return (mask & ~bits & (MAY_READ | MAY_WRITE | MAY_EXEC)) == 0 ? 0 : -EACCES;
}

/** May search the directory: the check of every step of a path walk. */
// @ts-ignore: decorator
@inline export function maySearch(cred: Cred, dir: Inode): i32 {
  return cred.caps ? 0 : genericPermission(cred, dir, MAY_EXEC);
}

/** May make a name in `dir` (Linux may_create). @returns 0; -ENOENT in a removed directory; -EROFS; -EPERM; -EACCES */
export function mayCreate(cred: Cred, dir: Inode): i32 {
  if (dir.state & I_DEAD) return -ENOENT;
  return mayChangeNames(cred, dir);
}

/**
 * May take the name `victim` out of `dir` (Linux may_delete).
 *
 * @param wantDir 1 for rmdir and renames over a directory, 0 for unlink and renames of others
 * @returns 0; -EROFS, -EACCES; -EPERM (sticky directory, immutable or append-only file); -ENOTDIR, -EISDIR; -EBUSY for
 *   the root of a file system; -ENOENT in a removed directory
 */
export function mayDelete(cred: Cred, dir: Inode, victim: Dentry, wantDir: u32): i32 {
  const inode = victim.inode;
  const rc = mayChangeNames(cred, dir);
  if (rc) return rc;
  if (dir.state & I_APPEND) return -EPERM;
  if (isSticky(cred, dir, inode) || inode.state & (I_APPEND | I_IMMUTABLE)) return -EPERM;
  if (wantDir) {
    if (!isDir(inode)) return -ENOTDIR;
    if (victim.parent == victim) return -EBUSY;
  } else if (isDir(inode)) return -EISDIR;
  return dir.state & I_DEAD ? -ENOENT : 0;
}

/** In a sticky directory only the owner of the file or of the directory may take a name away. */
function isSticky(cred: Cred, dir: Inode, inode: Inode): bool {
  if (!(dir.mode & S_ISVTX) || cred.caps) return false;
  return cred.uid != inode.uid && cred.uid != dir.uid;
}

// Entry points: what in-memory file systems do to inodes and names (libfs.ts). Where memory runs out, they are full:
// -ENOSPC.
import { ENOMEM, LOOKUP_PATH_B } from "../abi";
import { Dentry, allocDentry, dInstantiate } from "../fs/dentry";
import { Inode, iput } from "../fs/inode";
import { deref, handle, isNil, nil, pathA, pathB } from "../kernel";
import {
  makeRoot as root, simpleExchange as exchange, simpleLink as link, simpleMknod as mknod,
  simpleRemoveTree as removeTree, simpleRename as rename, simpleRmdir as rmdir, simpleSymlink as symlink, simpleTmpfile as tmpfile,
  simpleUnlink as unlink,
} from "../fs/libfs";
import { linkPlain as plainLink, mkdirPlain as plainMkdir, renamePlain as plainRename, unlinkPlain as plainUnlink } from "../fs/plain-names";
import { noRoom, SuperBlock } from "../fs/super";

/**
 * Makes a file of any type but a symbolic link, and gives it the name `dentry`, which is negative.
 *
 * @param mode type and permission bits
 * @param kind index into the type's operation tables
 * @returns 0 or -ENOSPC
 */
export function simpleMknod(dentry: u32, mode: u32, rdev: u32, kind: u32, nowMs: f64): i32 {
  return mknod(deref<Dentry>(dentry), mode, rdev, kind, nowMs);
}

/** Makes a symbolic link; the target is the `len` bytes in path buffer A (or B, LOOKUP_PATH_B). */
export function simpleSymlink(dentry: u32, len: u32, flags: u32, kind: u32, nowMs: f64): i32 {
  return symlink(deref<Dentry>(dentry), flags & LOOKUP_PATH_B ? pathB() : pathA(), len, kind, nowMs);
}

/** Gives an inode another name, the negative `dentry`. @returns 0 or -ENOSPC */
export function simpleLink(inode: u32, dentry: u32, nowMs: f64): i32 {
  return link(deref<Inode>(inode), deref<Dentry>(dentry), nowMs);
}

/** Takes a link away from a file; its name stays for dDelete(). */
export function simpleUnlink(dentry: u32, nowMs: f64): void {
  unlink(deref<Dentry>(dentry), nowMs);
}

/** Takes the links of an empty directory away; its name stays for dDelete(). @returns 0 or -ENOTEMPTY */
export function simpleRmdir(dentry: u32, nowMs: f64): i32 {
  return rmdir(deref<Dentry>(dentry), nowMs);
}

/** Removes a directory with all below it, names included. @returns 0; -EBUSY when something is mounted below */
export function simpleRemoveTree(dentry: u32, nowMs: f64): i32 {
  return removeTree(deref<Dentry>(dentry), nowMs);
}

/**
 * Changes link counts, sizes and times for a rename; the names stay for dMove().
 *
 * @param target what is replaced: negative, or of the same kind as `dentry`
 * @returns 0 or -ENOTEMPTY
 */
export function simpleRename(dentry: u32, target: u32, nowMs: f64): i32 {
  return rename(deref<Dentry>(dentry), deref<Dentry>(target), nowMs);
}

/**
 * Takes the name that the `len` bytes in path buffer A lead to away from a file.
 * @returns 0; -EOPNOTSUPP when the VFS is to do it, see plain-names.ts
 */
export function unlinkPlain(len: u32, nowMs: f64): i32 {
  store<u64>(pathA() + len, 0);
  return plainUnlink(pathA(), nowMs);
}

/** Makes a directory at the `len` bytes in path buffer A. @param mode permission bits @returns see plain-names.ts */
export function mkdirPlain(len: u32, mode: u32): i32 {
  store<u64>(pathA() + len, 0);
  return plainMkdir(pathA(), mode);
}

/** Renames what path buffer A names to the path in B. @returns as unlinkPlain() */
export function renamePlain(fromLen: u32, toLen: u32, nowMs: f64): i32 {
  store<u64>(pathA() + fromLen, 0);
  store<u64>(pathB() + toLen, 0);
  return plainRename(pathA(), pathB(), nowMs);
}

/** Gives what path buffer A names the path in B, too. @returns as unlinkPlain() */
export function linkPlain(fromLen: u32, toLen: u32): i32 {
  store<u64>(pathA() + fromLen, 0);
  store<u64>(pathB() + toLen, 0);
  return plainLink(pathA(), pathB());
}

/** Changes link counts and times for an exchange of two names; the names stay for dExchange(). */
export function simpleExchange(a: u32, b: u32, nowMs: f64): void {
  exchange(deref<Dentry>(a), deref<Dentry>(b), nowMs);
}

/**
 * Makes a nameless inode and a dentry to open it by. The dentry is an unhashed child of `dir`, with one reference.
 * @returns handle of the dentry or -ENOSPC
 */
export function simpleTmpfile(dir: u32, mode: u32, kind: u32, nowMs: f64): i32 {
  const parent = deref<Dentry>(dir);
  const inode = tmpfile(parent.inode, mode, kind, nowMs);
  if (isNil(inode)) return noRoom(parent.inode.sb);
  const dentry = allocDentry(parent, changetype<usize>(inode), 0);
  if (isNil(dentry)) {
    iput(inode);
    return noRoom(parent.inode.sb);
  }
  dInstantiate(dentry, inode);
  return handle<Dentry>(dentry);
}

/** Makes the root directory of a super block. @returns handle of its dentry or -ENOMEM */
export function makeRoot(sb: u32, mode: u32, uid: u32, gid: u32, kind: u32, nowMs: f64): i32 {
  const dentry = root(deref<SuperBlock>(sb), mode, uid, gid, kind, nowMs);
  return dentry == nil<Dentry>() ? -ENOMEM : handle<Dentry>(dentry);
}

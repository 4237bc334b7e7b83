// Entry points: path walk, permissions, attributes by path.
import { LOOKUP_PATH_B, S_IFDIR, S_IFMT, SB_GETATTR } from "../abi";
import { Dentry } from "../fs/dentry";
import { dPath as path } from "../fs/d-path";
import { File } from "../fs/file";
import { hostOf, Inode } from "../fs/inode";
import { currentCred, deref, nil, pathA, pathB, slot } from "../kernel";
import { Mount } from "../fs/mount";
import { pathWalk, walkKnown, walkOn } from "../fs/namei";
import { inodePermission, mayCreate as create, mayDelete as del } from "../fs/permission";
import { fillStacked, fillStat } from "../fs/stat";

/**
 * Walks the `len` bytes in path buffer A (or B, LOOKUP_PATH_B) of the current task.
 *
 * @param base file handle of the directory a relative path starts from, 0 = the working directory
 * @returns handle of the dentry; with LOOKUP_LAST 0 when just the last name is missing; a negated errno or HANDOVER_*
 */
export function walk(len: u32, base: u32, flags: u32): i32 {
  const at = flags & LOOKUP_PATH_B ? pathB() : pathA();
  store<u64>(at + len, 0);
  return pathWalk(at, base ? deref<File>(base) : nil<File>(), flags);
}

/** Goes on after a handover. */
export function walkResume(): i32 {
  return walkOn();
}

/** Walks and writes the attributes of what is found to the result block. @returns 0; 1 = its file system is to be asked for them; as walk() */
export function statPath(len: u32, flags: u32): i32 {
  const found = walk(len, 0, flags);
  return found < 0 ? found : statFound(slot().ndDentry.inode);
}

// Inlined: a call more is 2 ns of a stat of 32.
// @ts-ignore: decorator
@inline function statFound(inode: Inode): i32 {
  if (inode.sb.flags & SB_GETATTR) return statStacked(inode);
  fillStat(inode);
  return 0;
}

function statStacked(inode: Inode): i32 {
  if (hostOf(inode.mapping) == inode) return 1;
  fillStacked(inode);
  return 0;
}

/**
 * As statPath() for a path that has led to `inode`, 0 = to nothing; see namei.ts walkKnown(). The name's own record is
 * not looked at: in 5 000 files it would be a cache miss of its own.
 */
export function statKnown(inode: u32, version: u32): i32 {
  const rc = walkKnown(inode != 0, version);
  return rc ? rc : statFound(deref<Inode>(inode));
}

/** Writes an inode's attributes to the result block. */
export function statInode(inode: u32): void {
  fillStat(deref<Inode>(inode));
}

/** May the current task (`mask` of MAY_*)? @returns 0, or a negated errno as in permission.ts */
export function permission(inode: u32, mask: u32): i32 {
  return inodePermission(currentCred(), deref<Inode>(inode), mask);
}

/** May the current task make a name in `dir`? @returns 0, or a negated errno as in permission.ts */
export function mayCreate(dir: u32): i32 {
  return create(currentCred(), deref<Inode>(dir));
}

/**
 * May the current task take the name `victim` out of `dir`?
 *
 * @param wantDir 1 for rmdir and renames of directories, else 0
 * @returns 0, or a negated errno as in permission.ts
 */
export function mayDelete(dir: u32, victim: u32, wantDir: u32): i32 {
  return del(currentCred(), deref<Inode>(dir), deref<Dentry>(victim), wantDir);
}

/** Writes the path of a place to buffer B. @returns its length, address in the result block; -ENOENT, -ENAMETOOLONG */
export function dPath(mnt: u32, dentry: u32): i32 {
  return path(deref<Mount>(mnt), deref<Dentry>(dentry));
}

/** 1 if the inode is a directory. */
export function isDirectory(inode: u32): u32 {
  return (deref<Inode>(inode).mode & S_IFMT) == S_IFDIR ? 1 : 0;
}

// What the names of an in-memory file system do to inodes (Linux fs/libfs.c simple_*, mm/shmem.c): made, linked,
// removed, moved. The VFS has checked everything that is not the file system's own business.
//
// Each call allocates first; from the first change on nothing can fail.
import {
  BOGO_DIRENT_SIZE, DCACHE_PERSISTENT, EBUSY, ENOSPC, ENOTEMPTY, I_DEAD, I_SYMLINK_BODY, S_IFDIR, S_IFLNK, S_IFMT, S_ISGID,
  S_IXGRP, TOUCH_CTIME,
} from "../abi";
import { allocDentry, dAdd, dDrop, Dentry, dInstantiate, hasChildren, isSubdir } from "./dentry";
import { allocInode, freeInode, hasInodes, iget, Inode, isDir, linkBlocks, touch, touchWritten } from "./inode";
import { currentCred, isNil, kernel, nil } from "../kernel";
import { kfree, kmalloc } from "../mm/slab";
import { noRoom, SuperBlock } from "./super";
import { inGroup } from "./task";

/** A directory has got (+1) or lost (-1) a name. */
function changeDir(dir: Inode, names: i32, nowMs: f64): void {
  dir.size += <f64>(names * <i32>BOGO_DIRENT_SIZE);
  dir.version++;
  touchWritten(dir, nowMs);
}

/** Makes an inode owned as one made by the current task in `dir` is. @see Linux fs/inode.c inode_init_owner() */
export function newInodeIn(dir: Inode, wantedMode: u32, rdev: u32, kind: u32, nowMs: f64): Inode {
  const cred = currentCred();
  let mode = wantedMode;
  let gid = cred.gid;
  if (dir.mode & S_ISGID) {
    gid = dir.gid;
    if ((mode & S_IFMT) == S_IFDIR) mode |= S_ISGID;
    else if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && !cred.caps && !inGroup(cred, gid)) mode &= ~S_ISGID;
  }
  const inode = allocInode(dir.sb, mode, cred.uid, gid, nowMs);
  if (isNil(inode)) return inode;
  inode.rdev = rdev;
  inode.kind = kind;
  if (isDir(inode)) {
    inode.nlink = 2;
    inode.size = 2 * BOGO_DIRENT_SIZE;
  }
  return inode;
}

/** Gives a negative dentry its inode and its lasting place in the directory. Takes over the reference on the inode. */
export function makePersistent(dentry: Dentry, inode: Inode): void {
  dInstantiate(dentry, inode);
  dentry.flags |= <u16>DCACHE_PERSISTENT;
  dentry.count++;
  dAdd(dentry);
}

/** Makes a file of any type but a symbolic link. @returns 0 or -ENOSPC */
export function simpleMknod(dentry: Dentry, mode: u32, rdev: u32, kind: u32, nowMs: f64): i32 {
  const dir = dentry.parent.inode;
  const inode = newInodeIn(dir, mode, rdev, kind, nowMs);
  if (isNil(inode)) return noRoom(dir.sb);
  makePersistent(dentry, inode);
  if (isDir(inode)) dir.nlink++;
  changeDir(dir, 1, nowMs);
  return 0;
}

/** Makes an inode without a name (O_TMPFILE): link count 0. @returns nil when memory ran out */
export function simpleTmpfile(dir: Inode, mode: u32, kind: u32, nowMs: f64): Inode {
  const inode = newInodeIn(dir, mode, 0, kind, nowMs);
  if (!isNil(inode)) inode.nlink = 0;
  return inode;
}

/** Makes a symbolic link to the `len` bytes at `target`. @returns 0 or -ENOSPC */
export function simpleSymlink(dentry: Dentry, target: usize, len: u32, kind: u32, nowMs: f64): i32 {
  const dir = dentry.parent.inode;
  const blocks = linkBlocks(len);
  if (dir.sb.maxBlocks - dir.sb.usedBlocks < blocks) return -ENOSPC;
  const body = kmalloc(len + 8); // walkers read words: some zeros behind the end must be there
  if (!body) return noRoom(dir.sb);
  const inode = newInodeIn(dir, S_IFLNK | 0x1ff, 0, kind, nowMs);
  if (isNil(inode)) {
    kfree(body);
    return noRoom(dir.sb);
  }
  dir.sb.usedBlocks += blocks;
  memory.copy(body, target, len);
  inode.private0 = <u32>body;
  inode.private1 = len;
  inode.state |= I_SYMLINK_BODY;
  inode.size = len;
  makePersistent(dentry, inode);
  changeDir(dir, 1, nowMs);
  return 0;
}

/** Gives `inode` another name; a link beyond the first counts as an inode. @returns 0 or -ENOSPC @see Linux shmem_link() */
export function simpleLink(inode: Inode, dentry: Dentry, nowMs: f64): i32 {
  const dir = dentry.parent.inode;
  if (inode.nlink && dir.sb.maxInodes) {
    if (!hasInodes(dir.sb)) return -ENOSPC;
    dir.sb.extraLinks++;
  }
  iget(inode);
  inode.nlink++;
  touch(inode, TOUCH_CTIME, nowMs);
  makePersistent(dentry, inode);
  changeDir(dir, 1, nowMs);
  return 0;
}

/** Takes a link away, and the inode that it counts as. */
function dropLink(inode: Inode): void {
  if (inode.sb.maxInodes && inode.nlink > 1) inode.sb.extraLinks--;
  inode.nlink--;
}

/** Takes a link away from a file; the name itself is the VFS's to drop. */
export function simpleUnlink(dentry: Dentry, nowMs: f64): void {
  const inode = dentry.inode;
  dropLink(inode);
  touch(inode, TOUCH_CTIME, nowMs);
  changeDir(dentry.parent.inode, -1, nowMs);
}

/** As simpleUnlink(), for a directory. @returns 0 or -ENOTEMPTY */
export function simpleRmdir(dentry: Dentry, nowMs: f64): i32 {
  if (hasChildren(dentry)) return -ENOTEMPTY;
  const dir = dentry.parent.inode;
  dentry.inode.nlink -= 1;
  simpleUnlink(dentry, nowMs);
  dir.nlink--;
  return 0;
}

/**
 * Removes a directory with everything below it, leaves first, names included.
 *
 * @returns 0; -EBUSY when something is mounted below, and nothing has changed
 */
export function simpleRemoveTree(top: Dentry, nowMs: f64): i32 {
  for (let mnt = kernel().mounts; !isNil(mnt); mnt = mnt.next) {
    if (!isNil(mnt.mountpoint) && isSubdir(mnt.mountpoint, top)) return -EBUSY;
  }
  let dir = top;
  while (true) {
    const child = dir.children;
    if (!isNil(child)) {
      if (isNil(child.children)) removeName(child, nowMs);
      else dir = child;
    } else {
      const parent = dir.parent;
      const isTop = dir == top;
      removeName(dir, nowMs);
      if (isTop) return 0;
      dir = parent;
    }
  }
}

function removeName(dentry: Dentry, nowMs: f64): void {
  const inode = dentry.inode;
  if (isDir(inode)) {
    simpleRmdir(dentry, nowMs);
    inode.state |= I_DEAD;
  } else simpleUnlink(dentry, nowMs);
  dDrop(dentry);
}

/**
 * Link counts, sizes and times of a rename; the names are the VFS's to move.
 *
 * @param target the dentry to be replaced: negative, or of the same kind as `dentry`
 * @returns 0 or -ENOTEMPTY
 */
export function simpleRename(dentry: Dentry, target: Dentry, nowMs: f64): i32 {
  const inode = dentry.inode;
  const replaced = target.inode;
  const oldDir = dentry.parent.inode;
  const newDir = target.parent.inode;
  if (!isNil(replaced)) {
    if (isDir(replaced) && hasChildren(target)) return -ENOTEMPTY;
    if (isDir(replaced)) replaced.nlink -= 2;
    else dropLink(replaced);
    touch(replaced, TOUCH_CTIME, nowMs);
    if (isDir(inode)) oldDir.nlink--;
    newDir.size -= BOGO_DIRENT_SIZE;
  } else if (isDir(inode)) {
    oldDir.nlink--;
    newDir.nlink++;
  }
  moved(inode, oldDir, newDir, nowMs);
  return 0;
}

/** Sizes and times when `inode` has got another name. */
export function moved(inode: Inode, oldDir: Inode, newDir: Inode, nowMs: f64): void {
  changeDir(oldDir, -1, nowMs);
  changeDir(newDir, 1, nowMs);
  touch(inode, TOUCH_CTIME, nowMs);
}

/** Link counts and times of an exchange of two names. */
export function simpleExchange(a: Dentry, b: Dentry, nowMs: f64): void {
  const dirA = a.parent.inode;
  const dirB = b.parent.inode;
  if (dirA != dirB && isDir(a.inode) != isDir(b.inode)) {
    const moved: i32 = isDir(a.inode) ? 1 : -1;
    dirA.nlink -= moved;
    dirB.nlink += moved;
  }
  changeDir(dirA, 0, nowMs);
  changeDir(dirB, 0, nowMs);
  touch(a.inode, TOUCH_CTIME, nowMs);
  touch(b.inode, TOUCH_CTIME, nowMs);
}

/** Makes the root directory of a file system. @returns its dentry with one reference, nil when memory ran out */
export function makeRoot(sb: SuperBlock, mode: u32, uid: u32, gid: u32, kind: u32, nowMs: f64): Dentry {
  const inode = allocInode(sb, S_IFDIR | mode, uid, gid, nowMs);
  if (isNil(inode)) return nil<Dentry>();
  inode.kind = kind;
  inode.nlink = 2;
  inode.size = 2 * BOGO_DIRENT_SIZE;
  const root = allocDentry(nil<Dentry>(), changetype<usize>(inode), 0);
  if (isNil(root)) {
    freeInode(inode);
    return root;
  }
  dInstantiate(root, inode);
  sb.root = root;
  return root;
}

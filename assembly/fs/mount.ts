// Mounts (Linux: struct mount): a super block's tree, or a part of it, at a place in the tree of names.
//
// Who holds what: a mount holds a count on its root dentry, on its mountpoint dentry and on its parent mount; `active`
// of the super block counts mounts. Open files and tasks hold counts on mounts, so that umount sees EBUSY.
import { CACHE_MOUNT, DCACHE_MOUNTED } from "../abi";
import { Dentry, dget, dput } from "./dentry";
import { isNil, kernel, nil } from "../kernel";
import { kfree, kmemCacheAlloc, kmemCacheFree } from "../mm/slab";
import { putSuper, SuperBlock } from "./super";

/** A place where a file system, or a part of one, shows. */
// @ts-ignore: decorator
@unmanaged export class Mount {
  sb: SuperBlock;
  root: Dentry; // immutable
  parent: Mount; // nil for the root and for internal mounts
  mountpoint: Dentry; // in the parent
  flags: u32; // MNT_*
  count: u32; // references, its place in the tree included
  id: u32;
  writers: u32; // files open for writing
  children: Mount; // list
  childNext: Mount;
  childPrev: Mount;
  next: Mount; // list of all mounts, newest first
  prev: Mount;
  source: usize; // address of the source's name, NUL-terminated, 0 = none
  sourceLength: u32;
  reserved: u32;
}

/** Makes a mount of `root` that is in no tree yet, with one reference. @returns nil when memory ran out */
export function allocMount(sb: SuperBlock, root: Dentry, flags: u32): Mount {
  const mnt = changetype<Mount>(kmemCacheAlloc(CACHE_MOUNT));
  if (isNil(mnt)) return mnt;
  const k = kernel();
  mnt.sb = sb;
  mnt.root = root;
  dget(root);
  sb.active++;
  mnt.flags = flags;
  mnt.count = 1;
  mnt.id = ++k.nextMountId;
  mnt.next = k.mounts;
  if (!isNil(mnt.next)) mnt.next.prev = mnt;
  k.mounts = mnt;
  k.mountVersion++;
  return mnt;
}

/** Hangs a mount over a dentry of `parent`. Precondition: it is in no tree. */
export function attachMount(mnt: Mount, parent: Mount, mountpoint: Dentry): void {
  mnt.parent = parent;
  mnt.mountpoint = mountpoint;
  dget(mountpoint);
  mountpoint.flags |= <u16>DCACHE_MOUNTED;
  parent.count++;
  mnt.childNext = parent.children;
  if (!isNil(mnt.childNext)) mnt.childNext.childPrev = mnt;
  parent.children = mnt;
  changeMounts();
}

/** Takes a mount out of the tree. */
export function detachMount(mnt: Mount): void {
  const parent = mnt.parent;
  const mountpoint = mnt.mountpoint;
  if (isNil(parent)) return;
  if (isNil(mnt.childPrev)) parent.children = mnt.childNext;
  else mnt.childPrev.childNext = mnt.childNext;
  if (!isNil(mnt.childNext)) mnt.childNext.childPrev = mnt.childPrev;
  mnt.childNext = nil<Mount>();
  mnt.childPrev = nil<Mount>();
  mnt.parent = nil<Mount>();
  mnt.mountpoint = nil<Dentry>();
  if (!isMountpoint(mountpoint)) mountpoint.flags &= ~<u16>DCACHE_MOUNTED;
  changeMounts();
  dput(mountpoint);
  mntput(parent);
}

function changeMounts(): void {
  const k = kernel();
  k.mountVersion++;
  k.pathVersion++;
}

/** True while some mount hangs over the dentry, seen through whichever parent mount. */
function isMountpoint(dentry: Dentry): bool {
  let mnt = kernel().mounts;
  while (!isNil(mnt)) {
    if (mnt.mountpoint == dentry) return true;
    mnt = mnt.next;
  }
  return false;
}

/** Takes a reference. */
// @ts-ignore: decorator
@inline export function mntget(mnt: Mount): void {
  mnt.count++;
}

/** Drops a reference; with the last one the mount goes, and with the last mount its super block is lined up to be shut down. */
export function mntput(mnt: Mount): void {
  if (--mnt.count == 0) freeMount(mnt);
}

function freeMount(mnt: Mount): void {
  if (DEBUG) assert(isNil(mnt.children) && isNil(mnt.parent), "freeMount: mount is in a tree");
  if (isNil(mnt.prev)) kernel().mounts = mnt.next;
  else mnt.prev.next = mnt.next;
  if (!isNil(mnt.next)) mnt.next.prev = mnt.prev;
  dput(mnt.root);
  putSuper(mnt.sb);
  if (mnt.source) kfree(mnt.source);
  kmemCacheFree(changetype<usize>(mnt));
}

/** The mount that hangs over `dentry` of `parent`, nil if none; the newest if there are several. */
export function lookupMount(parent: Mount, dentry: Dentry): Mount {
  let child = parent.children;
  while (!isNil(child) && child.mountpoint != dentry) child = child.childNext;
  return child;
}

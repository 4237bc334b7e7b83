// Entry points: dentries and inodes.
import { ENOMEM, I_FREEING, I_HASHED, I_LRU, I_NEW, LOOKUP_PATH_B, SB_COMPLETE } from "../abi";
import {
  allocDentry, dAdd as add, dDelete as remove, dDrop as drop, Dentry, dExchange as exchange, dget as get, dInstantiate as instantiate,
  dInvalidate as invalidate, dMove as move, dput as put, hasChildren as children, isSubdir as subdir, nameOf,
} from "../fs/dentry";
import { dLookup as lookup } from "../fs/dcache";
import { pruneNegative } from "../fs/dentry-lru";
import { reserveFile } from "../fs/file";
import {
  allocInode, freeInode, iget as inodeGet, Inode, iput as inodePut, keepInode, nextEvicting, startEvict, touch as touchInode,
} from "../fs/inode";
import { findInode, hashInode, unhashInode } from "../fs/inode-hash";
import { evictUnusedOf, grabInode, inodeLruRemove } from "../fs/inode-lru";
import { deref, handle, isNil, pathA, pathB, slot } from "../kernel";
import { noRoom, SuperBlock } from "../fs/super";

/**
 * Makes a negative dentry for the last component of the walk just done. What the dcache remembers of the name, that it is
 * missing, is forgotten: the name is about to be made.
 * @returns handle, with one reference; -ENOSPC or -ENOMEM (super.ts noRoom())
 */
export function dAllocLast(): i32 {
  const s = slot();
  if (!(s.ndParent.inode.sb.flags & SB_COMPLETE)) forget(lookup(s.ndParent, s.ndLast, s.ndLastLen));
  return allocated(s.ndParent, allocDentry(s.ndParent, s.ndLast, s.ndLastLen));
}

/** As dAllocLast(), and makes sure that the next fileOpen() cannot fail: for a file that is made to be opened. */
export function dAllocLastFile(): i32 {
  return reserveFile() || dAllocLast();
}

/** Makes a negative dentry of the same name in the same directory. @returns as dAllocLast() */
export function dAllocTwin(dentry: u32): i32 {
  const d = deref<Dentry>(dentry);
  return allocated(d.parent, allocDentry(d.parent, nameOf(d), d.nameLen));
}

function allocated(parent: Dentry, dentry: Dentry): i32 {
  return isNil(dentry) ? noRoom(parent.inode.sb) : handle<Dentry>(dentry);
}

/** Drops a cached negative dentry. */
function forget(dentry: Dentry): void {
  if (!isNil(dentry) && isNil(dentry.inode)) remove(dentry);
}

/** Makes a negative dentry for the `len` bytes in path buffer A (or B, by LOOKUP_PATH_B). @returns as dAllocLast() */
export function dAlloc(parent: u32, len: u32, flags: u32): i32 {
  const at = flags & LOOKUP_PATH_B ? pathB() : pathA();
  return allocated(deref<Dentry>(parent), allocDentry(deref<Dentry>(parent), at, len));
}

/** Finds a name in the hash alone. @returns handle, 0 = not there */
export function dLookup(parent: u32, len: u32, flags: u32): i32 {
  const at = flags & LOOKUP_PATH_B ? pathB() : pathA();
  return handle<Dentry>(lookup(deref<Dentry>(parent), at, len));
}

/** Takes a reference on a dentry. */
export function dget(dentry: u32): void {
  get(deref<Dentry>(dentry));
}

/**
 * Drops a reference. The last one frees a dentry without a name or without links; one that still has its name is kept.
 * @see assembly/fs/dentry.ts dput()
 */
export function dput(dentry: u32): void {
  put(deref<Dentry>(dentry));
}

/** Gives a dentry its place under its parent, on the hash and as the newest child. Precondition: it has none. */
export function dAdd(dentry: u32): void {
  add(deref<Dentry>(dentry));
}

/**
 * As dAdd(), unless the name has come to be known meanwhile: who was asked for it may have walked to it.
 * @returns handle of the dentry that has the name now
 */
export function dAddUnlessKnown(dentry: u32): u32 {
  const d = deref<Dentry>(dentry);
  const known = lookup(d.parent, nameOf(d), d.nameLen);
  if (!isNil(known)) return handle<Dentry>(known);
  add(d);
  return dentry;
}

/** Makes a dentry positive; takes over the caller's reference on the inode. */
export function dInstantiate(dentry: u32, inode: u32): void {
  instantiate(deref<Dentry>(dentry), deref<Inode>(inode));
}

/** Takes a dentry's name away, and the count that a lasting name holds. Precondition: the caller holds the dentry. */
export function dDrop(dentry: u32): void {
  drop(deref<Dentry>(dentry));
}

/** Takes away a name that is true no more, with all below. @returns 0 when something is mounted there, and it stays */
export function dInvalidate(dentry: u32): u32 {
  return invalidate(deref<Dentry>(dentry)) ? 1 : 0;
}

/** A name has been removed. */
export function dDelete(dentry: u32): void {
  remove(deref<Dentry>(dentry));
}

/** Moves a dentry to the place and name of `target`, which loses its name. */
export function dMove(dentry: u32, target: u32): void {
  move(deref<Dentry>(dentry), deref<Dentry>(target));
}

/** Swaps places and names of two dentries. @see Linux fs/dcache.c d_exchange() */
export function dExchange(a: u32, b: u32): void {
  exchange(deref<Dentry>(a), deref<Dentry>(b));
}

/** Tells whether `dentry` is `ancestor` or lies below it. @returns 1 or 0 */
export function isSubdir(dentry: u32, ancestor: u32): u32 {
  return subdir(deref<Dentry>(dentry), deref<Dentry>(ancestor)) ? 1 : 0;
}

/** Tells whether a directory has a positive name in it. @returns 1 or 0 */
export function hasChildren(dentry: u32): u32 {
  return children(deref<Dentry>(dentry)) ? 1 : 0;
}

/** Makes an inode of a super block with one reference. @returns handle; -ENOSPC or -ENOMEM (super.ts noRoom()) */
export function inodeNew(sb: u32, mode: u32, uid: u32, gid: u32, nowMs: f64): i32 {
  const inode = allocInode(deref<SuperBlock>(sb), mode, uid, gid, nowMs);
  return isNil(inode) ? noRoom(deref<SuperBlock>(sb)) : handle<Inode>(inode);
}

/** Takes a reference on an inode. */
export function iget(inode: u32): void {
  inodeGet(deref<Inode>(inode));
}

/**
 * Drops a reference; the last one frees the inode, or lines it up for evictNext() where its file system wants to know.
 */
export function iput(inode: u32): void {
  inodePut(deref<Inode>(inode));
}

/** Sets times to now (TOUCH_*). */
export function touch(inode: u32, which: u32, nowMs: f64): void {
  touchInode(deref<Inode>(inode), which, nowMs);
}

/** Next inode whose file system wants to know that it goes. @returns handle, 0 = none; then inodeFree() */
export function evictNext(): u32 {
  return handle<Inode>(nextEvicting());
}

/** Frees an inode with its pages, link target and locks. Precondition: nothing refers to it. */
export function inodeFree(inode: u32): void {
  freeInode(deref<Inode>(inode));
}

/** Finds an inode by number. @param after handle of the one found before, 0 = start @returns handle, 0 = no more */
export function inodeFind(sb: u32, ino: f64, after: u32): u32 {
  return handle<Inode>(findInode(deref<SuperBlock>(sb), ino, deref<Inode>(after)));
}

/**
 * Makes an inode that is known by its number, and has still to be read (I_NEW), with one reference.
 * @returns handle or -ENOMEM
 */
export function inodeNewAt(sb: u32, ino: f64, nowMs: f64): i32 {
  const inode = allocInode(deref<SuperBlock>(sb), 0, 0, 0, nowMs);
  if (isNil(inode)) return -ENOMEM;
  inode.sb.nextIno--; // the number is the store's
  inode.ino = ino;
  inode.state |= I_NEW;
  if (hashInode(inode)) return handle<Inode>(inode);
  freeInode(inode);
  return -ENOMEM;
}

/** Makes an inode known by its number. @returns 0 or -ENOMEM */
export function inodeHash(inode: u32): i32 {
  const i = deref<Inode>(inode);
  return i.state & I_HASHED || hashInode(i) ? 0 : -ENOMEM;
}

/** Its number finds the inode no more: it goes with its last reference. */
export function inodeUnhash(inode: u32): void {
  const i = deref<Inode>(inode);
  unhashInode(i);
  if (i.state & I_LRU) {
    inodeLruRemove(i);
    startEvict(i);
  }
}

/** Takes a reference on an inode that inodeFind() has found. Precondition: it is not being freed. */
export function inodeGrab(inode: u32): void {
  grabInode(deref<Inode>(inode));
}

/** Keeps an inode that was lined up: dropInode does not want it to go. */
export function inodeKeep(inode: u32): void {
  const i = deref<Inode>(inode);
  i.state &= ~I_FREEING;
  keepInode(i);
}

/** Lines up all unused inodes of a super block for their end. */
export function evictUnused(sb: u32): void {
  evictUnusedOf(deref<SuperBlock>(sb));
}

/** Frees up to `nr` of the oldest unused negative dentries. */
export function shrinkDcache(nr: u32): void {
  pruneNegative(nr);
}

// Dentries (Linux: struct dentry): a name in a directory. Positive with an inode, negative without.
//
// Who holds what: a dentry holds a count on its parent and, while positive, on its inode. Counts on a dentry: one for
// each of its children, open files, mounts and tasks that stand on it, and one for its own existence where the file
// system lives in the dcache (DCACHE_PERSISTENT). At 0 a dentry without name (unhashed) or without inode goes; one that
// is still hashed is kept for the next walk (dentry-lru.ts).
//
// A directory's children form a list, newest first, in descending order of `cookie`: the order of readdir on tmpfs,
// and a position in it that stays valid whatever comes and goes.
import {
  CACHE_DENTRY, DCACHE_CHILD, DCACHE_HASHED, DCACHE_LRU, DCACHE_MOUNTED, DCACHE_PERSISTENT, DENTRY_NAME, DNAME_INLINE_LEN, I_DEAD,
} from "../abi";
import { firstBytes, hashInsert, hashName, hashRemove } from "./dcache";
import { dLruAdd, dLruRemove } from "./dentry-lru";
import { Inode, iput } from "./inode";
import { isNil, kernel, nil } from "../kernel";
import { kfree, kmalloc, kmemCacheAlloc, kmemCacheFree } from "../mm/slab";

/** A name in a directory. */
// @ts-ignore: decorator
@unmanaged export class Dentry {
  // What a lookup reads, in one or two lines of the processor's cache:
  hash: u32; // of parent and name
  hashNext: Dentry;
  parent: Dentry; // itself at the root of a file system
  inode: Inode; // nil = negative
  flags: u16; // DCACHE_*
  nameLen: u16;
  longName: usize; // address of a name longer than the inline bytes, 0 = inline
  name0: u32; // 28 inline bytes, NUL padded
  name1: u32;
  name2: u32;
  name3: u32;
  name4: u32;
  name5: u32;
  name6: u32;
  // The rest:
  count: u32;
  cookie: f64; // position in the parent directory, newest highest; 0 = none given
  siblingNext: Dentry; // older
  siblingPrev: Dentry;
  children: Dentry; // of a directory: list, newest first
  aliasNext: Dentry; // list of the inode's dentries
  aliasPrev: Dentry;
  lruNext: Dentry; // unused dentries; otherwise scratch for sorting
  lruPrev: Dentry;
  reserved: u32;
}

/** Address of a dentry's name: `nameLen` bytes, and readable beyond them to the end of a word. */
// @ts-ignore: decorator
@inline export function nameOf(dentry: Dentry): usize {
  return dentry.longName ? dentry.longName : changetype<usize>(dentry) + DENTRY_NAME;
}

/** Takes a reference. */
// @ts-ignore: decorator
@inline export function dget(dentry: Dentry): void {
  dentry.count++;
}

/** Makes a negative, unhashed dentry with one reference. @returns nil when memory ran out */
export function allocDentry(parent: Dentry, name: usize, len: u32): Dentry {
  const dentry = changetype<Dentry>(kmemCacheAlloc(CACHE_DENTRY));
  if (isNil(dentry)) return dentry;
  if (!setName(dentry, name, len)) {
    kmemCacheFree(changetype<usize>(dentry));
    return nil<Dentry>();
  }
  dentry.count = 1;
  if (isNil(parent)) dentry.parent = dentry;
  else {
    dentry.parent = parent;
    parent.count++;
  }
  dentry.hash = hashName(dentry.parent, name, len);
  kernel().nrDentries++;
  return dentry;
}

/** Gives a dentry a name in place of the one it has. @returns false when memory ran out: it keeps that one */
function setName(dentry: Dentry, name: usize, len: u32): bool {
  let long: usize = 0;
  if (len > DNAME_INLINE_LEN) {
    long = kmalloc(len + 8); // readers take words: some bytes beyond the name must be there
    if (!long) return false;
    memory.copy(long, name, len);
  }
  if (dentry.longName) kfree(dentry.longName);
  dentry.longName = long;
  dentry.nameLen = <u16>len;
  const short: u32 = long ? 0 : len;
  const to = changetype<usize>(dentry) + DENTRY_NAME;
  for (let i: u32 = 0; i < DNAME_INLINE_LEN; i += 4) { // by words, with zeros behind the name
    store<u32>(to + i, i < short ? load<u32>(name + i) & <u32>firstBytes(min<u32>(short - i, 4)) : 0);
  }
  return true;
}

/** Makes a negative dentry positive; takes over the caller's reference on the inode. */
export function dInstantiate(dentry: Dentry, inode: Inode): void {
  if (dentry.flags & DCACHE_LRU) dLruRemove(dentry);
  dentry.inode = inode;
  addAlias(dentry, inode);
}

function addAlias(dentry: Dentry, inode: Inode): void {
  dentry.aliasNext = inode.aliases;
  if (!isNil(dentry.aliasNext)) dentry.aliasNext.aliasPrev = dentry;
  inode.aliases = dentry;
}

function removeAlias(dentry: Dentry, inode: Inode): void {
  if (isNil(dentry.aliasPrev)) inode.aliases = dentry.aliasNext;
  else dentry.aliasPrev.aliasNext = dentry.aliasNext;
  if (!isNil(dentry.aliasNext)) dentry.aliasNext.aliasPrev = dentry.aliasPrev;
  dentry.aliasNext = nil<Dentry>();
  dentry.aliasPrev = nil<Dentry>();
}

/** Gives the dentry its place under its parent: on the hash and at the head of the list of children. */
export function dAdd(dentry: Dentry): void {
  hashInsert(dentry);
  linkChild(dentry, dentry.parent, kernel().nextCookie++);
}

function linkChild(dentry: Dentry, parent: Dentry, cookie: f64): void {
  dentry.cookie = cookie;
  dentry.flags |= <u16>DCACHE_CHILD;
  let prev = nil<Dentry>();
  let next = parent.children;
  while (!isNil(next) && next.cookie > cookie) { // only an exchange goes further than the head
    prev = next;
    next = next.siblingNext;
  }
  dentry.siblingPrev = prev;
  dentry.siblingNext = next;
  if (isNil(prev)) parent.children = dentry;
  else prev.siblingNext = dentry;
  if (!isNil(next)) next.siblingPrev = dentry;
}

function unlinkChild(dentry: Dentry): void {
  if (!(dentry.flags & DCACHE_CHILD)) return;
  if (isNil(dentry.siblingPrev)) dentry.parent.children = dentry.siblingNext;
  else dentry.siblingPrev.siblingNext = dentry.siblingNext;
  if (!isNil(dentry.siblingNext)) dentry.siblingNext.siblingPrev = dentry.siblingPrev;
  dentry.siblingNext = nil<Dentry>();
  dentry.siblingPrev = nil<Dentry>();
  dentry.flags &= ~<u16>DCACHE_CHILD;
}

/** Takes the name away; who holds the dentry keeps it (Linux d_drop, and d_delete for the last holder). */
export function dDrop(dentry: Dentry): void {
  if (dentry.flags & DCACHE_HASHED) hashRemove(dentry);
  unlinkChild(dentry);
  if (dentry.flags & DCACHE_PERSISTENT) {
    dentry.flags &= ~<u16>DCACHE_PERSISTENT;
    dput(dentry);
  }
}

/**
 * A name is about to go that has been removed from its directory, or replaced: without links left its inode is dead (I_DEAD). It is
 * held, since where names are only cached nobody may; and names below it that are only cached go, which would hold it, too.
 *
 * @see Linux fs/dcache.c shrink_dcache_parent()
 */
function beginRemoval(dentry: Dentry): void {
  const inode = dentry.inode;
  if (!isNil(inode) && inode.nlink == 0) inode.state |= I_DEAD;
  dget(dentry);
  for (let child = dentry.children; !isNil(child); ) {
    const next = child.siblingNext;
    if (child.count == 0) dDelete(child);
    child = next;
  }
}

/** Takes away a name that has been removed from its directory. */
export function dDelete(dentry: Dentry): void {
  beginRemoval(dentry);
  dDrop(dentry);
  dput(dentry);
}

/**
 * Takes away a name that is true no more, and all names below it; who holds one of the dentries keeps it.
 *
 * @returns false when something is mounted there: then nothing has changed, and the name counts as true
 * @see Linux fs/dcache.c d_invalidate(), which detaches the mounts instead
 */
export function dInvalidate(top: Dentry): bool {
  if (hasMountpoint(top)) return false;
  dget(top);
  let dentry = top;
  while (true) {
    while (!isNil(dentry.children)) dentry = dentry.children;
    if (dentry == top) break;
    const parent = dentry.parent;
    parent.count++;
    dget(dentry);
    dDrop(dentry);
    dput(dentry);
    parent.count--; // its own turn comes
    dentry = parent;
  }
  dDrop(top);
  dput(top);
  return true;
}

function hasMountpoint(top: Dentry): bool {
  let dentry = top;
  while (true) {
    if (dentry.flags & DCACHE_MOUNTED) return true;
    if (!isNil(dentry.children)) {
      dentry = dentry.children;
      continue;
    }
    while (dentry != top && isNil(dentry.siblingNext)) dentry = dentry.parent;
    if (dentry == top) return false;
    dentry = dentry.siblingNext;
  }
}

/** Drops a reference. Walks up: a dentry that goes drops its parent's. */
export function dput(start: Dentry): void {
  let dentry = start;
  while (true) {
    if (DEBUG) assert(dentry.count > 0, "dput: dentry without references");
    if (--dentry.count) return;
    if (dentry.flags & DCACHE_HASHED) {
      if (!isNil(dentry.inode) && dentry.inode.nlink == 0) dDrop(dentry);
      else {
        if (!(dentry.flags & DCACHE_LRU)) dLruAdd(dentry);
        return;
      }
    }
    const parent = dentry.parent;
    freeDentry(dentry);
    if (parent == dentry) return;
    dentry = parent;
  }
}

/** Precondition: no reference is left, and no name. */
function freeDentry(dentry: Dentry): void {
  if (dentry.flags & DCACHE_LRU) dLruRemove(dentry);
  unlinkChild(dentry);
  const inode = dentry.inode;
  if (!isNil(inode)) {
    removeAlias(dentry, inode);
    iput(inode);
  }
  if (dentry.longName) kfree(dentry.longName);
  kernel().nrDentries--;
  kmemCacheFree(changetype<usize>(dentry));
}

/** Frees a cached dentry that nobody holds (Linux dentry_kill), whatever list it is on. */
export function dKill(dentry: Dentry): void {
  if (DEBUG) assert(dentry.count == 0, "dKill: dentry is in use");
  if (dentry.flags & DCACHE_HASHED) hashRemove(dentry);
  const parent = dentry.parent;
  freeDentry(dentry);
  if (parent != dentry) dput(parent);
}

/**
 * Moves `dentry` to the place and name of `target`, an unhashed negative dentry or the dentry that is replaced, which
 * loses its name; without links left it is dead (I_DEAD).
 *
 * @see Linux fs/dcache.c d_move()
 */
export function dMove(dentry: Dentry, target: Dentry): void {
  const oldParent = dentry.parent;
  const newParent = target.parent;
  beginRemoval(target);
  hashRemove(dentry);
  unlinkChild(dentry);
  if (target.flags & DCACHE_HASHED) hashRemove(target);
  unlinkChild(target);
  // Who has the target open still knows it by its own name, if there is memory for two of them.
  if (!setName(dentry, nameOf(target), target.nameLen)) swapNames(dentry, target);
  dentry.parent = newParent;
  dget(newParent);
  dput(oldParent);
  rehash(dentry);
  linkChild(dentry, newParent, kernel().nextCookie++);
  if (target.flags & DCACHE_PERSISTENT) {
    target.flags &= ~<u16>DCACHE_PERSISTENT;
    dput(target);
  }
  dput(target);
}

/**
 * Gives a dentry the place and the name that the walk just done has found free: what dMove() does, without a dentry for
 * the new name.
 *
 * @param hash of `parent` and `name`
 * @returns false when memory ran out: nothing has changed
 */
export function dMoveToNew(dentry: Dentry, parent: Dentry, name: usize, len: u32, hash: u32): bool {
  if (!setName(dentry, name, len)) return false;
  hashRemove(dentry);
  unlinkChild(dentry);
  const oldParent = dentry.parent;
  dentry.parent = parent;
  dentry.hash = hash;
  hashInsert(dentry);
  linkChild(dentry, parent, kernel().nextCookie++);
  if (parent != oldParent) {
    dget(parent);
    dput(oldParent);
  }
  return true;
}

/** Swaps the places and names of two dentries. @see Linux fs/dcache.c d_exchange() */
export function dExchange(a: Dentry, b: Dentry): void {
  const parentA = a.parent;
  const parentB = b.parent;
  const cookieA = a.cookie;
  const cookieB = b.cookie;
  hashRemove(a);
  hashRemove(b);
  unlinkChild(a);
  unlinkChild(b);
  swapNames(a, b);
  a.parent = parentB;
  b.parent = parentA;
  rehash(a);
  rehash(b);
  linkChild(a, parentB, cookieB);
  linkChild(b, parentA, cookieA);
}

function rehash(dentry: Dentry): void {
  dentry.hash = hashName(dentry.parent, nameOf(dentry), dentry.nameLen);
  hashInsert(dentry);
}

function swapNames(a: Dentry, b: Dentry): void {
  const nameA = changetype<usize>(a) + DENTRY_NAME;
  const nameB = changetype<usize>(b) + DENTRY_NAME;
  for (let i: usize = 0; i < DNAME_INLINE_LEN; i += 4) {
    const word = load<u32>(nameA + i);
    store<u32>(nameA + i, load<u32>(nameB + i));
    store<u32>(nameB + i, word);
  }
  const long = a.longName;
  a.longName = b.longName;
  b.longName = long;
  const len = a.nameLen;
  a.nameLen = b.nameLen;
  b.nameLen = len;
}

/** True if `dentry` is `ancestor` or lies below it (Linux is_subdir). */
export function isSubdir(dentry: Dentry, ancestor: Dentry): bool {
  let at = dentry;
  while (at != ancestor) {
    if (at.parent == at) return false;
    at = at.parent;
  }
  return true;
}

/** True if the directory has a name in it (Linux simple_empty, negated). */
export function hasChildren(dentry: Dentry): bool {
  for (let child = dentry.children; !isNil(child); child = child.siblingNext) if (!isNil(child.inode)) return true;
  return false;
}

// Unused dentries: names of file systems that have to be asked for them, kept for the next walk.
//
//   negative  what is known to be missing: capped, the oldest goes when one too many is added
//   unused    what has been found: goes when memory runs out, oldest first; who has been walked to since is spared once
//
//   dput() of the last reference ──► head ... tail ──► gone, or in use again by then, or borrowed, or spared
//
// Only leaves are here: a dentry counts each of its children. Names of in-memory file systems never are, their existence
// holds them. An inode goes with its last dentry, by way of the slot's `evicting` list where its file system wants to know.
//
// A walk pins nothing: what it has found is borrowed until the next one. Since any allocation may come here, what a slot
// names is let be.
//
// Compare Linux fs/dcache.c dentry_lru_isolate(), prune_dcache_sb().
import { DCACHE_HASHED, DCACHE_LRU, DCACHE_REFERENCED, KERNEL_BLOCK, NR_SLOTS } from "../abi";
import { Dentry, dKill } from "./dentry";
import { Inode } from "./inode";
import { isNil, Kernel, nil, ownerSlot, slot } from "../kernel";
import { SuperBlock } from "./super";

/** One of the two lists; lies in the kernel block. */
// @ts-ignore: decorator
@unmanaged export class DentryList {
  count: u32;
  max: u32;
  head: Dentry; // most recently used
  tail: Dentry;
}

// @ts-ignore: decorator
@inline export function negativeList(): DentryList {
  return changetype<DentryList>(KERNEL_BLOCK + offsetof<Kernel>("nrNegative"));
}

// @ts-ignore: decorator
@inline export function unusedList(): DentryList {
  return changetype<DentryList>(KERNEL_BLOCK + offsetof<Kernel>("nrUnused"));
}

/** The list that an unused dentry belongs on. */
// @ts-ignore: decorator
@inline export function listOf(dentry: Dentry): DentryList {
  return isNil(dentry.inode) ? negativeList() : unusedList();
}

/** Puts an unused dentry on its list; the oldest goes when there are too many. Precondition: it is on none. */
export function dLruAdd(dentry: Dentry): void {
  const list = listOf(dentry);
  dentry.lruPrev = nil<Dentry>();
  dentry.lruNext = list.head;
  if (isNil(dentry.lruNext)) list.tail = dentry;
  else dentry.lruNext.lruPrev = dentry;
  list.head = dentry;
  dentry.flags |= <u16>DCACHE_LRU;
  if (++list.count > list.max) evictOldest(list);
}

/** Takes a dentry off its list. Precondition: it is on one. */
export function dLruRemove(dentry: Dentry): void {
  const list = listOf(dentry);
  if (isNil(dentry.lruPrev)) list.head = dentry.lruNext;
  else dentry.lruPrev.lruNext = dentry.lruNext;
  if (isNil(dentry.lruNext)) list.tail = dentry.lruPrev;
  else dentry.lruNext.lruPrev = dentry.lruPrev;
  dentry.lruNext = nil<Dentry>();
  dentry.lruPrev = nil<Dentry>();
  dentry.flags &= ~<u16>DCACHE_LRU;
  list.count--;
}

/** Takes the oldest off the list, and frees it unless somebody has come to hold it since. */
function evictOldest(list: DentryList): void {
  const oldest = list.tail;
  dLruRemove(oldest);
  if (oldest.count == 0) dKill(oldest);
}

/** Frees up to `nr` of the oldest unused negative dentries. */
export function pruneNegative(nr: u32): void {
  for (let i: u32 = 0; i < nr && !isNil(negativeList().tail); i++) evictOldest(negativeList());
}

/**
 * Looks at up to `nr` of the oldest unused dentries, and frees those that may go.
 *
 * @param withPages of files with cached pages, too, which go with them
 * @returns how many have gone, or may go when their turn comes again: 0 = there is nothing to be had
 */
export function shrinkUnused(nr: u32, withPages: bool): u32 {
  const list = unusedList();
  let progress: u32 = 0;
  for (let left = min<u32>(nr, list.count); left && !isNil(list.tail); left--) {
    const oldest = list.tail;
    const spared = (oldest.flags & DCACHE_REFERENCED) != 0;
    dLruRemove(oldest);
    oldest.flags &= ~<u16>DCACHE_REFERENCED;
    if (oldest.count) continue; // its last reference puts it back
    const borrowed = isBorrowed(oldest);
    if (spared || borrowed || (!withPages && oldest.inode.nrPages)) dLruAdd(oldest);
    else dKill(oldest);
    if (!borrowed) progress++;
  }
  return progress;
}

/** Frees the unused positive dentries of a super block, leaves first. Precondition: nothing of it is borrowed. */
export function shrinkUnusedOf(sb: SuperBlock): void {
  let isDone = false;
  while (!isDone) {
    isDone = true;
    let dentry = unusedList().tail;
    while (!isNil(dentry)) {
      let newer = dentry.lruPrev;
      if (dentry.inode.sb == sb && dentry.count == 0) {
        const parent = dentry.parent;
        if (parent != sb.root && !(parent.flags & DCACHE_HASHED)) newer = nil<Dentry>(); // it may go, too: start again
        dLruRemove(dentry);
        dKill(dentry);
        isDone = false;
      }
      dentry = newer;
    }
  }
}

/** Does a walk stand there, or has it found it, or is it about to go there? */
function isBorrowed(dentry: Dentry): bool {
  for (let i: u32 = 0; i < NR_SLOTS; i++) {
    const s = ownerSlot(i);
    if (isNil(s)) continue;
    if (dentry == s.ndDentry || dentry == s.ndParent || dentry == s.ndSupplied) return true;
    if (dentry == s.ndCandidate || dentry == s.ndRevalidated || dentry.inode == s.ndLinkInode) return true;
  }
  return false;
}

/** Gives back what the last walk of this slot has found. */
export function forgetWalk(): void {
  const s = slot();
  s.ndDentry = nil<Dentry>();
  s.ndParent = nil<Dentry>();
  s.ndSupplied = nil<Dentry>();
  s.ndCandidate = nil<Dentry>();
  s.ndRevalidated = nil<Dentry>();
  s.ndLinkInode = nil<Inode>();
}

/** Lists the children of a directory that nobody holds. Precondition: they are on no list. */
export function listUnusedChildren(dir: Dentry): void {
  for (let child = dir.children; !isNil(child); child = child.siblingNext) {
    if (!child.count && !(child.flags & DCACHE_LRU)) dLruAdd(child);
  }
}

/** Takes the positive children of a directory off the list, whose links are wanted for something else. */
export function unlistChildren(dir: Dentry): void {
  for (let child = dir.children; !isNil(child); child = child.siblingNext) {
    if (!isNil(child.inode) && child.flags & DCACHE_LRU) dLruRemove(child);
  }
}

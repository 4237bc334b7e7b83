// Entry points: the page cache by page, for file systems with a backing store, and for the model tests.
import { deref, slot } from "../kernel";
import {
  addToPageCache as add, clearPageDirty as clearDirty, findOrCreatePage as findOrCreate, findPage as find, removeFromPageCache as remove,
  setPageDirty as setDirty,
} from "../mm/filemap";
import { Inode } from "../fs/inode";
import { indexOf } from "../mm/address-space";
import { setMappingClass as setClass } from "../mm/mapping-class";
import { errseqCheck as check, errseqMarkSeen as markSeen, errseqSample as sample, errseqSet as set } from "../mm/errseq";
import {
  activatePage as activate, deactivatePage as deactivate, isolatePage as isolate, markPageAccessed as accessed,
  putbackPage as putback, rotatePage as rotate,
} from "../mm/lru";
import {
  endPageWriteback as endWriteback, finishWait as finish, startPageWriteback as startWriteback, tryLockPage as tryLock, unlockPage as unlock, waitBucket,
  waitBucketOf, waitOnPage as wait,
} from "../mm/page-lock";
import { pageOf } from "../mm/page";
import { putPage as put } from "../mm/page-alloc";
import { isPage, xaClearMark, xaErase, xaFind, xaGetMark, xaLoad, xaMarked, xaSetMark, xaStore, xaTagRange } from "../mm/xarray";

/** Finds the frame that caches page `index`; takes no pin. @returns its number, 0 = none */
export function findPage(inode: u32, index: u32): u32 {
  return find(deref<Inode>(inode).mapping, index);
}

/**
 * Finds the frame that caches page `index`, or caches a new one of zeros. @returns its number, 0 when memory ran out
 */
export function findOrCreatePage(inode: u32, index: u32): u32 {
  return findOrCreate(deref<Inode>(inode).mapping, index);
}

/** Caches a frame as page `index`, not up to date yet; the cache takes over the caller's pin. @returns 0; -EEXIST; -ENOMEM */
export function addToPageCache(inode: u32, index: u32, pfn: u32): i32 {
  return add(deref<Inode>(inode).mapping, index, pfn);
}

/** Takes page `index` out of the cache; the cache's pin goes to the caller. @returns the frame's number, 0 = none */
export function removeFromPageCache(inode: u32, index: u32): u32 {
  return remove(deref<Inode>(inode).mapping, index);
}

/** Chooses the class of an inode's address space (AS_CLASS bits), see mm/mapping-class.ts; its pages follow. */
export function setMappingClass(inode: u32, flags: u32): void {
  setClass(deref<Inode>(inode).mapping, flags);
}

/** Drops a pin; the last one frees the frame. */
export function putPage(pfn: u32): void {
  put(pfn);
}

/** Pins a frame. */
export function getPage(pfn: u32): void {
  pageOf(pfn).refcount++;
}

/** Marks a cached page dirty. @returns 1 if it was clean; 0, for a page truncated meanwhile too */
export function setPageDirty(pfn: u32): u32 {
  return setDirty(pfn);
}

/** Marks a cached page clean, for it is about to be written back. @returns 1 if it was dirty, else 0 */
export function clearPageDirty(pfn: u32): u32 {
  return clearDirty(pfn);
}

/** Begins writeback of a page: callers end it with endPageWriteback(). */
export function startPageWriteback(pfn: u32): void {
  startWriteback(pfn);
}

/**
 * Finds up to `nr` entries from `start` to `last` with a mark (XA_PRESENT: any), and writes index and frame (0 for a value) of
 * each, two u32, at an address (gang lookup).
 * @returns how many
 */
export function findPages(inode: u32, start: u32, last: u32, mark: u32, to: u32, nr: u32): u32 {
  const xa = indexOf(deref<Inode>(inode).mapping);
  let n: u32 = 0;
  let index = start;
  let entry = n < nr ? xaFind(xa, index, last, mark) : 0;
  while (entry) {
    index = slot().xaIndex;
    store<u32>(to + (<usize>n << 3), index);
    store<u32>(to + (<usize>n << 3), isPage(entry) ? entry >> 2 : 0, 4);
    n++;
    if (n == nr || index == last) break;
    entry = xaFind(xa, ++index, last, mark);
  }
  return n;
}

// --- The page index of an inode, entry by entry -----------------------------------------------------------------------

/** Reads an entry. @returns pfn << 2, or value << 1 | 1; 0 = none */
export function indexLoad(inode: u32, index: u32): u32 {
  return xaLoad(indexOf(deref<Inode>(inode).mapping), index);
}

/** Stores an entry (0 erases); one in place of another keeps its marks. @returns 0; -ENOMEM, and nothing has changed */
export function indexStore(inode: u32, index: u32, entry: u32): i32 {
  return xaStore(indexOf(deref<Inode>(inode).mapping), index, entry);
}

/** Removes an entry and its marks. @returns what was there, 0 = none */
export function indexErase(inode: u32, index: u32): u32 {
  return xaErase(indexOf(deref<Inode>(inode).mapping), index);
}

/** Marks an entry (XA_MARK_*); does nothing where there is none. */
export function indexSetMark(inode: u32, index: u32, mark: u32): void {
  xaSetMark(indexOf(deref<Inode>(inode).mapping), index, mark);
}

/** Takes a mark (XA_MARK_*) off an entry. */
export function indexClearMark(inode: u32, index: u32, mark: u32): void {
  xaClearMark(indexOf(deref<Inode>(inode).mapping), index, mark);
}

/** Tells whether an entry has a mark (XA_MARK_*). @returns 1 or 0 */
export function indexGetMark(inode: u32, index: u32, mark: u32): u32 {
  return xaGetMark(indexOf(deref<Inode>(inode).mapping), index, mark) ? 1 : 0;
}

/** Tells whether any entry has a mark (XA_MARK_*). @returns 1 or 0 */
export function indexMarked(inode: u32, mark: u32): u32 {
  return xaMarked(indexOf(deref<Inode>(inode).mapping), mark) ? 1 : 0;
}

/** Finds the first entry from `start` to `last` with a mark (XA_PRESENT: any). @returns it, index in slot.xaIndex; 0 */
export function indexFind(inode: u32, start: u32, last: u32, mark: u32): u32 {
  return xaFind(indexOf(deref<Inode>(inode).mapping), start, last, mark);
}

/** Gives `mark` to every entry from `start` to `last` that has the mark `from`. @returns how many */
export function indexTag(inode: u32, start: u32, last: u32, from: u32, mark: u32): u32 {
  return xaTagRange(indexOf(deref<Inode>(inode).mapping), start, last, from, mark);
}

// --- LRU ----------------------------------------------------------------------------------------------------------------

/** Notes a reference to a page: the second one makes it active. @see Linux mm/swap.c folio_mark_accessed() */
export function markPageAccessed(pfn: u32): void {
  accessed(pfn);
}

/** Moves an inactive page to the active list. */
export function activatePage(pfn: u32): void {
  activate(pfn);
}

/** Moves an active page to the inactive list. */
export function deactivatePage(pfn: u32): void {
  deactivate(pfn);
}

/** Takes a page off its list, with a pin. @returns 1; 0 if it was on none */
export function isolatePage(pfn: u32): u32 {
  return isolate(pfn) ? 1 : 0;
}

/** Undoes isolatePage(): puts a page that is still cached on the list its flags name, and drops the pin. */
export function putbackPage(pfn: u32): void {
  putback(pfn);
}

/** Moves an inactive page to the tail of its list, the next to be reclaimed. */
export function rotatePage(pfn: u32): void {
  rotate(pfn);
}

// --- Locks and errors ---------------------------------------------------------------------------------------------------

/** Locks a page if nobody has. @returns 1 when the caller has the lock now, else 0 */
export function tryLockPage(pfn: u32): u32 {
  return tryLock(pfn);
}

/** Unlocks a page and wakes who waits for it. Precondition: it is locked. */
export function unlockPage(pfn: u32): void {
  unlock(pfn);
}

/** Ends writeback of a page and wakes who waits for it. Precondition: it is under writeback. */
export function endPageWriteback(pfn: u32): void {
  endWriteback(pfn);
}

/** Announces a waiter for a page's lock or writeback. @returns the wake sequence, which moves on with the wake-up */
export function waitOnPage(pfn: u32): u32 {
  return wait(pfn);
}

/** Takes a waiter's announcement back. */
export function finishWait(pfn: u32): void {
  finish(pfn);
}

/** Wake sequence of a page's bucket. */
export function wakeSequence(pfn: u32): u32 {
  return waitBucket(waitBucketOf(pfn)).sequence;
}

/** Records an error. @param errno 1 to 4095 @returns the new value */
export function errseqSet(value: u32, errno: u32): u32 {
  return set(value, errno);
}

/** Takes the sample that a newly opened file keeps. @returns 0 when an error is there that nobody has seen */
export function errseqSample(value: u32): u32 {
  return sample(value);
}

/** Looks for an error since a sample was taken. @returns its negated errno, 0 = none */
export function errseqCheck(value: u32, since: u32): i32 {
  return check(value, since);
}

/** Marks a value as seen. @returns the new value, which is also the file's new sample */
export function errseqMarkSeen(value: u32): u32 {
  return markSeen(value);
}

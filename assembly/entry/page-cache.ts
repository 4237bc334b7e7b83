// Entry points: the page cache by page, for file systems with a backing store, and for the model tests.
import { deref, slot } from "../kernel";
import {
  addToPageCache as add, clearPageDirty as clearDirty, findOrCreatePage as findOrCreate, findPage as find, putPage as put, removeFromPageCache as remove,
  setPageDirty as setDirty,
} from "../filemap";
import { Inode, mappingOf } from "../inode";
import { errseqCheck as check, errseqMarkSeen as markSeen, errseqSample as sample, errseqSet as set } from "../errseq";
import {
  activatePage as activate, deactivatePage as deactivate, isolatePage as isolate, markPageAccessed as accessed,
  putbackPage as putback, rotatePage as rotate,
} from "../lru";
import {
  endPageWriteback as endWriteback, finishWait as finish, tryLockPage as tryLock, unlockPage as unlock, waitBucket,
  waitBucketOf, waitOnPage as wait,
} from "../page-lock";
import { pageOf } from "../page";
import { isPage, xaClearMark, xaErase, xaFind, xaGetMark, xaLoad, xaMarked, xaSetMark, xaStore, xaTagRange } from "../xarray";
import { EAGAIN, PG_WRITEBACK } from "../abi";

export function findPage(inode: u32, index: u32): u32 {
  return find(deref<Inode>(inode), index);
}

export function findOrCreatePage(inode: u32, index: u32): u32 {
  return findOrCreate(deref<Inode>(inode), index);
}

export function addToPageCache(inode: u32, index: u32, pfn: u32): i32 {
  return add(deref<Inode>(inode), index, pfn);
}

export function removeFromPageCache(inode: u32, index: u32): u32 {
  return remove(deref<Inode>(inode), index);
}

export function putPage(pfn: u32): void {
  put(pfn);
}

export function getPage(pfn: u32): void {
  pageOf(pfn).refcount++;
}

export function setPageDirty(pfn: u32): u32 {
  return setDirty(pfn);
}

export function clearPageDirty(pfn: u32): u32 {
  return clearDirty(pfn);
}

/** Begins writeback of a page: callers end it with endPageWriteback(). */
export function startPageWriteback(pfn: u32): void {
  pageOf(pfn).flags |= PG_WRITEBACK;
}

/**
 * Finds up to `nr` entries from `start` to `last` with a mark (XA_PRESENT: any), and writes index and frame of each, two
 * u32, at an address (gang lookup).
 * @returns how many
 */
export function findPages(inode: u32, start: u32, last: u32, mark: u32, to: u32, nr: u32): u32 {
  const xa = mappingOf(deref<Inode>(inode));
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

export function indexLoad(inode: u32, index: u32): u32 {
  return xaLoad(mappingOf(deref<Inode>(inode)), index);
}

export function indexStore(inode: u32, index: u32, entry: u32): i32 {
  return xaStore(mappingOf(deref<Inode>(inode)), index, entry);
}

export function indexErase(inode: u32, index: u32): u32 {
  return xaErase(mappingOf(deref<Inode>(inode)), index);
}

export function indexSetMark(inode: u32, index: u32, mark: u32): void {
  xaSetMark(mappingOf(deref<Inode>(inode)), index, mark);
}

export function indexClearMark(inode: u32, index: u32, mark: u32): void {
  xaClearMark(mappingOf(deref<Inode>(inode)), index, mark);
}

export function indexGetMark(inode: u32, index: u32, mark: u32): u32 {
  return xaGetMark(mappingOf(deref<Inode>(inode)), index, mark) ? 1 : 0;
}

export function indexMarked(inode: u32, mark: u32): u32 {
  return xaMarked(mappingOf(deref<Inode>(inode)), mark) ? 1 : 0;
}

/** @returns the entry; its index in the slot (xaIndex); 0 = none */
export function indexFind(inode: u32, start: u32, last: u32, mark: u32): u32 {
  return xaFind(mappingOf(deref<Inode>(inode)), start, last, mark);
}

export function indexTag(inode: u32, start: u32, last: u32, from: u32, mark: u32): u32 {
  return xaTagRange(mappingOf(deref<Inode>(inode)), start, last, from, mark);
}

// --- LRU ----------------------------------------------------------------------------------------------------------------

export function markPageAccessed(pfn: u32): void {
  accessed(pfn);
}

export function activatePage(pfn: u32): void {
  activate(pfn);
}

export function deactivatePage(pfn: u32): void {
  deactivate(pfn);
}

export function isolatePage(pfn: u32): u32 {
  return isolate(pfn) ? 1 : 0;
}

export function putbackPage(pfn: u32): void {
  putback(pfn);
}

export function rotatePage(pfn: u32): void {
  rotate(pfn);
}

// --- Locks and errors ---------------------------------------------------------------------------------------------------

export function tryLockPage(pfn: u32): u32 {
  return tryLock(pfn);
}

export function unlockPage(pfn: u32): void {
  unlock(pfn);
}

export function endPageWriteback(pfn: u32): void {
  endWriteback(pfn);
}

export function waitOnPage(pfn: u32): u32 {
  return wait(pfn);
}

export function finishWait(pfn: u32): void {
  finish(pfn);
}

/** Wake sequence of a page's bucket. */
export function wakeSequence(pfn: u32): u32 {
  return waitBucket(waitBucketOf(pfn)).sequence;
}

/** Takes i_rwsem for an operation (its number, not 0). @returns 0 or -EAGAIN when another operation has it */
export function inodeLock(inode: u32, operation: u32): i32 {
  const i = deref<Inode>(inode);
  if (i.rwsem && i.rwsem != operation) return -EAGAIN;
  i.rwsem = operation;
  return 0;
}

export function inodeUnlock(inode: u32): void {
  deref<Inode>(inode).rwsem = 0;
}

export function errseqSet(value: u32, errno: u32): u32 {
  return set(value, errno);
}

export function errseqSample(value: u32): u32 {
  return sample(value);
}

export function errseqCheck(value: u32, since: u32): i32 {
  return check(value, since);
}

export function errseqMarkSeen(value: u32): u32 {
  return markSeen(value);
}

// Page lock and writeback bit: sleeping states of a page, with a hashed table of waiters (Linux mm/filemap.c).
//
// Nobody sleeps in here. Who finds a page locked announces itself as a waiter of the page's bucket and gets the bucket's
// wake sequence; it has been woken when the sequence moved on. One table of 256 buckets serves all pages: a wake-up may
// be meant for a neighbour, so the woken try again.
import {
  KERNEL_BLOCK, KERNEL_WAIT_TABLE, NR_WAIT_BUCKETS, PG_LOCKED, PG_WAITERS, PG_WRITEBACK, XA_MARK_TOWRITE,
  XA_MARK_WRITEBACK,
} from "../abi";
import { AddressSpace, indexOf } from "./address-space";
import { xaClearMark, xaSetMark } from "./xarray";
import { pageOf } from "./page";

/** Waiters of all pages that hash to one bucket. */
// @ts-ignore: decorator
@unmanaged export class WaitBucket {
  waiters: u32;
  sequence: u32; // moves on with every wake-up
}

/** Number of a page's bucket, 0 to 255. */
export function waitBucketOf(pfn: u32): u32 {
  return ((pfn * 0x9e3779b1) >> 16) & (NR_WAIT_BUCKETS - 1);
}

/** Bucket of a number. */
// @ts-ignore: decorator
@inline export function waitBucket(index: u32): WaitBucket {
  return changetype<WaitBucket>(KERNEL_BLOCK + KERNEL_WAIT_TABLE + (<usize>index << 3));
}

/** Locks a page if nobody has. @returns 1 when the caller has the lock now, else 0 */
export function tryLockPage(pfn: u32): u32 {
  const page = pageOf(pfn);
  if (page.flags & PG_LOCKED) return 0;
  page.flags |= PG_LOCKED;
  return 1;
}

/** Unlocks a page and wakes who waits for it. Precondition: the page is locked. */
export function unlockPage(pfn: u32): void {
  const page = pageOf(pfn);
  if (DEBUG) assert(page.flags & PG_LOCKED, "unlockPage: page is not locked");
  page.flags &= ~PG_LOCKED;
  wakePage(pfn);
}

/** Ends writeback and wakes who waits for it; the page may have been truncated meanwhile. Precondition: it is under writeback. */
export function endPageWriteback(pfn: u32): void {
  const page = pageOf(pfn);
  if (DEBUG) assert(page.flags & PG_WRITEBACK, "endPageWriteback: page is not under writeback");
  page.flags &= ~PG_WRITEBACK;
  if (page.mapping) xaClearMark(indexOf(changetype<AddressSpace>(<usize>page.mapping)), page.index, XA_MARK_WRITEBACK);
  wakePage(pfn);
}

/**
 * Writeback begins: from now on the page is marked WRITEBACK, no longer TOWRITE. Precondition: the caller has a pin, so that
 * a truncation, which does not wait for it, leaves the frame alone.
 *
 * @see Linux __folio_start_writeback()
 */
export function startPageWriteback(pfn: u32): void {
  const page = pageOf(pfn);
  page.flags |= PG_WRITEBACK;
  if (!page.mapping) return;
  const xa = indexOf(changetype<AddressSpace>(<usize>page.mapping));
  xaSetMark(xa, page.index, XA_MARK_WRITEBACK);
  xaClearMark(xa, page.index, XA_MARK_TOWRITE);
}

/** Announces a waiter. @returns the sequence to compare with */
export function waitOnPage(pfn: u32): u32 {
  const bucket = waitBucket(waitBucketOf(pfn));
  pageOf(pfn).flags |= PG_WAITERS;
  bucket.waiters++;
  return bucket.sequence;
}

/** Takes a waiter's announcement back. */
export function finishWait(pfn: u32): void {
  waitBucket(waitBucketOf(pfn)).waiters--;
}

function wakePage(pfn: u32): void {
  const page = pageOf(pfn);
  if (!(page.flags & PG_WAITERS)) return;
  page.flags &= ~PG_WAITERS;
  waitBucket(waitBucketOf(pfn)).sequence++;
}

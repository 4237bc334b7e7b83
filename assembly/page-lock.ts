// Page lock and writeback bit: sleeping states of a page, with a hashed table of waiters (Linux mm/filemap.c).
//
// Nobody sleeps in here. Who finds a page locked announces itself as a waiter of the page's bucket and gets the bucket's
// wake sequence; it has been woken when the sequence moved on. One table of 256 buckets serves all pages: a wake-up may
// be meant for a neighbour, so the woken try again.
import { KERNEL_BLOCK, KERNEL_WAIT_TABLE, NR_WAIT_BUCKETS, PG_LOCKED, PG_WAITERS, PG_WRITEBACK } from "./abi";
import { pageOf } from "./page";

// @ts-ignore: decorator
@unmanaged export class WaitBucket {
  waiters: u32;
  sequence: u32; // moves on with every wake-up
}

export function waitBucketOf(pfn: u32): u32 {
  return ((pfn * 0x9e3779b1) >> 16) & (NR_WAIT_BUCKETS - 1);
}

// @ts-ignore: decorator
@inline export function waitBucket(index: u32): WaitBucket {
  return changetype<WaitBucket>(KERNEL_BLOCK + KERNEL_WAIT_TABLE + (<usize>index << 3));
}

/** @returns 1 when the caller has the lock now, else 0 */
export function tryLockPage(pfn: u32): u32 {
  const page = pageOf(pfn);
  if (page.flags & PG_LOCKED) return 0;
  page.flags |= PG_LOCKED;
  return 1;
}

/** Precondition: the page is locked. */
export function unlockPage(pfn: u32): void {
  const page = pageOf(pfn);
  if (DEBUG) assert(page.flags & PG_LOCKED, "unlockPage: page is not locked");
  page.flags &= ~PG_LOCKED;
  wakePage(pfn);
}

/** Writeback has ended. Precondition: the page is under writeback. */
export function endPageWriteback(pfn: u32): void {
  const page = pageOf(pfn);
  if (DEBUG) assert(page.flags & PG_WRITEBACK, "endPageWriteback: page is not under writeback");
  page.flags &= ~PG_WRITEBACK;
  wakePage(pfn);
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

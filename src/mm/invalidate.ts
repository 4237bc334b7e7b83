/**
 * Dropping cached pages that the store has, or gets first: for memory, or because the store knows better.
 *
 *   invalidateMappingPages        what is clean, and nobody's at the moment; what cannot go stays
 *   invalidateInodePages2Range    everything: pages in use are waited for, dirty ones written (launderPage), or EBUSY
 *
 * Does not own: pages of bytes that are no more (truncate.ts).
 *
 * @see Linux mm/truncate.c mapping_evict_folio(), invalidate_inode_pages2_range()
 */
import { EAGAIN, EBUSY, EIO } from "../base/errno.ts";
import type { InodeHandle } from "../base/handles.ts";
import { PG_DIRTY, PG_LOCKED, PG_PRIVATE, PG_WRITEBACK } from "../wasm/layout.ts";
import type { AddressSpaceOperations, PageCache } from "./address-space.ts";
import { isPinnedForWriting } from "./gup.ts";
import { countLaundered } from "./io-counters.ts";
import { detachPagePrivate, isTruncated, type PageAt, pageFlags, pagePins } from "./page.ts";
import { clearPageDirtyForIo, setPageDirty } from "./page-dirty.ts";
import { failureOf, keepFailure, noteFailure, waitForPage } from "./page-wait.ts";
import { cachedPages, deleteFromPageCache } from "./truncate.ts";

/**
 * Drops the clean pages of a range that nobody has a hold on; the others are the next to go.
 *
 * @param first index of the first page @param last of the last one
 * @returns how many have gone
 */
export function invalidateMappingPages(
  cache: PageCache,
  operations: AddressSpaceOperations,
  inode: InodeHandle,
  first: number,
  last: number,
): number {
  const { core } = cache;
  let nr = 0;
  for (const page of cachedPages(cache, inode, first, last)) {
    if (core.x.tryLockPage(page.pfn) === 0) continue;
    core.x.getPage(page.pfn);
    if (evictPage(cache, operations, page)) nr++;
    else deactivate(cache, page);
    core.x.unlockPage(page.pfn);
    core.x.putPage(page.pfn);
  }
  return nr;
}

/** Precondition: the caller has locked and pinned the page. */
function evictPage(cache: PageCache, operations: AddressSpaceOperations, page: PageAt): boolean {
  const { core } = cache;
  const flags = pageFlags(core, page.pfn);
  if (flags & (PG_DIRTY | PG_WRITEBACK)) return false;
  const known = flags & PG_PRIVATE ? 3 : 2; // the cache's pin, ours, and that of what hangs on it
  if (pagePins(core, page.pfn) > known) return false;
  return releaseAndDelete(cache, operations, page);
}

function releaseAndDelete(cache: PageCache, operations: AddressSpaceOperations, page: PageAt): boolean {
  const { core } = cache;
  if (operations.releasePage !== undefined) {
    if (!operations.releasePage(cache, page)) return false;
  } else if (pageFlags(core, page.pfn) & PG_PRIVATE) detachPagePrivate(cache, page);
  if (pageFlags(core, page.pfn) & PG_DIRTY) return false; // the file system may have done that
  deleteFromPageCache(cache, operations, page);
  return true;
}

/** Makes a page that could not go one of the next. @see Linux mm/swap.c deactivate_file_folio() */
function deactivate({ core }: PageCache, { pfn }: PageAt): void {
  core.x.deactivatePage(pfn);
  if (!(pageFlags(core, pfn) & (PG_DIRTY | PG_WRITEBACK))) core.x.rotatePage(pfn);
}

/**
 * Drops all pages of a range, since they are not what the store has any more. Called again after a wait it goes on.
 *
 * @param first index of the first page @param last of the last one
 * @returns 0; -EAGAIN with a token; -EBUSY when a page could not go, or what launderPage answers: the others have gone,
 *   or at least those before it
 */
export function invalidateInodePages2Range(
  cache: PageCache,
  operations: AddressSpaceOperations,
  inode: InodeHandle,
  first: number,
  last: number,
): number {
  let rc = 0;
  for (const page of cachedPages(cache, inode, first, last)) {
    // What has been waited for ends it: to go on would be to forget it with the next wait.
    const failure = failureOf(cache, inode, page.index) ?? 0;
    if (failure < 0) return failure;
    const own = dropPage(cache, operations, page);
    if (own === -EAGAIN) return own;
    if (own < 0) rc = own;
  }
  return rc;
}

function dropPage(cache: PageCache, operations: AddressSpaceOperations, page: PageAt): number {
  const { core } = cache;
  // Nobody says when that is over: -EBUSY.
  if (pageFlags(core, page.pfn) & (PG_LOCKED | PG_WRITEBACK)) return waitFor(cache, page) || -EBUSY;
  if (isPinnedForWriting(core, page.pfn)) return -EBUSY; // what is written to it is to reach the store
  core.x.tryLockPage(page.pfn);
  core.x.getPage(page.pfn);
  const laundered = launder(cache, operations, page);
  if (typeof laundered !== "number") return waitForLaundry(cache, page, laundered);
  return endDrop(cache, operations, page, laundered);
}

/** @returns 0, too, for a page that cannot be laundered: it is found out that it is dirty */
function launder(cache: PageCache, { launderPage }: AddressSpaceOperations, page: PageAt): number | Promise<number> {
  if (launderPage === undefined || !clearPageDirtyForIo(cache, page.inode, page.pfn)) return 0;
  return countLaundered(cache, page, launderPage(cache, page));
}

function endDrop(cache: PageCache, operations: AddressSpaceOperations, page: PageAt, laundered: number): number {
  const { core } = cache;
  if (laundered < 0) setPageDirty(cache, page.inode, page.pfn);
  const isIn = !isTruncated(core, page.pfn);
  const rc = laundered < 0 || !isIn || releaseAndDelete(cache, operations, page) ? Math.min(0, laundered) : -EBUSY;
  core.x.unlockPage(page.pfn);
  core.x.putPage(page.pfn);
  return rc;
}

/** The page stays locked until the store has answered; then it is clean, or dirty as before. */
function waitForLaundry(cache: PageCache, page: PageAt, answer: Promise<number>): number {
  const { core, pageReads } = cache;
  const isForSync = cache.progress === undefined;
  const settle = (rc: number): void => {
    if (cache.core !== core) return; // another memory: nobody knows the page
    pageReads.tokens.delete(page.pfn);
    if (rc < 0) {
      noteFailure(token, rc);
      if (isForSync) keepFailure(cache, page.inode, page.index, rc);
      if (!isTruncated(core, page.pfn)) setPageDirty(cache, page.inode, page.pfn);
    }
    core.x.unlockPage(page.pfn);
    core.x.putPage(page.pfn);
  };
  const token: Promise<void> = answer.then(settle, () => settle(-EIO));
  pageReads.tokens.set(page.pfn, token);
  return waitFor(cache, page);
}

function waitFor(cache: PageCache, { inode, index, pfn }: PageAt): number {
  return waitForPage(cache, inode, index, pfn);
}

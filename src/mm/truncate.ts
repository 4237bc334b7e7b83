/**
 * Cutting bytes off the cached part of a file with a store: pages leave the cache, and of those that stay the part is zeroed.
 * The file system hears of each.
 *
 * Nobody waits: a page that a store is filling leaves the cache, since what comes may be from before the cut, and its readers
 * read anew; one that it is writing goes on being written.
 *
 * Does not own: sizes (vfs/setattr.ts), the same for files in memory (assembly/mm/truncate.ts), clean pages that go
 * because they can be had again (invalidate.ts).
 *
 * @see Linux mm/truncate.c truncate_inode_pages_range(), truncate_pagecache_range()
 */
import type { InodeHandle } from "../base/handles.ts";
import { SLOT } from "../wasm/core.ts";
import { PAGE_SIZE, PG_PRIVATE, PG_UPTODATE, SLOT_XA_INDEX, XA_PRESENT } from "../wasm/layout.ts";
import type { AddressSpaceOperations, CachedPage, PageCache } from "./address-space.ts";
import { detachPagePrivate, PageAt, pageFlags } from "./page.ts";
import { cancelDirtyPage } from "./page-dirty.ts";

/** Index of the last page that a file may have. */
export const LAST_PAGE = 2 ** 32 - 1;
const IS_PAGE = 3;

/**
 * The cached pages of a range, in order; the one at hand may leave the cache.
 *
 * @param first index of the first page @param last of the last one
 */
export function* cachedPages(
  { core }: PageCache,
  inode: InodeHandle,
  first: number,
  last: number,
): Generator<PageAt, void> {
  for (let index = first; index <= last; index++) {
    const entry = core.x.indexFind(inode, index, Math.min(last, LAST_PAGE), XA_PRESENT) >>> 0;
    if (entry === 0) return;
    index = core.u32[SLOT + SLOT_XA_INDEX];
    if ((entry & IS_PAGE) === 0) yield new PageAt(core, inode, index, entry >>> 2);
  }
}

/**
 * Cuts bytes [start, end) off the cache, after the store has been: for truncation, holes, and files that go.
 *
 * @param end Infinity = all behind
 */
export function truncatePagecacheRange(
  cache: PageCache,
  operations: AddressSpaceOperations,
  inode: InodeHandle,
  start: number,
  end: number,
): void {
  const first = Math.ceil(start / PAGE_SIZE);
  const stop = Math.min(Math.floor(end / PAGE_SIZE), LAST_PAGE + 1);
  cutPart(cache, operations, inode, start, Math.min(end, first * PAGE_SIZE));
  if (stop >= first && Number.isFinite(end)) cutPart(cache, operations, inode, stop * PAGE_SIZE, end);
  for (const page of cachedPages(cache, inode, first, stop - 1)) cutPage(cache, operations, page);
}

/** Zeroes bytes [start, end) of one page. */
function cutPart(
  cache: PageCache,
  operations: AddressSpaceOperations,
  inode: InodeHandle,
  start: number,
  end: number,
): void {
  if (start >= end) return;
  const { core } = cache;
  const index = Math.floor(start / PAGE_SIZE);
  const pfn = core.x.findPage(inode, index);
  if (pfn === 0) return;
  const page = new PageAt(core, inode, index, pfn);
  if (!(pageFlags(core, pfn) & PG_UPTODATE)) {
    cutPage(cache, operations, page);
    return;
  }
  const offset = start - page.position;
  core.u8.fill(0, pfn * PAGE_SIZE + offset, pfn * PAGE_SIZE + offset + end - start);
  withPageLock(cache, page, () => invalidate(cache, operations, page, offset, end - start));
}

/** All of a page goes. */
export function cutPage(cache: PageCache, operations: AddressSpaceOperations, page: CachedPage): void {
  withPageLock(cache, page, () => {
    invalidate(cache, operations, page, 0, PAGE_SIZE);
    cancelDirtyPage(cache, page.inode, page.pfn); // by now nobody is to write it
    deleteFromPageCache(cache, operations, page);
  });
}

/**
 * errorRemovePage for file systems whose pages can be read anew: the page goes, with what it held.
 *
 * @returns 0 @see Linux generic_error_remove_folio()
 */
export function genericErrorRemovePage(cache: PageCache, operations: AddressSpaceOperations, page: CachedPage): number {
  cutPage(cache, operations, page);
  return 0;
}

function invalidate(
  cache: PageCache,
  { invalidatePage }: AddressSpaceOperations,
  page: CachedPage,
  offset: number,
  length: number,
): void {
  if (invalidatePage !== undefined) invalidatePage(cache, page, offset, length);
  else if (length === PAGE_SIZE && pageFlags(cache.core, page.pfn) & PG_PRIVATE) detachPagePrivate(cache, page);
}

/** With the page's lock, or that of who is filling it; and pinned, whatever becomes of it. */
function withPageLock({ core }: PageCache, { pfn }: CachedPage, work: () => void): void {
  const isOurs = core.x.tryLockPage(pfn) === 1;
  core.x.getPage(pfn);
  work();
  if (isOurs) core.x.unlockPage(pfn);
  core.x.putPage(pfn);
}

/** Takes a page out of the cache. Precondition: the caller has a pin of its own. @see Linux filemap_remove_folio() */
export function deleteFromPageCache(cache: PageCache, { freePage }: AddressSpaceOperations, page: CachedPage): void {
  const { x } = cache.core;
  x.removeFromPageCache(page.inode, page.index);
  freePage?.(cache, page);
  x.putPage(page.pfn);
}

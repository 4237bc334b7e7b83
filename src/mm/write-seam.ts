/**
 * What writes need of writeback, in one place: exports of page-dirty.ts and writeback.ts take its place.
 */
import type { InodeHandle } from "../base/handles.ts";
import type { PageCache } from "./address-space.ts";

/** Marks a page dirty, and its inode. @returns true if it was clean */
export function setPageDirty(cache: PageCache, _inode: InodeHandle, pfn: number): boolean {
  return cache.core.x.setPageDirty(pfn) === 1;
}

/** Has who dirties pages wait while there are too many. @returns 0; -EAGAIN with a token */
export function balanceDirtyPages(_cache: PageCache, _inode: InodeHandle): number {
  return 0;
}

/** Waits for the end of a page's writeback, if its store cannot bear that it changes meanwhile. @returns 0; -EAGAIN with a token */
export function waitForStablePage(_cache: PageCache, _inode: InodeHandle, _pfn: number): number {
  return 0;
}

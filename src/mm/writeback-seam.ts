/**
 * What dropping pages and direct I/O need of writeback, in one place: exports of page-dirty.ts and writeback.ts take its place.
 */
import type { InodeHandle } from "../base/handles.ts";
import type { PageCache } from "./address-space.ts";

/**
 * Writes back what is dirty of bytes [from, to], and waits for it.
 *
 * @returns 0; -EAGAIN with a token; the errno of what could not be written
 */
export function filemapWriteAndWaitRange(_cache: PageCache, _inode: InodeHandle, _from: number, _to: number): number {
  return 0;
}

/** Begins to write back what is dirty of bytes [from, to]; nobody waits. */
export function filemapFlushRange(_cache: PageCache, _inode: InodeHandle, _from: number, _to: number): void {}

/** Marks a page dirty, and its inode. */
export function setPageDirty(cache: PageCache, _inode: InodeHandle, pfn: number): boolean {
  return cache.core.x.setPageDirty(pfn) === 1;
}

/** Marks a page clean that is about to be written. @returns whether it was dirty */
export function clearPageDirtyForIo(cache: PageCache, _inode: InodeHandle, pfn: number): boolean {
  return cache.core.x.clearPageDirty(pfn) === 1;
}

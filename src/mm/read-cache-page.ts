/**
 * Pages for a file system's own use: its directories, maps and tables, kept in the page cache of an inode of its own.
 *
 * @see Linux mm/filemap.c do_read_cache_folio()
 */
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import { PG_UPTODATE } from "../wasm/layout.ts";
import type { AddressSpaceOperations, CachedPage, PageCache } from "./address-space.ts";
import { PageAt, pageFlags } from "./page.ts";
import { failureOf, waitForPage } from "./page-wait.ts";
import { readOnePage } from "./readahead.ts";

/**
 * Finds a page, or has it read by the inode's readPage: this page alone, wherever the inode ends.
 *
 * @param index in the inode, pages
 * @param file the file that it is read for, 0 = none
 * @returns the page, up to date and pinned: the caller gives it back by putPage(), before the inode goes; -EAGAIN with a token
 *   when the store must answer first; -ENOMEM; what readPage answers; -EIO where there is none
 * @see Linux read_mapping_page()
 */
export function readMappingPage(
  cache: PageCache,
  operations: AddressSpaceOperations,
  inode: InodeHandle,
  index: number,
  file = 0 as FileHandle,
): CachedPage | number {
  const { core } = cache;
  const failure = failureOf(cache, inode, index) ?? 0;
  if (failure < 0) return failure;
  for (;;) {
    const pfn = core.x.findPage(inode, index);
    if (pfn !== 0 && pageFlags(core, pfn) & PG_UPTODATE) {
      core.x.markPageAccessed(pfn);
      core.x.getPage(pfn);
      return new PageAt(core, inode, index, pfn);
    }
    const rc = waitForPage(cache, inode, index, pfn) || readOnePage(cache, operations, file, inode, index);
    if (rc < 0) return rc;
  }
}

/** readMappingPage(), read by another operation than the inode's. @see Linux read_cache_page() */
export function readCachePage(
  cache: PageCache,
  operations: AddressSpaceOperations,
  inode: InodeHandle,
  index: number,
  readPage: NonNullable<AddressSpaceOperations["readPage"]>,
  file = 0 as FileHandle,
): CachedPage | number {
  return readMappingPage(cache, { ...operations, readPage }, inode, index, file);
}

/** Gives back a page of readCachePage(). */
export function putPage({ core }: PageCache, { pfn }: CachedPage): void {
  core.x.putPage(pfn);
}

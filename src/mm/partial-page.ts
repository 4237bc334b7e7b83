/**
 * Pages that are cached and not up to date as a whole: a file system with blocks smaller than pages has written some of them,
 * and vouches for these alone. Reads take what it vouches for, or have it read the rest.
 *
 * @see Linux mm/filemap.c filemap_update_page(), filemap_range_uptodate()
 */
import { EAGAIN, EIO } from "../base/errno.ts";
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import { PAGE_SIZE } from "../wasm/layout.ts";
import { type AddressSpaceOperations, AOP_TRUNCATED_PAGE, type PageCache } from "./address-space.ts";
import { askStore, callOut } from "./call-out.ts";
import { countRead } from "./io-counters.ts";
import { PageAt } from "./page.ts";
import { noteFailure } from "./page-wait.ts";
import { isUptodate, LockedPage, setPageUptodate } from "./write-page.ts";

/** The frame of a cached page of which the file system has these bytes ready, 0 = none. */
export function partialPage(
  cache: PageCache,
  operations: AddressSpaceOperations,
  inode: InodeHandle,
  index: number,
  offset: number,
  length: number,
): number {
  if (operations.isPartiallyUptodate === undefined) return 0;
  const { core } = cache;
  const pfn = core.x.findPage(inode, index);
  if (pfn === 0 || core.x.tryLockPage(pfn) === 0) return 0;
  const page = new PageAt(core, inode, index, pfn);
  const isReady = callOut(cache, (seen) => operations.isPartiallyUptodate?.(seen, page, offset, length) === true);
  core.x.unlockPage(pfn);
  return isReady ? pfn : 0;
}

/**
 * Has a cached page read. What the file system vouches for in it, readPage leaves as it is. Precondition: it is not locked.
 *
 * @returns 0, it is up to date or is being read, or is to be looked for anew; a negated errno, and the page stays
 */
export function readCachedPage(
  cache: PageCache,
  operations: AddressSpaceOperations,
  file: FileHandle,
  at: PageAt,
): number {
  const { core } = cache;
  if (core.x.tryLockPage(at.pfn) === 0) return -EAGAIN;
  core.x.getPage(at.pfn);
  const page = new LockedPage(cache, file, at, 0, PAGE_SIZE, false);
  const end = (bytes: number): number => {
    const isFilled = bytes >= 0 && bytes !== AOP_TRUNCATED_PAGE;
    if (isFilled && cache.core === core && !isUptodate(core, page.pfn)) {
      core.u8.fill(0, page.pfn * PAGE_SIZE + Math.min(bytes, PAGE_SIZE), (page.pfn + 1) * PAGE_SIZE);
      setPageUptodate(core, page.pfn);
    }
    page.release(core, operations);
    return Math.min(0, bytes);
  };
  const answer = countRead(
    cache,
    page,
    askStore(cache, (seen) => operations.readPage?.(seen, page) ?? -EIO),
  );
  if (typeof answer === "number") return end(answer);
  const settle = (bytes: number): void => {
    if (cache.core === core) cache.pageReads.tokens.delete(page.pfn);
    if (end(bytes) < 0) noteFailure(token, bytes);
  };
  const token: Promise<void> = answer.then(settle, () => settle(-EIO));
  cache.pageReads.tokens.set(page.pfn, token);
  return 0;
}

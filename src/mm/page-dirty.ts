/**
 * Dirty pages: marked and counted, with their inode on the list of what is to be written.
 *
 * Does not own: the marks (assembly/mm/filemap.ts), the lists (backing-dev.ts).
 *
 * @see Linux mm/page-writeback.c
 */
import type { InodeHandle } from "../base/handles.ts";
import { ADDRESS_SPACE_FLAGS, AS_NO_ACCOUNTING, I_DIRTY_PAGES, INODE_STATE, PAGE_SIZE } from "../wasm/layout.ts";
import type { PageCache, WritebackControl } from "./address-space.ts";
import { mappingOf } from "./page-state.ts";
import { pageMkclean } from "./rmap.ts";
import { taskIoAccountCancelledWrite, taskIoAccountWrite } from "./task-io-account.ts";

/**
 * Marks a page dirty, and its inode with it. In a class without accounting nothing is counted, and nobody will write it.
 *
 * @returns whether it was clean; false for a page that has been truncated meanwhile, too
 * @see Linux __set_page_dirty_nobuffers(), filemap_dirty_folio()
 */
export function setPageDirty(cache: PageCache, inode: InodeHandle, pfn: number): boolean {
  const { core } = cache;
  if (core.x.setPageDirty(pfn) === 0) return false;
  if (core.u32[mappingOf(core, inode) + ADDRESS_SPACE_FLAGS] & AS_NO_ACCOUNTING) return true;
  core.u32[(inode << 3) + INODE_STATE] |= I_DIRTY_PAGES;
  const bdi = cache.bdiOf(inode);
  if (bdi === undefined) return true;
  if (!bdi.noAccounting) {
    bdi.nrDirtied++;
    taskIoAccountWrite(cache, PAGE_SIZE);
  }
  bdi.inodeDirtied(inode);
  return true;
}

/** Marks a page clean that is about to be written. @returns whether it was dirty @see Linux folio_clear_dirty_for_io() */
export function clearPageDirtyForIo(cache: PageCache, inode: InodeHandle, pfn: number): boolean {
  pageMkclean(cache.core, inode, pfn);
  return cache.core.x.clearPageDirty(pfn) === 1;
}

/** A page that is not written: its file lets go of it. @returns whether it was dirty @see Linux folio_cancel_dirty() */
export function cancelDirtyPage(cache: PageCache, inode: InodeHandle, pfn: number): boolean {
  if (cache.core.x.clearPageDirty(pfn) === 0) return false;
  const bdi = cache.bdiOf(inode);
  if (bdi !== undefined) {
    bdi.nrCancelled++;
    taskIoAccountCancelledWrite(cache, PAGE_SIZE);
  }
  return true;
}

/**
 * Puts a page back that writePage or writePages cannot write now: it is dirty again, without counting as newly so.
 *
 * @see Linux folio_redirty_for_writepage()
 */
export function redirtyPageForWritepage(
  cache: PageCache,
  wbc: WritebackControl,
  inode: InodeHandle,
  pfn: number,
): boolean {
  wbc.pagesSkipped++;
  return redirty(cache, inode, pfn);
}

/** @returns whether it was clean */
export function redirty(cache: PageCache, inode: InodeHandle, pfn: number): boolean {
  const isNew = setPageDirty(cache, inode, pfn);
  const bdi = isNew ? cache.bdiOf(inode) : undefined;
  if (bdi !== undefined && !bdi.noAccounting) bdi.nrDirtied--;
  return isNew;
}

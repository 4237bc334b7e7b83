/**
 * Operations of pages for files whose data is nowhere else: what a file system takes that wants some of its own beside them.
 *
 * @see Linux fs/libfs.c simple_read_folio(), simple_write_begin(), simple_write_end(); mm/page-writeback.c
 */
import {
  type CachedPage,
  PAGE_IS_READY,
  type PageCache,
  type ReadaheadControl,
  type WrittenPage,
} from "../mm/address-space.ts";
import { setPageDirty } from "../mm/page-dirty.ts";
import { isUptodate, setPageUptodate } from "../mm/write-page.ts";
import type { Kernel } from "../vfs/kernel.ts";
import { INODE_SIZE, PAGE_SIZE } from "../wasm/layout.ts";

/** readPage: what is not there is zeros. */
export function simpleReadPage(_cache: PageCache, control: ReadaheadControl): number {
  for (const view of control.views()) view.fill(0);
  return control.length;
}

/** Zeroes what [from, to) leaves of a page that is not up to date. @returns 0 */
export function simplePrepareWrite({ core }: PageCache, { pfn }: CachedPage, from: number, to: number): number {
  if (isUptodate(core, pfn) || to - from === PAGE_SIZE) return 0;
  core.u8.fill(0, pfn * PAGE_SIZE, pfn * PAGE_SIZE + from);
  core.u8.fill(0, pfn * PAGE_SIZE + to, (pfn + 1) * PAGE_SIZE);
  return 0;
}

/** writeBegin: nothing is read. */
export function simpleWriteBegin(cache: PageCache, page: WrittenPage): number {
  simplePrepareWrite(cache, page, page.offset, page.offset + page.bytes);
  return PAGE_IS_READY;
}

/** writeEnd: what was not copied of a page that is not up to date is zeros. */
export function simpleWriteEnd(cache: PageCache, page: WrittenPage, copied: number): number {
  const { core } = cache;
  if (copied > 0 && !isUptodate(core, page.pfn)) {
    const at = page.pfn * PAGE_SIZE + page.offset;
    core.u8.fill(0, at + copied, at + page.bytes);
    setPageUptodate(core, page.pfn);
  }
  return copied;
}

/** [from, to) of a page has been written, after simplePrepareWrite(): it is up to date and dirty, and the file as long. @returns 0 */
export function simpleCommitWrite(cache: PageCache, page: CachedPage, _from: number, to: number): number {
  const { core } = cache;
  const size = (page.inode << 2) + INODE_SIZE;
  setPageUptodate(core, page.pfn);
  if (page.position + to > core.f64[size]) core.f64[size] = page.position + to;
  const mapping = (cache.owner as Kernel).tableOf(page.inode).mapping;
  if (mapping.setPageDirty !== undefined) mapping.setPageDirty(cache, page);
  else setPageDirty(cache, page.inode, page.pfn);
  return 0;
}

/** setPageDirty of pages that nobody writes back: the flag alone, where their class says so (AS_NO_ACCOUNTING). */
export function setPageDirtyNoWriteback({ core }: PageCache, { pfn }: CachedPage): boolean {
  return core.x.setPageDirty(pfn) === 1;
}

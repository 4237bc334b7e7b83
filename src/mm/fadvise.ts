/**
 * What a program says it will do with a file that has a store.
 *
 * @see Linux mm/fadvise.c generic_fadvise(); POSIX.1-2024 posix_fadvise()
 */
import type { FileHandle } from "../base/handles.ts";
import { FILE_MODE, FMODE_NOREUSE, FMODE_RANDOM, INODE_SIZE, PAGE_SIZE } from "../wasm/layout.ts";
import type { AddressSpaceOperations, PageCache } from "./address-space.ts";
import { invalidateMappingPages } from "./invalidate.ts";
import { countReadahead } from "./io-counters.ts";
import { inodeOfFile } from "./page.ts";
import { readAhead, readOnePage } from "./readahead.ts";
import { deviceRaPages, maxRaPages, setMaxRaPages } from "./readahead-window.ts";
import { LAST_PAGE } from "./truncate.ts";
import { filemapFlushRange } from "./writeback.ts";

export const POSIX_FADV_NORMAL = 0;
export const POSIX_FADV_RANDOM = 1;
export const POSIX_FADV_SEQUENTIAL = 2;
export const POSIX_FADV_WILLNEED = 3;
export const POSIX_FADV_DONTNEED = 4;
export const POSIX_FADV_NOREUSE = 5;

/**
 * Takes advice: how far to read ahead of this open file, or what to do with pages [offset, offset + length) now. Reads are
 * begun, and nobody waits for them; so is writing back.
 *
 * @param length bytes, 0 = to the end
 * @param advice POSIX_FADV_*; the VFS has checked both
 * @returns 0
 */
export function genericFadvise(
  cache: PageCache,
  operations: AddressSpaceOperations,
  file: FileHandle,
  offset: number,
  length: number,
  advice: number,
): number {
  const { core } = cache;
  const end = length === 0 ? Number.POSITIVE_INFINITY : offset + length;
  switch (advice) {
    case POSIX_FADV_NORMAL:
      setMaxRaPages(core, file, undefined);
      setMode(cache, file, 0, FMODE_RANDOM | FMODE_NOREUSE);
      break;
    case POSIX_FADV_RANDOM:
      setMode(cache, file, FMODE_RANDOM, 0);
      break;
    case POSIX_FADV_SEQUENTIAL:
      setMaxRaPages(core, file, deviceRaPages(cache, operations, file) * 2);
      setMode(cache, file, 0, FMODE_RANDOM);
      break;
    case POSIX_FADV_WILLNEED:
      readWindow(cache, operations, file, Math.max(0, offset), end);
      break;
    case POSIX_FADV_DONTNEED:
      dropRange(cache, operations, file, Math.max(0, offset), end);
      break;
    case POSIX_FADV_NOREUSE:
      setMode(cache, file, FMODE_NOREUSE, 0);
  }
  return 0;
}

function setMode({ core: { u32 } }: PageCache, file: FileHandle, set: number, clear: number): void {
  const at = (file << 3) + FILE_MODE;
  u32[at] = (u32[at] & ~clear) | set;
}

/** Reads what is missing, no more than a window at a time. @see Linux mm/readahead.c force_page_cache_ra() */
function readWindow(
  cache: PageCache,
  operations: AddressSpaceOperations,
  file: FileHandle,
  start: number,
  end: number,
): void {
  const { core } = cache;
  const inode = inodeOfFile(cache.core, file);
  const index = Math.floor(start / PAGE_SIZE);
  const wanted = Math.ceil(Math.min(end, core.f64[(inode << 2) + INODE_SIZE]) / PAGE_SIZE) - index;
  const nrPages = Math.min(wanted, maxRaPages(cache, operations, file));
  if (operations.readahead !== undefined) readAhead(cache, operations, file, inode, { index, nrPages, async: 0 }, 0);
  else if (operations.readPage !== undefined) {
    for (let at = index; at < index + nrPages; at++) {
      if (core.x.findPage(inode, at) !== 0) continue;
      countReadahead(core, 1);
      readOnePage(cache, operations, file, inode, at);
    }
  }
}

/** Whole pages go, so that what others have on the same page stays; at the end of the file its last one goes as well. */
function dropRange(
  cache: PageCache,
  operations: AddressSpaceOperations,
  file: FileHandle,
  start: number,
  end: number,
): void {
  const inode = inodeOfFile(cache.core, file);
  filemapFlushRange(cache, inode, start, end - 1);
  const first = Math.ceil(start / PAGE_SIZE);
  const isToEnd = end === cache.core.f64[(inode << 2) + INODE_SIZE];
  const stop = isToEnd ? Math.ceil(end / PAGE_SIZE) : Math.min(Math.floor(end / PAGE_SIZE), LAST_PAGE + 1);
  if (first < stop) invalidateMappingPages(cache, operations, inode, first, stop - 1);
}

// Pages on their way in from a store: frames for what is not cached, and what is ready to be copied.
//
//   startRead ─► locked, not up to date, in the index ─► the store fills the frames ─► endRead ─► up to date, unlocked
//
// Whoever fills a page holds a pin of its own: a page that is truncated meanwhile leaves the cache, and its frame is not
// given away before the store has let go of it.
//
// Does not own: how many pages to read ahead (src/mm/readahead.ts), who waits (src/mm/stored-read.ts).
//
// Compare Linux mm/readahead.c page_cache_ra_unbounded(), mm/filemap.c filemap_get_read_batch().
import { MAX_ORDER, PG_LOCKED, PG_READAHEAD, PG_UPTODATE } from "../abi";
import { AddressSpace } from "./address-space";
import { addToPageCache, findPageInline, holeLength, removeFromPageCache } from "./filemap";
import { markPageAccessed } from "./lru";
import { pageOf } from "./page";
import { allocPages, allocPagesNoGrow, freePage, putPage } from "./page-alloc";
import { unlockPage } from "./page-lock";

/**
 * Pages from `index` on that are cached and up to date, up to `nr`, as far as their frames lie behind each other.
 *
 * @returns the first frame, and in the high half how many; 0 when the first is not ready
 */
export function readyRun(mapping: AddressSpace, index: u32, nr: u32): u64 {
  const first = findPageInline(mapping, index);
  if (!first || !(pageOf(first).flags & PG_UPTODATE)) return 0;
  let n: u32 = 1;
  while (n < nr && findPageInline(mapping, index + n) == first + n && pageOf(first + n).flags & PG_UPTODATE) n++;
  return <u64>n << 32 | first;
}

/** Notes that frames are being read from; a page that the file's last read ended in has been noted already. */
export function markRunAccessed(first: u32, nr: u32, skipFirst: bool): void {
  for (let i: u32 = skipFirst ? 1 : 0; i < nr; i++) markPageAccessed(first + i);
}

/** Takes the mark for the next window off the frames of a run. @returns place of the first that had it; `nr` if none has */
export function takeMarker(first: u32, nr: u32): u32 {
  for (let i: u32 = 0; i < nr; i++) {
    const page = pageOf(first + i);
    if (!(page.flags & PG_READAHEAD)) continue;
    page.flags &= ~PG_READAHEAD;
    return i;
  }
  return nr;
}

/**
 * Makes pages for what is not cached from `index` on, up to `nr` and to the next page that is: locked, not up to date, with
 * a pin for the caller, their frames one run.
 *
 * @returns the first frame, and in the high half how many; 0 when `index` is cached, or memory ran out
 */
export function startRead(mapping: AddressSpace, index: u32, nr: u32): u64 {
  if (findPageInline(mapping, index)) return 0;
  const wanted = holeLength(mapping, index, nr);
  let order = min<u32>(31 - clz<u32>(wanted), MAX_ORDER);
  let pfn: u32 = 0;
  while (order && !pfn) {
    pfn = allocPagesNoGrow(order);
    if (!pfn) order--;
  }
  if (!pfn) pfn = allocPages(0);
  if (!pfn) return 0;
  const nrFrames: u32 = 1 << order;
  for (let i: u32 = 0; i < nrFrames; i++) pageOf(pfn + i).refcount = 1;
  let done: u32 = 0;
  while (done < nrFrames && addToPageCache(mapping, index + done, pfn + done) == 0) {
    const page = pageOf(pfn + done);
    page.flags |= PG_LOCKED;
    page.refcount++;
    done++;
  }
  for (let i = done; i < nrFrames; i++) freePage(pfn + i);
  return done ? <u64>done << 32 | pfn : 0;
}

/** The store has filled frames of startRead(): they are up to date and unlocked, and the pins go. */
export function endRead(pfn: u32, nr: u32): void {
  for (let i: u32 = 0; i < nr; i++) {
    pageOf(pfn + i).flags |= PG_UPTODATE;
    unlockPage(pfn + i);
    putPage(pfn + i);
  }
}

/** The store has not filled frames of startRead(): they leave the cache, and who waits looks again. */
export function failRead(pfn: u32, nr: u32): void {
  for (let i: u32 = 0; i < nr; i++) {
    const page = pageOf(pfn + i);
    unlockPage(pfn + i);
    if (page.mapping && removeFromPageCache(changetype<AddressSpace>(<usize>page.mapping), page.index)) putPage(pfn + i);
    putPage(pfn + i);
  }
}

/**
 * Pins of frames that programs have views of: they are neither reclaimed nor moved until they are let go of, whatever becomes
 * of the file (Linux FOLL_PIN). What is pinned, and what mlock() has locked, counts against one limit, so that the rest of memory
 * goes on working.
 *
 * A pin for writing is of a page that somebody may write to at any moment: it is dirty again after each writeback, and when
 * it is let go of.
 *
 * Does not own: how a page is found (memory.ts), the views (node/page-view.ts).
 *
 * @see Linux mm/gup.c, mm/util.c account_locked_vm()
 */
import { ENOMEM } from "../base/errno.ts";
import { type Core, SLOT } from "../wasm/core.ts";
import {
  INODE_SIZE,
  KERNEL_BLOCK,
  KERNEL_MAX_PFN,
  KERNEL_MAX_PINNED,
  KERNEL_NR_PINNED,
  PAGE_INDEX,
  PAGE_PIN_BYTES,
  PAGE_PIN_FLAGS,
  PAGE_PIN_NEXT,
  PAGE_PIN_NR_FRAMES,
  PAGE_PIN_OWNER,
  PAGE_PIN_PFN,
  PAGE_SIZE,
  PIN_WRITE,
  SLOT_NUMBER,
  SLOT_PINS,
} from "../wasm/layout.ts";
import type { PageCache } from "./address-space.ts";
import { fieldOf } from "./page.ts";
import { setPageDirty } from "./page-dirty.ts";
import { inodeOfPage, linkRecord, unlinkRecord } from "./vm-area.ts";

const KERNEL = KERNEL_BLOCK >>> 2;

/** Most pages that may be pinned and locked: half of the memory limit, unless somebody has said otherwise. */
export function maxPinned({ u32 }: Core): number {
  return u32[KERNEL + KERNEL_MAX_PINNED] || u32[KERNEL + KERNEL_MAX_PFN] >>> 1;
}

/** @param nr pages, at least 1 */
export function limitPinned({ u32 }: Core, nr: number): void {
  u32[KERNEL + KERNEL_MAX_PINNED] = nr;
}

/** Pages that are pinned and locked. */
export function nrPinned({ u32 }: Core): number {
  return u32[KERNEL + KERNEL_NR_PINNED];
}

/** Pages that may be pinned beside those that are; at least 1, which is refused then. */
export function nrPinnable(core: Core): number {
  return Math.max(1, maxPinned(core) - nrPinned(core));
}

/** Counts `nr` pages more, which may be negative. @returns 0; -ENOMEM, and nothing is counted */
export function accountLocked(core: Core, nr: number): number {
  const after = nrPinned(core) + nr;
  if (nr > 0 && after > maxPinned(core)) return -ENOMEM;
  core.u32[KERNEL + KERNEL_NR_PINNED] = after;
  return 0;
}

/**
 * Pins a run of frames. Precondition: somebody holds them until this returns.
 *
 * @param flags PIN_*
 * @returns the pin, for unpinPages(); -ENOMEM when there are too many, or memory ran out
 */
export function pinPages(core: Core, pfn: number, nr: number, flags: number): number {
  const refused = accountLocked(core, nr);
  if (refused < 0) return refused;
  for (let i = 0; i < nr; i++) core.x.getPage(pfn + i); // before the record: that may reclaim
  const address = core.x.kmalloc(PAGE_PIN_BYTES) >>> 0;
  if (address === 0) {
    for (let i = 0; i < nr; i++) core.x.putPage(pfn + i);
    accountLocked(core, -nr);
    return -ENOMEM;
  }
  const at = address >>> 2;
  core.u32[at + PAGE_PIN_PFN] = pfn;
  core.u32[at + PAGE_PIN_NR_FRAMES] = nr;
  core.u32[at + PAGE_PIN_FLAGS] = flags;
  core.u32[at + PAGE_PIN_OWNER] = core.u32[SLOT + SLOT_NUMBER];
  linkRecord(core, SLOT_PINS, address);
  return address >>> 5;
}

/** Lets go of a run: pages that were pinned for writing are dirty. @see Linux unpin_user_pages_dirty_lock() */
export function unpinPages(cache: PageCache, pin: number): void {
  const { core } = cache;
  const at = pin * 8;
  const pfn = core.u32[at + PAGE_PIN_PFN];
  const nr = core.u32[at + PAGE_PIN_NR_FRAMES];
  if (core.u32[at + PAGE_PIN_FLAGS] & PIN_WRITE) for (let i = 0; i < nr; i++) dirty(cache, pfn + i);
  dropPin(core, pin);
}

/** What has been written to a page behind the end of the file is of no file. */
function dirty(cache: PageCache, pfn: number): void {
  const { core } = cache;
  const inode = inodeOfPage(core, pfn);
  if (inode === 0) return; // a private copy, or truncated
  const left = core.f64[(inode << 2) + INODE_SIZE] - core.u32[fieldOf(pfn, PAGE_INDEX)] * PAGE_SIZE;
  if (left < PAGE_SIZE) core.u8.fill(0, pfn * PAGE_SIZE + Math.max(0, left), (pfn + 1) * PAGE_SIZE);
  setPageDirty(cache, inode, pfn);
}

/** Lets go of a run, and no more. */
export function dropPin(core: Core, pin: number): void {
  const at = pin * 8;
  const nr = core.u32[at + PAGE_PIN_NR_FRAMES];
  for (let i = 0; i < nr; i++) core.x.putPage(core.u32[at + PAGE_PIN_PFN] + i);
  accountLocked(core, -nr);
  unlinkRecord(core, SLOT_PINS, pin * 32);
  core.x.kfree(pin << 5);
}

/** All pins; the one at hand may go. */
export function* pagePins(core: Core): Generator<number, void> {
  for (let address = core.u32[SLOT + SLOT_PINS]; address !== 0; ) {
    const next = core.u32[(address >>> 2) + PAGE_PIN_NEXT];
    yield address >>> 5;
    address = next;
  }
}

/** May somebody be writing to a frame at this moment? @see Linux folio_maybe_dma_pinned() */
export function isPinnedForWriting(core: Core, pfn: number): boolean {
  if (core.u32[SLOT + SLOT_PINS] === 0) return false;
  for (const pin of pagePins(core)) {
    const first = core.u32[pin * 8 + PAGE_PIN_PFN];
    const isIn = pfn >= first && pfn < first + core.u32[pin * 8 + PAGE_PIN_NR_FRAMES];
    if (isIn && core.u32[pin * 8 + PAGE_PIN_FLAGS] & PIN_WRITE) return true;
  }
  return false;
}

/**
 * Pages of one file in memory become those of another as well, or of another part of it.
 *
 *   source   | a | b |   | c | d |        d: somebody has a pin of it (a view, a write to a swap area), so it is copied
 *   target   | x |   | y | z |   |   ─►   | a | b |   | c | D |
 *
 * All that can fail is done first: blocks are counted, leaves of the index made, frames for copies taken. Then nothing is left but to put
 * pages where they belong.
 *
 * Does not own: who may, sizes and times (vfs/clone-file-range.ts).
 *
 * @see Linux fs/xfs/xfs_reflink.c xfs_reflink_remap_blocks()
 */
import { ENOSPC } from "../base/errno.ts";
import type { InodeHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import {
  AS_SHARED,
  AS_SWAPBACKED,
  INODE_DIRTIED_CS,
  INODE_NR_PAGES,
  INODE_SB,
  INODE_XA_FLAGS,
  INODE_XA_HEAD,
  KERNEL_BLOCK,
  KERNEL_NR_RESERVED,
  PAGE_FLAGS,
  PAGE_INDEX,
  PAGE_MAPPING,
  PAGE_SIZE,
  PG_DIRTY,
  PG_REFERENCED,
  PG_SWAPBACKED,
  PG_UNEVICTABLE,
  PG_UPTODATE,
  SUPER_BLOCK_MAX_BLOCKS,
  SUPER_BLOCK_USED_BLOCKS,
  SWAP_SLOT_SHIFT,
  XA_MARK_LENT,
  XA_RESERVED,
  XA_RESERVING,
  XA_SHADOW,
} from "../wasm/layout.ts";
import { lruAdd } from "./lru-list.ts";
import { fieldOf } from "./page.ts";
import {
  addToLeaf,
  eachData,
  eachLeaf,
  hasMark,
  hasPlace,
  leafHasMark,
  markToo,
  slotOf,
  storePage,
} from "./page-index.ts";
import { dropPage, isSharable, sharePage } from "./shared-frames.ts";
import { isSwapEntry } from "./swap-in.ts";
import { areaOf, swapOf } from "./swap-state.ts";

const SLOTS = 64;
const LEAF_SHIFT = 6;

/**
 * Which pages are blocks of the target's file system at once. Others are lent: they are when they are written to.
 *
 * - all: within a file system
 * - none: what another one has anyhow
 * - same: those that are of the source's; for a copy of all that a file system has
 */
export type Charge = "all" | "none" | "same";

/** What is to become what. */
export interface ClonedRange {
  readonly from: InodeHandle;
  /** Pages of `from`. */
  readonly first: number;
  readonly last: number;
  readonly to: InodeHandle;
  /** First page of `to`; the ranges do not overlap. */
  readonly target: number;
  readonly charge: Charge;
}

/** What `cloneRange()` answers where a page is in a swap area. */
export const IS_SWAPPED = 1;

/**
 * Has pages of a file be those of another: shared until they are written to, and holes where there are holes. All or nothing.
 *
 * @returns 0; IS_SWAPPED; -ENOSPC when memory ran out, or the file system is full
 */
export function cloneRange(core: Core, range: ClonedRange): number {
  const plan = planFor(core, range);
  if (typeof plan === "number") return plan;
  const copies = allocCopies(core, plan.nrCopies);
  if (copies === undefined) return -ENOSPC;
  const leaves = makeLeaves(core, range);
  if (leaves === undefined) {
    for (const pfn of copies) core.x.freePages(pfn, 1);
    return -ENOSPC;
  }
  new Clone(core, range).run(copies);
  if (plan.hasEntries) clearHoles(core, range);
  return 0;
}

/** Counts what there is to share, and whether there may be so many blocks. */
function planFor(core: Core, range: ClonedRange): { nrCopies: number; hasEntries: boolean } | number {
  const { from, first, last, to, target } = range;
  let nrCharged = 0;
  let nrCopies = 0;
  let isSwapped = false;
  eachLeaf(core, from, first, last, (index, at, nr) => {
    const { u32 } = core;
    const lends = mayLend(core, range, index, at);
    for (let i = 0; i < nr; i++) {
      const entry = u32[at + i];
      if (entry === 0 || (entry & 3) === XA_SHADOW) continue;
      isSwapped = isSwapEntry(entry);
      if (isSwapped) return false;
      const isCopied = !isSharable(core, entry >>> 2);
      if (isCopied) nrCopies++;
      if (isCopied || !lends || !isLent(core, range, index + i, at + i)) nrCharged++;
    }
    return true;
  });
  if (isSwapped) return IS_SWAPPED;
  let hasEntries = false;
  let nrBlocks = 0;
  eachLeaf(core, to, target, target + last - first, (index, at, nr) => {
    for (let i = 0; i < nr; i++) {
      if (core.u32[at + i] === 0) continue;
      hasEntries = true;
      if (!hasMark(core, to, index + i, at + i, XA_MARK_LENT)) nrBlocks++;
    }
    return true;
  });
  const sb = core.u32[(to << 3) + INODE_SB] >>> 2;
  const left = core.u32[sb + SUPER_BLOCK_MAX_BLOCKS] - core.u32[sb + SUPER_BLOCK_USED_BLOCKS];
  return nrCharged > left + nrBlocks ? -ENOSPC : { nrCopies, hasEntries };
}

/** Can there be pages in a leaf of the source that are shared and no blocks of the target's file system? As isLent(). */
function mayLend(core: Core, { from, charge }: ClonedRange, index: number, at: number): boolean {
  return charge === "none" || (charge === "same" && leafHasMark(core, from, index, at, XA_MARK_LENT));
}

/** Is a page that is shared none? @param index of the source @param at index in `u32` of its slot */
function isLent(core: Core, { from, charge }: ClonedRange, index: number, at: number): boolean {
  return charge === "none" || (charge === "same" && hasMark(core, from, index, at, XA_MARK_LENT));
}

/** @returns frames with a pin each; undefined when memory ran out */
function allocCopies({ x }: Core, nr: number): number[] | undefined {
  const frames: number[] = [];
  for (let i = 0; i < nr; i++) {
    const pfn = x.allocPages(0);
    if (pfn === 0) {
      for (const taken of frames) x.freePages(taken, 1);
      return undefined;
    }
    frames.push(pfn);
  }
  return frames;
}

/** Makes the leaves that pages will go to, with an entry in each. @returns undefined when memory ran out, and nothing has changed */
function makeLeaves(core: Core, { from, first, last, to, target }: ClonedRange): true | undefined {
  const made: number[] = [];
  let isDone = true;
  let known = -1;
  eachData(core, from, first, last, (at) => {
    const index = target + at - first;
    const leaf = index >>> LEAF_SHIFT;
    if (leaf === known) return true;
    if (!hasPlace(core, to, index)) {
      isDone = core.x.indexStore(to, index, XA_RESERVING) === 0;
      if (!isDone) return false;
      made.push(index);
    }
    if (index > 0) known = leaf; // page 0 alone needs none
    return true;
  });
  if (isDone) return true;
  for (const index of made) core.x.punchHole(to, index * PAGE_SIZE, (index + 1) * PAGE_SIZE);
  return undefined;
}

/** Slots of one leaf of the source, and of one of the target. */
interface Piece {
  /** First page of the source, and of the target. */
  readonly place: number;
  readonly index: number;
  /** Indexes in `u32` of their slots. */
  readonly source: number;
  readonly at: number;
  readonly length: number;
}

/** Pages on their way to where they belong. Nothing here can fail. */
class Clone {
  readonly #core: Core;
  readonly #range: ClonedRange;
  /** Blocks and pages that have come, or, below 0, gone. */
  #blocks = 0;
  #pages = 0;
  #hasShared = false;

  constructor(core: Core, range: ClonedRange) {
    this.#core = core;
    this.#range = range;
  }

  /** @param copies frames for pages that cannot be shared */
  run(copies: number[]): void {
    const core = this.#core;
    const { from, first, last, to, target } = this.#range;
    eachLeaf(core, from, first, last, (place, source, nr) => {
      for (let done = 0; done < nr; ) {
        const index = target + place + done - first;
        const length = Math.min(nr - done, SLOTS - (index % SLOTS));
        const at = slotOf(core, to, index);
        if (at !== undefined) this.#runPiece({ place: place + done, source: source + done, index, at, length }, copies);
        done += length;
      }
      return true;
    });
    this.#settle();
  }

  /** Moves what is in one leaf of either file. Where there is no page, slots of the target are let be; it may not have as many. */
  #runPiece({ place, source, index, at, length }: Piece, copies: number[]): void {
    const core = this.#core;
    const { u32 } = core;
    const isLeaf = at !== (this.#range.to << 3) + INODE_XA_HEAD;
    const mayLendSome = mayLend(core, this.#range, place, source);
    let nr = 0;
    let nrLent = 0;
    for (let i = 0; i < length; i++) {
      const entry = u32[source + i];
      if (entry === 0 || (entry & 3) !== 0) continue;
      const pfn = entry >>> 2;
      const lends = mayLendSome && isLent(core, this.#range, place + i, source + i);
      if (!isSharable(core, pfn)) this.#copy(index + i, at + i, pfn, copies.pop() as number);
      else if (u32[at + i] !== 0 || !isLeaf) this.#share(index + i, at + i, pfn, lends);
      else {
        // Fast path: same result.
        sharePage(core, pfn);
        u32[at + i] = entry;
        nr++;
        if (lends) this.#lend(index + i, at + i, nrLent++ === 0);
      }
    }
    if (nr > 0) this.#added(index, at, nr, nrLent);
  }

  #lend(index: number, at: number, isFirst: boolean): void {
    if (isFirst) this.#core.x.indexSetMark(this.#range.to, index, XA_MARK_LENT);
    else markToo(this.#core, index, at, XA_MARK_LENT);
  }

  /** Pages have been put into slots of a leaf that were free. */
  #added(index: number, at: number, nr: number, nrLent: number): void {
    addToLeaf(this.#core, index, at, nr);
    this.#pages += nr;
    this.#blocks += nr - nrLent;
    this.#hasShared = true;
  }

  #share(index: number, at: number, pfn: number, lends: boolean): void {
    const core = this.#core;
    const { to } = this.#range;
    sharePage(core, pfn);
    const old = this.#put(index, at, pfn);
    if (lends) core.x.indexSetMark(to, index, XA_MARK_LENT);
    else this.#blocks++;
    this.#hasShared = true;
    if (old !== 0) this.#release(old);
  }

  #copy(index: number, at: number, from: number, pfn: number): void {
    const core = this.#core;
    const { u32, u8 } = core;
    const { to } = this.#range;
    u8.copyWithin(pfn * PAGE_SIZE, from * PAGE_SIZE, (from + 1) * PAGE_SIZE);
    const list = u32[(to << 3) + INODE_XA_FLAGS] & AS_SWAPBACKED ? PG_SWAPBACKED : PG_UNEVICTABLE;
    u32[fieldOf(pfn, PAGE_FLAGS)] = PG_UPTODATE | PG_DIRTY | PG_REFERENCED | list;
    u32[fieldOf(pfn, PAGE_MAPPING)] = (to << 5) + 4 * INODE_XA_HEAD;
    u32[fieldOf(pfn, PAGE_INDEX)] = index;
    lruAdd(core, pfn);
    const old = this.#put(index, at, pfn);
    this.#blocks++;
    if (old !== 0) this.#release(old);
  }

  /** Stores a page; one that was there and lent, is so no more. @returns what was there */
  #put(index: number, at: number, pfn: number): number {
    const core = this.#core;
    const { to } = this.#range;
    this.#pages++;
    const old = storePage(core, to, index, at, pfn);
    if (old === 0 || old === XA_RESERVING) return 0;
    if (hasMark(core, to, index, at, XA_MARK_LENT)) core.x.indexClearMark(to, index, XA_MARK_LENT);
    else this.#blocks--;
    return old;
  }

  /** What was in the place of a page goes. */
  #release(old: number): void {
    const core = this.#core;
    if (old === XA_RESERVED) {
      core.u32[(this.#range.to << 3) + INODE_DIRTIED_CS]--;
      core.u32[(KERNEL_BLOCK >>> 2) + KERNEL_NR_RESERVED]--;
      return;
    }
    this.#pages--;
    if (isSwapEntry(old)) areaOf(swapOf(core), old).drop(old >>> SWAP_SLOT_SHIFT, false);
    else dropPage(core, old >>> 2);
  }

  #settle(): void {
    const { u32 } = this.#core;
    const { from, to } = this.#range;
    u32[(to << 3) + INODE_NR_PAGES] += this.#pages;
    u32[(u32[(to << 3) + INODE_SB] >>> 2) + SUPER_BLOCK_USED_BLOCKS] += this.#blocks;
    if (!this.#hasShared) return;
    u32[(from << 3) + INODE_XA_FLAGS] |= AS_SHARED;
    u32[(to << 3) + INODE_XA_FLAGS] |= AS_SHARED;
  }
}

/** Makes holes where the source has some. */
function clearHoles(core: Core, { from, first, last, to, target }: ClonedRange): void {
  const clear = (start: number, end: number): void => {
    if (start < end) core.x.punchHole(to, (target + start - first) * PAGE_SIZE, (target + end - first) * PAGE_SIZE);
  };
  let hole = first;
  eachData(core, from, first, last, (index) => {
    clear(hole, index);
    hole = index + 1;
    return true;
  });
  clear(hole, last + 1);
}

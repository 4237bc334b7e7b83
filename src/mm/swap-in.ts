/**
 * Pages on their way back from swap areas, with those of the file whose slots lie beside theirs (2^vm.page_cluster of them).
 *
 *   swap entry ─► frames that no file has yet, locked ─► the device fills them ─► each takes the place of its entry, in the swap
 *     cache: as long as nobody writes to it, its slot keeps it
 *
 * Entries do not move. A slot that is held by nobody but the read when it ends has been cut off meanwhile.
 *
 * Does not own: who needs a page, and asks again (vfs/swap-go-on.ts).
 *
 * @see Linux mm/shmem.c shmem_swapin_folio(), mm/swap_state.c swap_cluster_readahead()
 */
import { EAGAIN, EIO, ENOMEM } from "../base/errno.ts";
import type { InodeHandle } from "../base/handles.ts";
import { type Core, SLOT } from "../wasm/core.ts";
import {
  AS_SWAPBACKED,
  AS_UNEVICTABLE,
  INODE_XA_FLAGS,
  INODE_XA_HEAD,
  KERNEL_BLOCK,
  KERNEL_MIN_FREE,
  KERNEL_NR_FREE,
  KERNEL_NR_SWAP_PAGES,
  PAGE_FLAGS,
  PAGE_INDEX,
  PAGE_MAPPING,
  PAGE_PRIVATE_LOW,
  PAGE_REFCOUNT,
  PG_ACTIVE,
  PG_LOCKED,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_UNEVICTABLE,
  PG_UPTODATE,
  RESULT_EXTRA,
  RESULT_LENGTH,
  SLOT_FLAGS,
  SLOT_MEMALLOC,
  SWAP_SLOT_SHIFT,
  VM_PSWPIN,
  XA_SWAP,
} from "../wasm/layout.ts";
import { type PageCache, TRY_AGAIN } from "./address-space.ts";
import { putbackPage } from "./lru-list.ts";
import { fieldOf } from "./page.ts";
import { entryOf, replaceEntry } from "./page-index.ts";
import type { SwapArea } from "./swap-area.ts";
import { FrameIo, startIo } from "./swap-io.ts";
import { forgetSlot } from "./swap-out.ts";
import { areaOf, countSwap, type SwapState, swapOf } from "./swap-state.ts";
import type { VmLimits } from "./vm-limits.ts";

const KERNEL = KERNEL_BLOCK >>> 2;
const DEFAULT_CLUSTER = 3;
/** More than these would be another program's memory, 2 MiB. */
const MAX_CLUSTER = 9;

/** What swapping in needs of the kernel above. */
export interface SwapHost extends PageCache {
  readonly vm: VmLimits | undefined;
}

/** True for an entry of a page index that is a page in a swap area. */
export function isSwapEntry(entry: number): boolean {
  return (entry & 3) === XA_SWAP;
}

/** Brings in what a call needed that has answered -HANDOVER_SWAP_IN: it is the last that the core has been asked. @returns as swapInPage() */
export function swapIn(host: SwapHost): number {
  const { core } = host;
  const inode = ((core.result(RESULT_LENGTH) - 4 * INODE_XA_HEAD) >>> 5) as InodeHandle;
  return swapInPage(host, inode, core.result(RESULT_EXTRA));
}

/**
 * Brings in a page of a file, if it is in a swap area.
 *
 * @returns TRY_AGAIN; -EAGAIN with a token of a device that takes time; -EIO when it cannot be read; -ENOMEM
 */
export function swapInPage(host: SwapHost, inode: InodeHandle, index: number): number {
  const { core } = host;
  const entry = entryOf(core, inode, index);
  if (!isSwapEntry(entry)) return TRY_AGAIN;
  const state = swapOf(core);
  const failure = state.failures.get(entry);
  if (failure !== undefined) {
    state.failures.delete(entry);
    return failure;
  }
  const token = state.reads.get(entry) ?? startSwapIn(host, state, inode, index, entry);
  if (typeof token === "number") return token;
  host.setWaitToken(token);
  return -EAGAIN;
}

function startSwapIn(
  host: SwapHost,
  state: SwapState,
  inode: InodeHandle,
  index: number,
  entry: number,
): number | Promise<void> {
  const { core } = host;
  let first = takeFrame(core);
  if (first === 0) {
    const rc = host.room(-ENOMEM);
    if (rc === TRY_AGAIN) return swapInPage(host, inode, index);
    if (rc === -EAGAIN) return rc;
    first = withReserve(core, () => takeFrame(core)); // what comes in leaves a slot to another
    if (first === 0) return [...state.reads.values()][0] ?? -ENOMEM;
  }
  const area = areaOf(state, entry);
  const slot = entry >>> SWAP_SLOT_SHIFT;
  const nr = 1 << Math.min(host.vm?.page_cluster ?? DEFAULT_CLUSTER, MAX_CLUSTER);
  const start = index - (index % nr);
  const isBeside = (at: number): boolean => {
    const other = area.entryOf(slot + at - index);
    return entryOf(core, inode, at) === other && !state.reads.has(other) && !state.failures.has(other);
  };
  let from = index;
  while (from > start && slot - index + from > 0 && isBeside(from - 1)) from--;
  let end = index + 1;
  while (end < start + nr && isBeside(end)) end++;
  const pfns = framesFor(core, first, from, index, end);
  return new SwapIn(host, state, area, inode, pfns.from, pfns.frames, index).start();
}

/** @returns a frame with a pin, 0 = there is none */
function takeFrame({ x }: Core): number {
  return x.allocBuffer(0);
}

/** Takes frames of the reserve, if need be: for who makes room by them. */
export function withReserve(core: Core, take: () => number): number {
  core.u32[SLOT + SLOT_FLAGS] |= SLOT_MEMALLOC;
  try {
    return take();
  } finally {
    core.u32[SLOT + SLOT_FLAGS] &= ~SLOT_MEMALLOC;
  }
}

/** Frames for the pages beside, as far as there is memory to spare. @param first the frame of page `index` */
function framesFor(
  core: Core,
  first: number,
  from: number,
  index: number,
  end: number,
): { from: number; frames: number[] } {
  const { u32 } = core;
  const spare = u32[KERNEL + KERNEL_NR_FREE] - u32[KERNEL + KERNEL_MIN_FREE] - 1;
  const frames = [first];
  for (let at = index + 1; at < end && frames.length <= spare; at++) {
    const pfn = takeFrame(core);
    if (pfn === 0) break;
    frames.push(pfn);
  }
  let start = index;
  for (; start > from && frames.length <= spare; start--) {
    const pfn = takeFrame(core);
    if (pfn === 0) break;
    frames.unshift(pfn);
  }
  return { from: start, frames };
}

/** A read of pages that follow each other in a file and in an area. */
class SwapIn {
  readonly #host: SwapHost;
  readonly #state: SwapState;
  readonly #area: SwapArea;
  readonly #inode: InodeHandle;
  readonly #from: number;
  readonly #frames: readonly number[];
  readonly #wanted: number;
  readonly #slot: number;

  /** @param wanted index of the page that somebody needs */
  constructor(
    host: SwapHost,
    state: SwapState,
    area: SwapArea,
    inode: InodeHandle,
    from: number,
    frames: readonly number[],
    wanted: number,
  ) {
    this.#host = host;
    this.#state = state;
    this.#area = area;
    this.#inode = inode;
    this.#from = from;
    this.#frames = frames;
    this.#wanted = wanted;
    this.#slot = entryOf(host.core, inode, from) >>> SWAP_SLOT_SHIFT;
  }

  /** @returns TRY_AGAIN or -EIO; the end of a read that takes time */
  start(): number | Promise<void> {
    const { core } = this.#host;
    for (const [i, pfn] of this.#frames.entries()) {
      core.u32[fieldOf(pfn, PAGE_FLAGS)] = PG_LOCKED; // or it would be nobody's
      this.#area.hold(this.#slot + i, true);
    }
    let rc = TRY_AGAIN;
    const ends = startIo(
      (io) => this.#host.nested(() => this.#area.device.readPages(io)),
      new FrameIo(core, this.#slot, this.#frames),
      (nr, isLate) => {
        if (!this.#state.isGone) rc = this.#end(Math.max(0, nr), isLate);
      },
    );
    if (ends === undefined) return rc;
    this.#frames.forEach((_, i) => {
      this.#state.reads.set(this.#area.entryOf(this.#slot + i), ends);
    });
    return ends;
  }

  /** The device has filled `nr` of the pages. @returns TRY_AGAIN when somebody has what he needs, or is to ask anew; -EIO */
  #end(nr: number, isLate: boolean): number {
    const { core } = this.#host;
    let isWanted = false;
    for (const [i, pfn] of this.#frames.entries()) {
      const slot = this.#slot + i;
      const index = this.#from + i;
      if (isLate) this.#state.reads.delete(this.#area.entryOf(slot));
      this.#area.drop(slot, true);
      core.u32[fieldOf(pfn, PAGE_FLAGS)] = 0;
      if (this.#area.count(slot) === 0 || i >= nr) core.x.putPage(pfn);
      else this.#insert(pfn, index, this.#area.entryOf(slot));
      if (index === this.#wanted) isWanted = i < nr || this.#area.count(slot) === 0;
    }
    countSwap(core, VM_PSWPIN, nr);
    if (isWanted) return TRY_AGAIN;
    return this.#failed(isLate);
  }

  /** The wanted page has not come: it is asked for alone, if it was not. */
  #failed(isLate: boolean): number {
    const entry = this.#area.entryOf(this.#slot + this.#wanted - this.#from);
    if (this.#frames.length > 1) {
      const pfn = takeFrame(this.#host.core);
      if (pfn !== 0) {
        const alone = [this.#host, this.#state, this.#area, this.#inode, this.#wanted, [pfn], this.#wanted] as const;
        const again = new SwapIn(...alone).start();
        if (typeof again === "number") return this.#tell(entry, again, isLate);
        return TRY_AGAIN; // who asks finds it among the reads
      }
    }
    return this.#tell(entry, -EIO, isLate);
  }

  #tell(entry: number, rc: number, isLate: boolean): number {
    if (isLate && rc < 0 && rc !== TRY_AGAIN) this.#state.failures.set(entry, rc);
    return rc;
  }

  /** A page takes the place of its swap entry. */
  #insert(pfn: number, index: number, entry: number): void {
    const { core } = this.#host;
    const inode = this.#inode;
    const mapping = (inode << 5) + 4 * INODE_XA_HEAD;
    const { u32 } = core;
    const of = u32[(inode << 3) + INODE_XA_FLAGS];
    u32[fieldOf(pfn, PAGE_FLAGS)] =
      PG_UPTODATE |
      PG_SWAPCACHE |
      (index === this.#wanted && !(of & AS_UNEVICTABLE) ? PG_ACTIVE : 0) | // or it could be the first to go again
      (of & AS_SWAPBACKED ? PG_SWAPBACKED : 0) |
      (of & AS_UNEVICTABLE ? PG_UNEVICTABLE : 0);
    u32[fieldOf(pfn, PAGE_MAPPING)] = mapping;
    u32[fieldOf(pfn, PAGE_INDEX)] = index;
    u32[fieldOf(pfn, PAGE_PRIVATE_LOW)] = entry;
    u32[fieldOf(pfn, PAGE_REFCOUNT)] = 2;
    replaceEntry(core, inode, index, pfn << 2);
    putbackPage(core, pfn);
    if (this.#area.isWritable && u32[KERNEL + KERNEL_NR_SWAP_PAGES] === 0)
      forgetSlot(core, this.#state, pfn); // for another
    else this.#state.hasCached = true;
  }
}

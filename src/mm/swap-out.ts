/**
 * Pages of memory on their way to swap areas.
 *
 *   oldest of the anonymous lists ─► isolated, pinned ─► slots that follow each other, in the order of files and indexes
 *     ─► clean, in the swap cache, under writeback ─► written: the swap entry takes the page's place in its file
 *
 * Programs may write to a page meanwhile: then it is dirty again, and stays. What a device refuses, or cannot write, goes to the
 * next area, or stays. A page that has come back and has not been written to goes at once: its slot still has its bytes.
 *
 * Does not own: when memory is wanted (vmscan.ts), which slots are free (swap-area.ts), the way back (swap-in.ts).
 *
 * @see Linux mm/vmscan.c shrink_folio_list(), mm/shmem.c shmem_writepage(), mm/page_io.c
 */
import type { InodeHandle } from "../base/handles.ts";
import type { Core } from "../wasm/core.ts";
import {
  INODE_XA_HEAD,
  KERNEL_BLOCK,
  KERNEL_NR_SWAP_PAGES,
  LRU_ACTIVE_ANON,
  LRU_INACTIVE_ANON,
  PAGE_FLAGS,
  PAGE_INDEX,
  PAGE_LRU_PREV,
  PAGE_MAPPING,
  PAGE_PRIVATE_LOW,
  PG_ACTIVE,
  PG_DIRTY,
  PG_LOCKED,
  PG_PRIVATE,
  PG_SWAPCACHE,
  PG_WRITEBACK,
  SWAP_SLOT_SHIFT,
  VM_PSWPOUT,
} from "../wasm/layout.ts";
import { isolatePage, nrOnList, oldestOf, putbackPage } from "./lru-list.ts";
import { fieldOf, pageFlags, pagePins } from "./page.ts";
import { replaceEntry } from "./page-index.ts";
import type { SwapArea } from "./swap-area.ts";
import { FrameIo, startIo } from "./swap-io.ts";
import { areaOf, countSwap, type SwapState, swapIfAny } from "./swap-state.ts";

const NR_SWAP_PAGES = (KERNEL_BLOCK >>> 2) + KERNEL_NR_SWAP_PAGES;
/** Pages that go at a time, and what is looked at for them. */
const NR_WANTED = 128;
const NR_SCANNED = 1024;
/** Rounds after one that a device has not taken anything of. */
const NR_TRIES = 3;
/** Writes under way that are enough, pages: more would not make memory come sooner. */
const MAX_WRITES = 8;

/** Sends the oldest pages to swap areas. @returns whether frames have come free */
export function swapOut(core: Core): boolean {
  const state = swapIfAny(core);
  if (state === undefined || state.areas.length === 0) return false;
  for (let tries = 0; tries < NR_TRIES; tries++) {
    if (core.u32[NR_SWAP_PAGES] === 0 && freeSwapCache(core) === 0) return false;
    if (sendOldest(core, state)) return true;
    if (state.writes.size > 0) return false; // they are waited for
  }
  return false;
}

/** Sends about as many of the oldest pages to swap areas, as far as devices take them at once. */
export function swapOutSome(core: Core, nr: number): void {
  const state = swapIfAny(core);
  if (state === undefined) return;
  for (let left = nr; left > 0; left -= NR_WANTED) if (!sendOldest(core, state, Math.min(left, NR_WANTED))) return;
}

function isFull({ isWritable, nrUsed, nrSlots }: SwapArea): boolean {
  return !isWritable || nrUsed === nrSlots;
}

function sendOldest(core: Core, state: SwapState, nr = NR_WANTED): boolean {
  const pass = new Pass(core, state);
  const pages = isolatePages(core, nr).filter((pfn) => !pass.letGo(pfn));
  pass.send(pages, state.areas);
  return pass.nrFreed > 0;
}

/** Takes the oldest pages off their lists, with a pin, as far as they can go: nobody else holds them, and there are slots for them. */
function isolatePages(core: Core, nr: number): number[] {
  const found: number[] = [];
  const others: number[] = [];
  let slots = core.u32[NR_SWAP_PAGES];
  for (let n = 0; n < NR_SCANNED && found.length < nr; n++) {
    const isLow = nrOnList(core, LRU_INACTIVE_ANON) <= nrOnList(core, LRU_ACTIVE_ANON);
    if (isLow) core.x.deactivatePage(oldestOf(core, LRU_ACTIVE_ANON));
    const pfn = oldestOf(core, LRU_INACTIVE_ANON);
    if (pfn === 0) break;
    isolatePage(core, pfn);
    const flags = pageFlags(core, pfn);
    const isHeld = pagePins(core, pfn) !== 2 || (flags & (PG_LOCKED | PG_PRIVATE | PG_WRITEBACK)) !== 0;
    const hasSlot = (flags & PG_SWAPCACHE) !== 0;
    if (isHeld || (!hasSlot && slots === 0)) others.push(pfn);
    else {
      found.push(pfn);
      if (!hasSlot && --slots === 0) break;
    }
  }
  for (const pfn of others) putbackPage(core, pfn);
  return found;
}

/** Forgets the slot of a page in the swap cache. */
export function forgetSlot({ u32 }: Core, state: SwapState, pfn: number): void {
  const entry = u32[fieldOf(pfn, PAGE_PRIVATE_LOW)];
  areaOf(state, entry).drop(entry >>> SWAP_SLOT_SHIFT, false);
  u32[fieldOf(pfn, PAGE_FLAGS)] = (u32[fieldOf(pfn, PAGE_FLAGS)] & ~PG_SWAPCACHE) | PG_DIRTY;
  u32[fieldOf(pfn, PAGE_PRIVATE_LOW)] = 0;
}

/** Pages on the lists that have slots. */
function* cachedPages(core: Core): Generator<number> {
  for (const list of [LRU_INACTIVE_ANON, LRU_ACTIVE_ANON]) {
    for (let pfn = oldestOf(core, list); pfn !== 0; pfn = core.u32[fieldOf(pfn, PAGE_LRU_PREV)])
      if (pageFlags(core, pfn) & PG_SWAPCACHE) yield pfn;
  }
}

/** Pages that are in memory and in a swap area (SwapCached of /proc/meminfo). */
export function nrSwapCached(core: Core): number {
  return swapIfAny(core) === undefined ? 0 : [...cachedPages(core)].length;
}

/**
 * Forgets the slots of pages that have come back: where areas are full, others need them more.
 *
 * @returns how many slots are free now @see Linux vm_swap_full(), try_to_free_swap()
 */
export function freeSwapCache(core: Core): number {
  const state = swapIfAny(core);
  if (!state?.hasCached) return 0;
  state.hasCached = false;
  const pages = [...cachedPages(core)];
  for (const pfn of pages) forgetSlot(core, state, pfn);
  return pages.length;
}

/** One round of swapping out. */
class Pass {
  readonly #core: Core;
  readonly #state: SwapState;
  nrFreed = 0;

  constructor(core: Core, state: SwapState) {
    this.#core = core;
    this.#state = state;
  }

  /** Lets a page go whose slot has its bytes; the slot of another is not of use any more. @returns whether it has gone */
  letGo(pfn: number): boolean {
    const flags = pageFlags(this.#core, pfn);
    if (!(flags & PG_SWAPCACHE)) return false;
    if (flags & PG_DIRTY) forgetSlot(this.#core, this.#state, pfn);
    else this.#evict(pfn);
    return !(flags & PG_DIRTY);
  }

  /** The swap entry takes the place of an isolated page. */
  #evict(pfn: number): void {
    const { u32, x } = this.#core;
    const inode = inodeOf(this.#core, pfn);
    replaceEntry(this.#core, inode, u32[fieldOf(pfn, PAGE_INDEX)], u32[fieldOf(pfn, PAGE_PRIVATE_LOW)]);
    u32[fieldOf(pfn, PAGE_MAPPING)] = 0;
    u32[fieldOf(pfn, PAGE_FLAGS)] = 0;
    x.putPage(pfn);
    x.putPage(pfn);
    this.nrFreed++;
  }

  /** Writes isolated pages to the first of some areas that has room; what they do not take is put back. */
  send(pages: number[], areas: readonly SwapArea[]): void {
    const { u32 } = this.#core;
    const place = (pfn: number): number => u32[fieldOf(pfn, PAGE_MAPPING)];
    pages.sort((a, b) => place(a) - place(b) || u32[fieldOf(a, PAGE_INDEX)] - u32[fieldOf(b, PAGE_INDEX)]);
    for (let at = 0; at < pages.length; ) {
      const nr = this.#sendSome(pages, at, areas);
      if (nr === 0) {
        for (const pfn of pages.slice(at)) putbackPage(this.#core, pfn);
        return;
      }
      at += nr;
    }
  }

  /** @returns how many pages from `at` on have gone on their way */
  #sendSome(pages: readonly number[], at: number, areas: readonly SwapArea[]): number {
    if (this.#state.writes.size >= MAX_WRITES) return 0;
    for (const area of areas) {
      area.discard(false);
      const run = area.findFree(pages.length - at);
      if (run === undefined || run.nr === 0) continue;
      takeTurn(this.#state, area);
      this.#write(area, run.slot, pages.slice(at, at + run.nr), areas);
      return run.nr;
    }
    return 0;
  }

  #write(area: SwapArea, slot: number, pfns: readonly number[], areas: readonly SwapArea[]): void {
    const core = this.#core;
    for (const [i, pfn] of pfns.entries()) {
      const at = fieldOf(pfn, PAGE_FLAGS);
      core.u32[at] = (core.u32[at] & ~PG_DIRTY) | PG_SWAPCACHE | PG_WRITEBACK;
      core.u32[fieldOf(pfn, PAGE_PRIVATE_LOW)] = area.entryOf(slot + i);
      area.hold(slot + i, false);
      area.hold(slot + i, true);
    }
    area.noteWritten({ slot, nr: pfns.length });
    const { writes, failures } = this.#state;
    if (failures.size > 0) for (const [i] of pfns.entries()) failures.delete(area.entryOf(slot + i)); // of another page
    let ends: Promise<void> | undefined;
    ends = startIo(
      (io) => area.device.writePages(io),
      new FrameIo(core, slot, pfns),
      (nr) => {
        if (ends !== undefined) writes.delete(ends);
        if (!this.#state.isGone) this.#end(area, slot, pfns, nr, areas);
      },
    );
    if (ends !== undefined) writes.add(ends);
  }

  /** A device has answered: it has `nr` of the pages, and wants another not, or, below 0, has none. */
  #end(area: SwapArea, slot: number, pfns: readonly number[], nr: number, areas: readonly SwapArea[]): void {
    const core = this.#core;
    const done = Math.max(0, nr);
    const refused = pfns.slice(done).filter((pfn, i) => {
      area.drop(slot + done + i, true);
      core.u32[fieldOf(pfn, PAGE_FLAGS)] &= ~PG_WRITEBACK;
      if (core.u32[fieldOf(pfn, PAGE_MAPPING)] !== 0) {
        forgetSlot(core, this.#state, pfn);
        return true;
      }
      core.x.putPage(pfn);
      return false;
    });
    for (const [i, pfn] of pfns.slice(0, done).entries()) this.#endWritten(area, slot + i, pfn);
    countSwap(core, VM_PSWPOUT, done);
    if (refused.length === 0) return;
    area.discard(true); // it may be full of what nobody wants any more
    const others = areas.filter((other) => other !== area && this.#state.areas.includes(other));
    if (nr < 0) this.#sendElsewhere(refused, others);
    else {
      this.#sendElsewhere(refused.slice(0, 1), others);
      this.send(refused.slice(1), areas);
    }
  }

  /** Pages that an area has not taken go to another one, or are the last to be tried again. */
  #sendElsewhere(pages: readonly number[], areas: readonly SwapArea[]): void {
    if (!areas.every(isFull)) {
      this.send([...pages], areas);
      return;
    }
    for (const pfn of pages) {
      this.#core.u32[fieldOf(pfn, PAGE_FLAGS)] |= PG_ACTIVE;
      putbackPage(this.#core, pfn);
    }
  }

  #endWritten(area: SwapArea, slot: number, pfn: number): void {
    const { u32, x } = this.#core;
    area.drop(slot, true);
    u32[fieldOf(pfn, PAGE_FLAGS)] &= ~PG_WRITEBACK;
    if (u32[fieldOf(pfn, PAGE_MAPPING)] === 0) x.putPage(pfn);
    else if (pageFlags(this.#core, pfn) & PG_DIRTY) {
      forgetSlot(this.#core, this.#state, pfn);
      putbackPage(this.#core, pfn);
    } else if (pagePins(this.#core, pfn) === 2) this.#evict(pfn);
    else {
      this.#state.hasCached = true;
      putbackPage(this.#core, pfn);
    }
  }
}

function inodeOf({ u32 }: Core, pfn: number): InodeHandle {
  return ((u32[fieldOf(pfn, PAGE_MAPPING)] - 4 * INODE_XA_HEAD) >>> 5) as InodeHandle;
}

/** Areas of one priority take turns. */
function takeTurn(state: SwapState, area: SwapArea): void {
  const { areas } = state;
  let last = areas.indexOf(area);
  if (last < 0) return;
  const first = last;
  while (areas[last + 1]?.priority === area.priority) last++;
  if (last === first) return;
  state.areas = [...areas.slice(0, first), ...areas.slice(first + 1, last + 1), area, ...areas.slice(last + 1)];
}

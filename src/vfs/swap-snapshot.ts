/**
 * Swapped pages of copies of a memory: snapshots and forks. Nothing is brought in for a copy: its pages are read from the devices into
 * bytes of its own, which are its devices. They have as many slots as pages came with them, and as are promised, so that it can work on as before.
 *
 *   bytes   the pages of each area, areas by number, in the order of files and indexes: slots 0, 1, 2 ... of the copy
 *
 * Does not own: frames (snapshot.ts), the form of snapshots (snapshot-format.ts).
 */
import { EAGAIN, EIO } from "../base/errno.ts";
import { putbackPage } from "../mm/lru-list.ts";
import { fieldOf, pageFlags } from "../mm/page.ts";
import { entriesOf, replaceEntry } from "../mm/page-index.ts";
import { areaNumber, SwapArea } from "../mm/swap-area.ts";
import type { SwapDevice, SwapIo } from "../mm/swap-device.ts";
import { isSwapEntry } from "../mm/swap-in.ts";
import { startIo } from "../mm/swap-io.ts";
import { swapIfAny, swapOf } from "../mm/swap-state.ts";
import type { Core } from "../wasm/core.ts";
import {
  AS_UNEVICTABLE,
  KERNEL_BLOCK,
  KERNEL_NR_RESERVED,
  KERNEL_NR_SWAP_PAGES,
  KERNEL_TOTAL_SWAP_PAGES,
  MAX_SWAPFILES,
  PAGE_FLAGS,
  PAGE_PRIVATE_LOW,
  PAGE_REFCOUNT,
  PAGE_SIZE,
  PG_DIRTY,
  PG_LRU,
  PG_SWAPCACHE,
  SWAP_AREA_FLAGS,
  SWAP_AREA_MAP,
  SWAP_AREA_NEXT,
  SWAP_AREA_NR_IO,
  SWAP_AREA_NR_SLOTS,
  SWAP_AREA_NR_USED,
  SWAP_MAP_SLOTS,
  SWAP_SLOT_SHIFT,
  SWP_WRITEOK,
  XA_SWAP,
} from "../wasm/layout.ts";
import { addArea, freeMap, recordOf, setListClass, swapBackedInodes } from "./swapon.ts";

const KERNEL = KERNEL_BLOCK >>> 2;
/** Pages that a device is asked for at a time. */
const MAX_PAGES = 256;

/** Of each area of a copy the slots of the first memory that its own stand for. */
const sources = new WeakMap<Core, number[][]>();

/**
 * Brings the areas of a copy of memory into order: reads and writes that were under way hold nothing, pages in the swap cache are in memory
 * alone, and each area has as many slots as there are pages in it, with as many free ones in all as fallocate() has promised pages
 * that are nowhere yet; those without any are off.
 */
export function settleSwap(core: Core): void {
  const { u32 } = core;
  if (u32[KERNEL + KERNEL_TOTAL_SWAP_PAGES] === 0) return;
  const slots = Array.from({ length: MAX_SWAPFILES }, (): number[] => []);
  for (const inode of swapBackedInodes(core)) {
    for (const [index, entry] of entriesOf(core, inode)) {
      if ((entry & 3) === 0) settlePage(core, entry >>> 2);
      if (!isSwapEntry(entry)) continue;
      const number = areaNumber(entry);
      const slot = slots[number].push(entry >>> SWAP_SLOT_SHIFT) - 1;
      replaceEntry(core, inode, index, ((slot << SWAP_SLOT_SHIFT) | (number << 2) | XA_SWAP) >>> 0);
    }
  }
  let promised = u32[KERNEL + KERNEL_NR_RESERVED];
  for (const number of areasOf(core)) promised -= settleArea(core, number, slots[number].length, promised);
  u32[KERNEL + KERNEL_NR_SWAP_PAGES] = u32[KERNEL + KERNEL_NR_RESERVED] - promised;
  if (u32[KERNEL + KERNEL_TOTAL_SWAP_PAGES] === 0) setListClass(core, AS_UNEVICTABLE);
  sources.set(core, slots);
}

function settlePage(core: Core, pfn: number): void {
  const { u32 } = core;
  if (pageFlags(core, pfn) & PG_SWAPCACHE) {
    u32[fieldOf(pfn, PAGE_FLAGS)] = (pageFlags(core, pfn) & ~PG_SWAPCACHE) | PG_DIRTY;
    u32[fieldOf(pfn, PAGE_PRIVATE_LOW)] = 0;
  }
  if (pageFlags(core, pfn) & PG_LRU) return;
  u32[fieldOf(pfn, PAGE_REFCOUNT)]++;
  putbackPage(core, pfn); // who was writing it has no part in the copy
}

/** Numbers of the areas that are on. */
function areasOf({ u32 }: Core): number[] {
  return Array.from({ length: MAX_SWAPFILES }, (_, i) => i).filter((i) => u32[recordOf(i, SWAP_AREA_MAP)] !== 0);
}

/** An area has `nr` slots now that are held, and free ones, up to `wanted`. @returns how many are free */
function settleArea(core: Core, number: number, nr: number, wanted: number): number {
  const { u32, u8, x } = core;
  const nrSlots = u32[recordOf(number, SWAP_AREA_NR_SLOTS)];
  const isWritable = (u32[recordOf(number, SWAP_AREA_FLAGS)] & SWP_WRITEOK) !== 0;
  const nrFree = isWritable ? Math.min(wanted, nrSlots - nr) : 0;
  const nrLeft = nr + nrFree;
  if (nrLeft === 0) {
    freeMap(core, number);
    return 0;
  }
  const directory = u32[recordOf(number, SWAP_AREA_MAP)] >>> 2;
  for (let first = 0, i = directory; first < nrSlots; first += SWAP_MAP_SLOTS, i++) {
    const held = Math.min(Math.max(nr - first, 0), SWAP_MAP_SLOTS);
    u8.fill(1, u32[i], u32[i] + held);
    u8.fill(0, u32[i] + held, u32[i] + SWAP_MAP_SLOTS);
    if (first < nrLeft) continue;
    x.freePages(u32[i] / PAGE_SIZE, 1);
    u32[i] = 0;
  }
  u32[KERNEL + KERNEL_TOTAL_SWAP_PAGES] += nrLeft - nrSlots;
  u32[recordOf(number, SWAP_AREA_NR_SLOTS)] = nrLeft;
  u32[recordOf(number, SWAP_AREA_NR_USED)] = nr;
  u32[recordOf(number, SWAP_AREA_FLAGS)] = SWP_WRITEOK;
  u32[recordOf(number, SWAP_AREA_NEXT)] = u32[recordOf(number, SWAP_AREA_NR_IO)] = 0;
  return nrFree;
}

/** Bytes that the swapped pages of a copy take. Precondition: settleSwap(). */
export function swappedBytes(copy: Core): number {
  return areasOf(copy).reduce((sum, number) => sum + heldBytes(copy, number), 0);
}

function heldBytes({ u32 }: Core, number: number): number {
  return u32[recordOf(number, SWAP_AREA_NR_USED)] * PAGE_SIZE;
}

/** Slots that are read or written, in bytes that are no frames. */
class BytesIo implements SwapIo {
  readonly slot: number;
  readonly nrPages: number;
  readonly #bytes: Uint8Array;

  constructor(slot: number, bytes: Uint8Array) {
    this.slot = slot;
    this.nrPages = bytes.length / PAGE_SIZE;
    this.#bytes = bytes;
  }

  views(): Uint8Array[] {
    return [this.#bytes];
  }
}

/**
 * Reads what a copy has in swap areas from the devices of the memory that it is a copy of.
 *
 * @param target as long as swappedBytes()
 * @returns 0; -EIO for a page that cannot be read; -EAGAIN when a device takes time: there is no copy then
 */
export function readSwapped(from: Core, copy: Core, target: Uint8Array): number {
  let at = 0;
  for (const [number, slots] of (sources.get(copy) ?? []).entries()) {
    const device = swapIfAny(from)?.areas.find((area) => area.number === number)?.device;
    for (let i = 0; i < slots.length; ) {
      const nr = runLength(slots, i);
      const bytes = target.subarray(at, at + nr * PAGE_SIZE);
      const rc = device === undefined ? -EIO : readNow(device, new BytesIo(slots[i], bytes));
      if (rc < 0) return rc;
      i += nr;
      at += bytes.length;
    }
  }
  return 0;
}

function runLength(slots: readonly number[], from: number): number {
  let nr = 1;
  while (nr < MAX_PAGES && slots[from + nr] === slots[from] + nr) nr++;
  return nr;
}

/** @returns 0; -EIO; -EAGAIN */
function readNow(device: SwapDevice, io: SwapIo): number {
  let got = 0;
  const later = startIo(
    (asked) => device.readPages(asked),
    io,
    (nr) => {
      got = nr;
    },
  );
  if (later !== undefined) return -EAGAIN;
  return got < io.nrPages ? -EIO : 0;
}

/** The device of a copy: bytes of a snapshot, or of a fork, and of its own for the slots behind them. */
class CopiedSwap implements SwapDevice {
  readonly name = "snapshot";
  readonly nrPages: number;
  readonly #bytes: Uint8Array;
  #own: Uint8Array | undefined;

  constructor(bytes: Uint8Array, nrPages: number) {
    this.#bytes = bytes;
    this.nrPages = nrPages;
  }

  get hostBytes(): number {
    return this.#bytes.length + (this.#own?.length ?? 0);
  }

  readPages(io: SwapIo): undefined {
    for (const [page, stored] of this.#pages(io)) page.set(stored);
  }

  writePages(io: SwapIo): undefined {
    for (const [page, stored] of this.#pages(io)) stored.set(page);
  }

  *#pages(io: SwapIo): Generator<[page: Uint8Array, stored: Uint8Array], void> {
    let { slot } = io;
    for (const view of io.views()) {
      for (let at = 0; at < view.length; at += PAGE_SIZE)
        yield [view.subarray(at, at + PAGE_SIZE), this.#stored(slot++)];
    }
  }

  #stored(slot: number): Uint8Array {
    const at = slot * PAGE_SIZE;
    const { length } = this.#bytes;
    if (at < length) return this.#bytes.subarray(at, at + PAGE_SIZE);
    this.#own ??= new Uint8Array(this.nrPages * PAGE_SIZE - length);
    return this.#own.subarray(at - length, at - length + PAGE_SIZE);
  }
}

/** Makes devices for the areas of a copy. @param bytes as readSwapped() has left them: theirs from now on */
export function attachSwapped(copy: Core, bytes: Uint8Array): void {
  let at = 0;
  for (const number of areasOf(copy)) {
    const end = at + heldBytes(copy, number);
    const device = new CopiedSwap(bytes.subarray(at, end), copy.u32[recordOf(number, SWAP_AREA_NR_SLOTS)]);
    addArea(swapOf(copy), new SwapArea(copy, number, device, device));
    at = end;
  }
}

/** Gives a copy what it has in swap areas, for a fork. @returns 0; as readSwapped() */
export function copySwapped(from: Core, copy: Core): number {
  const bytes = new Uint8Array(swappedBytes(copy));
  if (bytes.length === 0) return 0;
  const rc = readSwapped(from, copy, bytes);
  if (rc === 0) attachSwapped(copy, bytes);
  return rc;
}

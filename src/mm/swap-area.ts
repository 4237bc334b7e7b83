/**
 * A swap area: its record and its map in memory (assembly/mm/swapfile.ts), and its device.
 *
 * Slots are given out next-fit: pages that go together lie together, and are read together.
 *
 * Does not own: which area a page goes to (swap-out.ts), when areas come and go (vfs/swapon.ts).
 *
 * @see Linux mm/swapfile.c scan_swap_map_slots(), struct swap_info_struct
 */
import type { Core } from "../wasm/core.ts";
import {
  KERNEL_BLOCK,
  KERNEL_NR_SWAP_PAGES,
  KERNEL_SWAP_AREAS,
  PAGE_SIZE,
  SWAP_AREA_BYTES,
  SWAP_AREA_FLAGS,
  SWAP_AREA_MAP,
  SWAP_AREA_NEXT,
  SWAP_AREA_NR_IO,
  SWAP_AREA_NR_SLOTS,
  SWAP_AREA_NR_USED,
  SWAP_AREA_PRIORITY,
  SWAP_MAP_SLOTS,
  SWAP_SLOT_SHIFT,
  SWP_WRITEOK,
  XA_SWAP,
} from "../wasm/layout.ts";
import type { SwapDevice } from "./swap-device.ts";

const NR_SWAP_PAGES = (KERNEL_BLOCK >>> 2) + KERNEL_NR_SWAP_PAGES;
/** Runs of free slots that are looked at for one that is long enough. */
const NR_LOOKS = 16;
/** Long enough: what one read brings in, four times (vm.page_cluster). */
const ENOUGH = 32;

/** Largest area: what a directory frame has room for, pages. */
export const MAX_SLOTS = (PAGE_SIZE / 4) * SWAP_MAP_SLOTS;

/** Slots that follow each other. */
export interface SlotRun {
  readonly slot: number;
  readonly nr: number;
}

/** Number of the area of a swap entry. */
export function areaNumber(entry: number): number {
  return (entry >>> 2) & ((1 << (SWAP_SLOT_SHIFT - 2)) - 1);
}

export class SwapArea {
  readonly #core: Core;
  readonly #at: number;
  readonly number: number;
  readonly device: SwapDevice;
  /** What it was turned on by: swapOff() is told the same. */
  readonly key: unknown;
  /** Slots with something in them that the device has not been told to discard; none where it does not care. */
  readonly written: Uint8Array | undefined;

  constructor(core: Core, number: number, device: SwapDevice, key: unknown) {
    this.#core = core;
    this.#at = (KERNEL_BLOCK + KERNEL_SWAP_AREAS + number * SWAP_AREA_BYTES) >>> 2;
    this.number = number;
    this.device = device;
    this.key = key;
    if (device.discardPages) this.written = new Uint8Array(device.nrPages);
  }

  #get(field: number): number {
    return this.#core.u32[this.#at + field];
  }
  #set(field: number, value: number): void {
    this.#core.u32[this.#at + field] = value;
  }

  get nrSlots(): number {
    return this.#get(SWAP_AREA_NR_SLOTS);
  }
  get nrUsed(): number {
    return this.#get(SWAP_AREA_NR_USED);
  }
  get priority(): number {
    return this.#get(SWAP_AREA_PRIORITY) | 0;
  }
  /** Device and size, as /proc/swaps has them. */
  get name(): string {
    return this.device.name ?? `swap${this.number}`;
  }

  get isWritable(): boolean {
    return (this.#get(SWAP_AREA_FLAGS) & SWP_WRITEOK) !== 0;
  }
  set isWritable(may: boolean) {
    if (may === this.isWritable) return;
    this.#set(SWAP_AREA_FLAGS, may ? SWP_WRITEOK : 0);
    this.#core.u32[NR_SWAP_PAGES] += (may ? 1 : -1) * (this.nrSlots - this.nrUsed);
  }

  /** The swap entry of a slot. */
  entryOf(slot: number): number {
    return ((slot << SWAP_SLOT_SHIFT) | (this.number << 2) | XA_SWAP) >>> 0;
  }

  /** Address of the byte of the map that says who holds a slot. */
  #byteOf(slot: number): number {
    const { u32 } = this.#core;
    return u32[(this.#get(SWAP_AREA_MAP) >>> 2) + Math.floor(slot / SWAP_MAP_SLOTS)] + (slot % SWAP_MAP_SLOTS);
  }

  /** How many hold a slot. */
  count(slot: number): number {
    return this.#core.u8[this.#byteOf(slot)];
  }

  /** One more holds a slot: a page, or a read or write. */
  hold(slot: number, isIo: boolean): void {
    if (this.#core.u8[this.#byteOf(slot)]++ === 0) this.#use(1);
    if (isIo) this.#core.u32[this.#at + SWAP_AREA_NR_IO]++;
  }

  /** Undoes hold(). @see assembly/mm/swapfile.ts swapFree() */
  drop(slot: number, isIo: boolean): void {
    if (--this.#core.u8[this.#byteOf(slot)] === 0) this.#use(-1);
    if (isIo) this.#core.u32[this.#at + SWAP_AREA_NR_IO]--;
  }

  #use(nr: 1 | -1): void {
    this.#core.u32[this.#at + SWAP_AREA_NR_USED] += nr;
    if (this.isWritable) this.#core.u32[NR_SWAP_PAGES] -= nr;
  }

  /** Finds up to `nr` free slots that follow each other: the first that are enough, else the most of those near by. */
  findFree(nr: number): SlotRun | undefined {
    if (!this.isWritable || this.nrUsed === this.nrSlots) return undefined;
    const start = this.#get(SWAP_AREA_NEXT);
    let best: SlotRun = { slot: 0, nr: 0 };
    for (const [from, end] of [
      [start, this.nrSlots],
      [0, start],
    ]) {
      let at = from;
      for (let looks = 0; at < end && looks < NR_LOOKS && best.nr < Math.min(nr, ENOUGH); looks++) {
        const slot = this.#nextFree(at, end);
        if (slot === end) break;
        const run = { slot, nr: this.#freeLength(slot, Math.min(end, slot + nr)) };
        if (run.nr > best.nr) best = run;
        at = slot + run.nr;
      }
    }
    this.#set(SWAP_AREA_NEXT, (best.slot + best.nr) % this.nrSlots);
    return best;
  }

  /** The first free slot of [from, end); end = there is none. */
  #nextFree(from: number, end: number): number {
    for (let at = from; at < end; ) {
      const nr = Math.min(end - at, SWAP_MAP_SLOTS - (at % SWAP_MAP_SLOTS));
      const byte = this.#byteOf(at);
      const found = this.#core.u8.subarray(byte, byte + nr).indexOf(0);
      if (found >= 0) return at + found;
      at += nr;
    }
    return end;
  }

  #freeLength(from: number, end: number): number {
    let at = from;
    while (at < end && this.count(at) === 0) at++;
    return at - from;
  }

  /** Tells the device of slots that are free again, if it wants to know, and if they are many. */
  discard(isAll: boolean): void {
    const { written, device } = this;
    if (written === undefined || (!isAll && this.#nrToDiscard() < ENOUGH + this.nrUsed / 8)) return;
    for (let slot = written.indexOf(1); slot >= 0; slot = written.indexOf(1, slot + 1)) {
      if (this.count(slot) !== 0) continue;
      written[slot] = 0;
      this.nrWritten--;
      device.discardPages?.(slot, 1);
    }
  }

  /** Slots that `written` has. */
  nrWritten = 0;

  #nrToDiscard(): number {
    return this.nrWritten - this.nrUsed;
  }

  /** Slots have been written. */
  noteWritten({ slot, nr }: SlotRun): void {
    const { written } = this;
    if (written === undefined) return;
    for (let i = slot; i < slot + nr; i++) {
      this.nrWritten += 1 - written[i];
      written[i] = 1;
    }
  }
}

/**
 * Swap areas of a memory, and what of them is being read and written: the part that goes with the process. By its core, so that
 * a kernel that goes on with another memory has that one's.
 */
import type { Core } from "../wasm/core.ts";
import { KERNEL_BLOCK, KERNEL_VMSTAT } from "../wasm/layout.ts";
import { areaNumber, type SwapArea } from "./swap-area.ts";
import { closeDevice } from "./swap-claims.ts";

/** What the two sides of reclaim have cost (swap-balance.ts), and the events that are counted in it. */
export interface SwapCosts {
  file: number;
  anon: number;
  stolen: number;
  refaults: number;
  swappedIn: number;
}

/** What there is to know of swapping in one memory. */
export interface SwapState {
  /** By priority, the highest first; of equals the one whose turn it is. */
  areas: SwapArea[];
  /** Reads under way, by each swap entry. */
  readonly reads: Map<number, Promise<void>>;
  /** Writes under way. */
  readonly writes: Set<Promise<void>>;
  /** Areas that a swapOff() is emptying which waits for their devices. */
  readonly closing: Set<SwapArea>;
  /** Why a read has failed that somebody waits for, by swap entry: told once. */
  readonly failures: Map<number, number>;
  /** There may be pages on the lists that have slots: none have come since freeSwapCache(). */
  hasCached: boolean;
  readonly costs: SwapCosts;
  /** The memory is used no more: what devices answer is of no interest. */
  isGone: boolean;
}

/** undefined = no area has ever been on. */
export function swapIfAny(core: Core): SwapState | undefined {
  return core.swap as SwapState | undefined;
}

export function swapOf(core: Core): SwapState {
  const known = swapIfAny(core);
  if (known) return known;
  const state: SwapState = {
    areas: [],
    reads: new Map(),
    writes: new Set(),
    closing: new Set(),
    failures: new Map(),
    hasCached: false,
    costs: { file: 0, anon: 0, stolen: 0, refaults: 0, swappedIn: 0 },
    isGone: false,
  };
  core.swap = state;
  return state;
}

/** The area of a swap entry. */
export function areaOf({ areas }: SwapState, entry: number): SwapArea {
  const number = areaNumber(entry);
  return areas.find((area) => area.number === number) as SwapArea;
}

/** Bytes of host memory that pages in swap areas take, and the tables of the areas. */
export function swapHostBytes(core: Core): number {
  const areas = swapIfAny(core)?.areas ?? [];
  return areas.reduce((sum, { device, written }) => sum + (device.hostBytes ?? 0) + (written?.length ?? 0), 0);
}

/** Counts an event (VM_PSWP*). */
export function countSwap({ f64 }: Core, event: number, nr: number): void {
  f64[((KERNEL_BLOCK + KERNEL_VMSTAT) >>> 3) + event] += nr;
}

/** What a device has answered. @returns pages, from the first on; a negated errno */
export function pagesDone(answer: number | undefined, nr: number): number {
  if (answer === undefined) return nr;
  return Number.isInteger(answer) && answer <= nr ? answer : nr;
}

/** The memory is given up: devices are closed, reads and writes end for nobody. */
export function endSwap(core: Core): void {
  const state = swapIfAny(core);
  if (state === undefined) return;
  state.isGone = true;
  for (const { device } of state.areas) closeDevice(device);
  state.areas = [];
}

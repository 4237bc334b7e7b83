/**
 * A snapshot (snapshot-format.ts) as a row of units: each frame as it is stored, then each swapped page. They are what deltas are made of.
 *
 * A page that is stored as it is has PAGE_SIZE bytes; a frame without its zeros never has as many.
 *
 * Does not own: the form of deltas (delta-format.ts), which units are alike (snapshot-delta.ts).
 */
import { PAGE_SIZE } from "../wasm/layout.ts";
import type { Extent } from "./frames.ts";
import { BLOCK_BYTES, MASK_BYTES, viewOf } from "./snapshot-format.ts";
import { readHead } from "./snapshot-head.ts";

export const NR_BLOCKS = PAGE_SIZE / BLOCK_BYTES;
/** No such unit. */
export const NO_UNIT = -1;

function bitsOf(word: number): number {
  let bits = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) bits++;
  return bits;
}

/** The units of a snapshot. Precondition: its bytes have been checked. */
export class SnapshotUnits {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Bytes before the first unit. */
  readonly headLength: number;
  /** Units that are frames: those behind are swapped pages. */
  readonly nrFrames: number;
  /** Where each begins; and the end. */
  readonly #starts: Float64Array;
  readonly #pfns: Uint32Array;
  /** By frame, the unit. */
  readonly #byPfn: Int32Array;

  constructor(bytes: Uint8Array) {
    const { end, extents, framesAt } = readHead(bytes);
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.headLength = framesAt;
    this.nrFrames = extents.reduce((sum, { nr }) => sum + nr, 0);
    this.#pfns = new Uint32Array(this.nrFrames);
    this.#byPfn = new Int32Array(end).fill(NO_UNIT);
    this.#numberFrames(extents);
    this.#starts = this.#findStarts(extents);
  }

  #numberFrames(extents: readonly Extent[]): void {
    let unit = 0;
    for (const { pfn, nr } of extents) {
      for (let frame = pfn; frame < pfn + nr; frame++) {
        this.#byPfn[frame] = unit;
        this.#pfns[unit++] = frame;
      }
    }
  }

  #findStarts(extents: readonly Extent[]): Float64Array {
    const frames = new Float64Array(this.nrFrames);
    let at = this.headLength;
    let unit = 0;
    for (const { nr, isData } of extents) {
      for (const end = unit + nr; unit < end; unit++) {
        frames[unit] = at;
        at += isData ? PAGE_SIZE : this.#sparseLength(at);
      }
    }
    const starts = new Float64Array(unit + (this.bytes.length - at) / PAGE_SIZE + 1);
    starts.set(frames);
    for (; unit < starts.length; unit++, at += PAGE_SIZE) starts[unit] = at;
    return starts;
  }

  /** Bytes of a frame without its zeros. */
  #sparseLength(at: number): number {
    const nr = bitsOf(this.view.getUint32(at, true)) + bitsOf(this.view.getUint32(at + 4, true));
    return MASK_BYTES + nr * BLOCK_BYTES;
  }

  get nr(): number {
    return this.#starts.length - 1;
  }

  /** Where a unit begins; the end of the one before. @param unit to `nr` */
  start(unit: number): number {
    return this.#starts[unit];
  }

  length(unit: number): number {
    return this.#starts[unit + 1] - this.#starts[unit];
  }

  isWhole(unit: number): boolean {
    return this.length(unit) === PAGE_SIZE;
  }

  /** The unit of the same frame, or of the same place among swapped pages, as one of `other`. @returns or NO_UNIT */
  inPlaceOf(other: SnapshotUnits, unit: number): number {
    if (unit < other.nrFrames) return this.#byPfn[other.#pfns[unit]] ?? NO_UNIT;
    const swapped = this.nrFrames + unit - other.nrFrames;
    return swapped < this.nr ? swapped : NO_UNIT;
  }

  /** Puts a unit into a page, zeros and all. */
  expand(unit: number, page: Uint8Array): void {
    const start = this.start(unit);
    if (this.isWhole(unit)) page.set(this.bytes.subarray(start, start + PAGE_SIZE));
    else {
      page.fill(0);
      readBlocks(this.bytes, start, page);
    }
  }
}

/** Puts the blocks that a mask is of, and that follow it, into a page. @returns where they end */
export function readBlocks(bytes: Uint8Array, mask: number, page: Uint8Array): number {
  let at = mask + MASK_BYTES;
  for (let block = 0; block < NR_BLOCKS; block++) {
    if (!(bytes[mask + (block >>> 3)] & (1 << (block & 7)))) continue;
    page.set(bytes.subarray(at, at + BLOCK_BYTES), block * BLOCK_BYTES);
    at += BLOCK_BYTES;
  }
  return at;
}

/** A mask and the blocks of a page that `isWanted` says yes to. */
export function blocksOf(page: Uint8Array, isWanted: (start: number) => boolean): Uint8Array {
  const bytes = new Uint8Array(MASK_BYTES + PAGE_SIZE);
  let at = MASK_BYTES;
  for (let block = 0; block < NR_BLOCKS; block++) {
    const start = block * BLOCK_BYTES;
    if (!isWanted(start)) continue;
    bytes[block >>> 3] |= 1 << (block & 7);
    bytes.set(page.subarray(start, start + BLOCK_BYTES), at);
    at += BLOCK_BYTES;
  }
  return bytes.subarray(0, at);
}

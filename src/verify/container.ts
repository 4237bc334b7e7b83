/**
 * A snapshot as a row of bytes (vfs/snapshot-format.ts): every length and place in it is checked before anything is made of it.
 *
 * Does not own: the checksum, which restore checks; what is in the frames (sound-memory.ts); what meta says (meta.ts).
 */

import type { Extent } from "../vfs/frames.ts";
import {
  BLOCK_BYTES,
  EXTENT_BYTES,
  FORMAT_VERSION,
  HEADER_BYTES,
  MAGIC,
  MASK_BYTES,
  viewOf,
} from "../vfs/snapshot-format.ts";
import { LAYOUT_HASH, PAGE_SIZE, WASM_PAGE_FRAMES } from "../wasm/layout.ts";
import { demand } from "./demand.ts";

/** Places in the bytes, in the order in which they follow each other. */
export interface Container {
  readonly bytes: Uint8Array;
  readonly meta: Uint8Array;
  /** No frame is at or above. */
  readonly end: number;
  readonly extents: readonly Extent[];
  /** Where each extent begins. */
  readonly starts: readonly number[];
  /** Where swapped pages begin, whole pages up to the end. */
  readonly swappedAt: number;
}

const NR_EXTENTS_AT = 28;
const META_BYTES_AT = 32;

/** @param maxFrames what memory may have @throws SnapshotError */
export function readContainer(bytes: Uint8Array, maxFrames: number): Container {
  const view = viewOf(bytes);
  checkHeader(bytes, view);
  const end = view.getUint32(24, true);
  demand(end <= maxFrames, `it needs ${end * PAGE_SIZE} bytes of memory, more than the limit`);
  demand(end % WASM_PAGE_FRAMES === 0, "its memory is in no whole pages of Wasm memory");
  const metaEnd = HEADER_BYTES + view.getUint32(META_BYTES_AT, true);
  const framesAt = metaEnd + view.getUint32(NR_EXTENTS_AT, true) * EXTENT_BYTES;
  demand(framesAt <= bytes.length, "its head is longer than it is");
  const extents = readExtents(view, metaEnd, framesAt, end);
  const starts: number[] = [];
  let at = framesAt;
  for (const extent of extents) {
    starts.push(at);
    at = endOf(extent, view, at);
  }
  demand((bytes.length - at) % PAGE_SIZE === 0, "what is behind its frames is no row of pages");
  return { bytes, meta: bytes.subarray(HEADER_BYTES, metaEnd), end, extents, starts, swappedAt: at };
}

function checkHeader(bytes: Uint8Array, view: DataView): void {
  const isOne = bytes.length >= HEADER_BYTES && [...MAGIC].every((c, i) => bytes[i] === c.charCodeAt(0));
  demand(isOne, "these bytes are no snapshot");
  demand(view.getUint32(8, true) === FORMAT_VERSION, "it has another format version");
  demand(view.getUint32(12, true) === LAYOUT_HASH, "it was made by a foliofs with another memory layout");
  demand(view.getFloat64(16, true) === bytes.length, "it has not as many bytes as it says");
}

/** They follow each other, and do not overlap. */
function readExtents(view: DataView, start: number, framesAt: number, end: number): Extent[] {
  const extents: Extent[] = [];
  let last = 0;
  for (let at = start; at < framesAt; at += EXTENT_BYTES) {
    const [pfn, nr, kind] = [view.getUint32(at, true), view.getUint32(at + 4, true), view.getUint32(at + 8, true)];
    demand(kind <= 1 && nr > 0, "an extent is of no kind, or empty");
    demand(pfn >= last && pfn + nr <= end, "an extent overlaps another one, or leads beyond memory");
    extents.push({ pfn, nr, isData: kind === 1 });
    last = pfn + nr;
  }
  return extents;
}

/** @returns where the frames of an extent end, which is in the bytes */
function endOf({ nr, isData }: Extent, view: DataView, start: number): number {
  let at = start;
  if (isData) at += nr * PAGE_SIZE;
  else for (let i = 0; i < nr; i++) at = endOfSparse(view, at);
  demand(at <= view.byteLength, "its frames are longer than it is");
  return at;
}

function endOfSparse(view: DataView, at: number): number {
  demand(at + MASK_BYTES <= view.byteLength, "its frames are longer than it is");
  return at + MASK_BYTES + BLOCK_BYTES * (bitsOf(view.getUint32(at, true)) + bitsOf(view.getUint32(at + 4, true)));
}

/** How many bits of a word are set. */
export function bitsOf(word: number): number {
  let bits = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) bits++;
  return bits;
}

/**
 * The form of a snapshot in bytes: what its writer (snapshot.ts) and its reader (restore.ts) both know.
 *
 *   | header, 64 bytes | meta: JSON, UTF-8 | extents, 12 bytes each | frames | swapped pages |
 *
 *   header   0 magic "FOLIOFS\0"      8 format version   12 layout hash    16 length of all (f64)
 *           24 end pfn               28 nr of extents   32 bytes of meta  36 0 (5 × u32)
 *           56 checksum of all the other bytes (2 × u32)
 *   extent   first pfn, nr of frames, 1 = pages of files
 *   frames   pages of files as they are; of other frames a word of 64 bits says which of its 64-byte blocks are not all
 *            zeros, and those follow
 *   swapped  a page for each slot that a map of a swap area says is held, areas by number (swap-snapshot.ts)
 *
 * The checksum guards against accident, not against malice: bytes that somebody has forged can hold any memory, until they are verified
 * (src/verify).
 */
import { Core, RESULT } from "../wasm/core.ts";
import { PAGE_SIZE, RESULT_EXTRA } from "../wasm/layout.ts";
import type { Extent } from "./frames.ts";

export { SnapshotError } from "./snapshot-error.ts";

export const MAGIC = "FOLIOFS\0";
/** Version of the form above; another one is refused. */
export const FORMAT_VERSION = 2;
export const HEADER_BYTES = 64;
export const SUM_AT = 56;
export const EXTENT_BYTES = 12;
export const BLOCK_BYTES = 64;
export const MASK_BYTES = 8;

/** Options of the kernel that shape how it behaves, as far as they are not the defaults. */
export interface KeptOptions {
  memoryLimit?: number;
  preallocate?: boolean;
  uid?: number;
  gid?: number;
  groups?: readonly number[];
  umask?: number;
  cwd?: string | true;
  maxFiles?: number;
  fileSizeLimit?: number;
}

/** What a snapshot says of itself. */
export interface SnapshotMeta {
  /** What it is restored with, unless something else is asked for. */
  options: KeptOptions;
  /** Types of the file systems that are needed to restore it. */
  types: string[];
  /** Mounts that are not in it, by type and target. */
  leftOut: { type: string; target: string }[];
}

/** The frames of an extent, where they lie: valid until memory grows. */
export function bytesOf(core: Core, { pfn, nr }: Extent): Uint8Array {
  return core.u8.subarray(pfn * PAGE_SIZE, (pfn + nr) * PAGE_SIZE);
}

/** The bytes of a snapshot, by their numbers. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Two halves, 32 bits each. */
export type Checksum = [low: number, high: number];

/** Cores that have no kernel in them and only sum: bytes are checked before anything is built from them. */
const summers = new WeakMap<WebAssembly.Module, Core>();
const SUMMER_BYTES = 1 << 20;
const PIECE_AT = 1 << 16;
const PIECE_BYTES = 1 << 18;
/** What the checksum takes at a time; the last piece is filled up with zeros. */
const SUM_BYTES = 32;

function summerOf(module: WebAssembly.Module, shared: boolean): Core {
  let summer = summers.get(module);
  if (!summer) {
    summer = new Core(module, { memoryLimit: SUMMER_BYTES, shared, preallocate: false, now: Date.now });
    summers.set(module, summer);
  }
  return summer;
}

/** The checksum of a snapshot, whatever stands in the place of it. */
export function checksumOf(module: WebAssembly.Module, shared: boolean, bytes: Uint8Array): Checksum {
  const { u8, x, f64 } = summerOf(module, shared);
  let low = 0;
  let high = 0;
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const piece = bytes.subarray(at, at + PIECE_BYTES);
    const padded = Math.ceil(piece.length / SUM_BYTES) * SUM_BYTES;
    u8.set(piece, PIECE_AT);
    u8.fill(0, PIECE_AT + piece.length, PIECE_AT + padded);
    if (at === 0) u8.fill(0, PIECE_AT + SUM_AT, PIECE_AT + HEADER_BYTES);
    low = x.checksumBytes(PIECE_AT, padded, low, high) >>> 0;
    high = f64[RESULT + RESULT_EXTRA];
  }
  return [low, high];
}

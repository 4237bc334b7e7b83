/**
 * The one copy between a user's buffer and a run of page frames.
 *
 * Which way is fastest depends on length and runtime (bench/micro/copy-in.ts, copy-out.ts); every way gives the same
 * bytes.
 *
 * Does not own: which run of frames it is, and whether the call may (filemap.ts and the core).
 */
import type { BufferLike, Core } from "../wasm/core.ts";

/** Pieces up to this size go by Buffer.copy() where that is a fast call; larger ones gain nothing from it. */
const SMALL_BYTES = 4096;

/** Copies `length` bytes at `address` to `buffer[offset...]`; address 0 is a hole. */
export function copyToBuffer(core: Core, address: number, buffer: Uint8Array, offset: number, length: number): void {
  if (address === 0) buffer.fill(0, offset, offset + length);
  else if (core.hasFastBuffer && length <= SMALL_BYTES) {
    (core.buffer as BufferLike).copy(buffer, offset, address, address + length);
  } else buffer.set(new Uint8Array(core.arrayBuffer, address, length), offset);
}

/** Copies `buffer[offset, offset + length)` to `address`. */
export function copyFromBuffer(core: Core, address: number, buffer: Uint8Array, offset: number, length: number): void {
  if (offset === 0 && length === buffer.length) core.u8.set(buffer, address);
  else core.u8.set(new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length), address);
}

let encoder: TextEncoder | undefined;

/**
 * Fills `target` with the first bytes of a text's UTF-8, of which there are at least as many. Not for shared memory.
 *
 * @returns the other bytes; undefined when there are none
 */
export function encodeStart(text: string, target: Uint8Array): Uint8Array | undefined {
  encoder ??= new TextEncoder();
  const { read, written } = encoder.encodeInto(text, target);
  if (read === text.length) return undefined;
  const rest = encoder.encode(text.slice(read));
  const left = target.length - written; // a character that does not fit goes in as far as it can
  target.set(rest.subarray(0, left), written);
  return rest.subarray(left);
}

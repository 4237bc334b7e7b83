/**
 * The one copy between a user's buffer and a run of page frames.
 *
 * Which way is fastest depends on length and runtime (bench/micro/copy-in.ts, copy-out.ts); every way gives the same
 * bytes.
 *
 * Does not own: which run of frames it is, and whether the call may (filemap.ts and the core).
 */
import { utf8Encoder } from "../base/utf8.ts";
import type { BufferLike, Core } from "../wasm/core.ts";

/** Pieces up to this size go by Buffer.copy() where that is a fast call; larger ones gain nothing from it. */
const SMALL_BYTES = 4096;

/** From this size on every other piece is copied backwards, in steps. */
const LARGE_BYTES = 1 << 20;
const STEP_BYTES = 1 << 18;

/** Copies `length` bytes at `address` to `buffer[offset...]`; address 0 is a hole. */
export function copyToBuffer(core: Core, address: number, buffer: Uint8Array, offset: number, length: number): void {
  if (address === 0 || length >= LARGE_BYTES) fillOrCopy(core, address, buffer, offset, length);
  else if (core.hasFastBuffer && length <= SMALL_BYTES) {
    (core.buffer as BufferLike).copy(buffer, offset, address, address + length);
  } else buffer.set(new Uint8Array(core.arrayBuffer, address, length), offset);
}

/** What is rare; apart, since V8 takes into a caller only so much: 7 of 70 ns of a 16 B pread. */
function fillOrCopy(core: Core, address: number, buffer: Uint8Array, offset: number, length: number): void {
  if (address === 0) buffer.fill(0, offset, offset + length);
  else copyLarge(core, buffer, offset, core.u8, address, length);
}

/** Copies `buffer[offset, offset + length)` to `address`. */
export function copyFromBuffer(core: Core, address: number, buffer: Uint8Array, offset: number, length: number): void {
  if (length >= LARGE_BYTES) copyLarge(core, core.u8, address, buffer, offset, length);
  else if (offset === 0 && length === buffer.length) core.u8.set(buffer, address);
  else core.u8.set(new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length), address);
}

/**
 * Copies a large piece, every other one backwards: a program uses its buffer again and again, as a rule, and what is in
 * the processor's cache of it is where the copy before ended. With 2 MiB of second-level cache writes of 1 MiB gain 3%,
 * and those of 2 MiB 14% (bench/micro/copy-large.ts).
 */
function copyLarge(core: Core, target: Uint8Array, at: number, source: Uint8Array, from: number, length: number): void {
  core.copiesBackwards = !core.copiesBackwards;
  const step = core.copiesBackwards ? STEP_BYTES : length;
  for (let end = length; end > 0; end -= step) {
    const start = Math.max(0, end - step);
    target.set(new Uint8Array(source.buffer, source.byteOffset + from + start, end - start), at + start);
  }
}

/**
 * Fills `target` with the first bytes of a text's UTF-8, of which there are at least as many. Not for shared memory.
 *
 * @returns the other bytes; undefined when there are none
 */
export function encodeStart(text: string, target: Uint8Array): Uint8Array | undefined {
  const { read, written } = utf8Encoder.encodeInto(text, target);
  if (read === text.length) return undefined;
  const rest = utf8Encoder.encode(text.slice(read));
  const left = target.length - written; // a character that does not fit goes in as far as it can
  target.set(rest.subarray(0, left), written);
  return rest.subarray(left);
}

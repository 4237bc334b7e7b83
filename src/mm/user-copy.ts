/**
 * The one copy between a user's buffer and a run of page frames.
 *
 * Which way is fastest depends on length and runtime (bench/micro/copy-in.ts, copy-out.ts); every way gives the same
 * bytes. Buffers are whatever the user has made of them, so nothing of theirs is called but what counts what it did.
 *
 * Does not own: which run of frames it is, and whether the call may (filemap.ts and the core).
 */
import { utf8Encoder } from "../base/utf8.ts";
import { hasBytes, partOf, setBytes, zeroBytes } from "../base/views.ts";
import type { BufferLike, Core } from "../wasm/core.ts";

/** From this size on every other piece is copied backwards, in steps. */
const LARGE_BYTES = 1 << 20;
const STEP_BYTES = 1 << 18;

/**
 * Copies `length` bytes at `address` to `buffer[offset...]`, which has room for them; address 0 is a hole.
 *
 * From Node 22 on Buffer.copy() is a native call that takes a range: no view is made for every call, which is what a read
 * of 16 B takes longest for, and what one of 8 to 32 KiB loses to the garbage collector, a quarter of its time. Before, it
 * makes such a view itself.
 */
export function copyToBuffer(core: Core, address: number, buffer: Uint8Array, offset: number, length: number): void {
  if (address === 0 || length >= LARGE_BYTES) fillOrCopy(core, address, buffer, offset, length);
  else if (!core.hasFastBuffer || !copyOut(core.buffer as BufferLike, address, buffer, offset, length)) {
    setBytes(buffer, new Uint8Array(core.arrayBuffer, address, length), offset);
  }
}

/** @returns false when not all was copied: Buffer.copy() asks the target how long it is, and believes it */
function copyOut(memory: BufferLike, address: number, buffer: Uint8Array, offset: number, length: number): boolean {
  return memory.copy(buffer, offset, address, address + length) === length;
}

/** What is rare; apart, since V8 takes into a caller only so much: 7 of 70 ns of a 16 B pread. */
function fillOrCopy(core: Core, address: number, buffer: Uint8Array, offset: number, length: number): void {
  if (address === 0) zeroBytes(buffer, offset, offset + length);
  else copyLarge(core, buffer, offset, core.u8, address, length);
}

/** Copies `buffer[offset, offset + length)` to `address`. A whole buffer goes without a view of it on every runtime. */
export function copyFromBuffer(core: Core, address: number, buffer: Uint8Array, offset: number, length: number): void {
  if (length >= LARGE_BYTES) copyLarge(core, core.u8, address, buffer, offset, length);
  else if (offset === 0 && !hasBytes(buffer, length + 1)) core.u8.set(buffer, address);
  else if (!core.hasFastBuffer || !copyIn(core.buffer as BufferLike, address, buffer, offset, length)) {
    core.u8.set(partOf(buffer, offset, length), address);
  }
}

/** As copyOut(). What the file's size covers must be copied, so a source that throws when it is asked counts as no copy. */
function copyIn(memory: BufferLike, address: number, buffer: Uint8Array, offset: number, length: number): boolean {
  try {
    return memory.copy.call(buffer, memory, address, offset, offset + length) === length;
  } catch {
    return false;
  }
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
    setBytes(target, partOf(source, from + start, end - start), at + start);
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

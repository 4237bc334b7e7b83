/**
 * The one copy between a user's buffer and a run of page frames.
 *
 * Which way is fastest depends on length and runtime (bench/micro/copy-in.ts, copy-out.ts); every way gives the same
 * bytes. Buffers are whatever the user has made of them, so nothing of theirs is called but what counts what it did.
 *
 * Does not own: which run of frames it is, and whether the call may (filemap.ts and the core).
 */
import { utf8Encoder } from "../base/utf8.ts";
import { byteLengthOf, hasBytes, partOf, setBytes, zeroBytes } from "../base/views.ts";
import { type BufferLike, type Core, LARGE_COPY_BYTES } from "../wasm/core.ts";

const STEP_BYTES = 1 << 18;

/**
 * Copies `length` bytes at `address` to `buffer[offset...]`; address 0 is a hole. Nobody asks how long the buffer is: the
 * language does, 2 of 35 ns of a 16 B pread.
 *
 * @throws RangeError or TypeError when it has no room for them; then some may have been copied
 */
export function copyToBuffer(core: Core, address: number, buffer: Uint8Array, offset: number, length: number): void {
  if (address === 0 || length >= LARGE_COPY_BYTES) fillOrCopy(core, address, buffer, offset, length);
  else copyOut(core, address, buffer, offset, length);
}

/** As copyToBuffer() for a buffer that has turned out to be shorter than it was. @returns bytes copied, as many as it has room for */
export function copyWhatFits(core: Core, address: number, buffer: Uint8Array, offset: number, length: number): number {
  const room = Math.max(0, Math.min(length, byteLengthOf(buffer) - offset));
  if (room > 0) copyToBuffer(core, address, buffer, offset, room);
  return room;
}

/** What is rare; apart, since V8 takes into a caller only so much: 7 of 70 ns of a 16 B pread. */
function fillOrCopy(core: Core, address: number, buffer: Uint8Array, offset: number, length: number): void {
  if (address === 0) fillOut(buffer, offset, length);
  else inTurn(core, length, (start, n) => copyOut(core, address + start, buffer, offset + start, n));
}

function noRoom(): RangeError {
  return new RangeError("no room in the buffer");
}

function fillOut(buffer: Uint8Array, offset: number, length: number): void {
  if (byteLengthOf(buffer) < offset + length) throw noRoom(); // fill() does what it can
  zeroBytes(buffer, offset, offset + length);
}

/**
 * From Node 22 on Buffer.copy() is a native call that takes a range: no view is made for the garbage collector. In plain
 * memory it takes as long as TypedArray.set() does with a view, at any size, or less; in shared memory, which set() copies
 * word by word, a third to two thirds of that from 4 KiB on. Before Node 22 it makes a view itself.
 */
function copyOut(core: Core, address: number, buffer: Uint8Array, offset: number, length: number): void {
  if (core.hasFastBuffer) {
    // It asks the target how long it is, and believes what it hears: nothing of it may lie beyond.
    if (length > 0 && !hasBytes(buffer, offset + length)) throw noRoom();
    if ((core.buffer as BufferLike).copy(buffer, offset, address, address + length) === length) return;
  }
  setBytes(buffer, new Uint8Array(core.arrayBuffer, address, length), offset);
}

/**
 * Copies `buffer[offset, offset + length)` to `address`. A whole buffer needs no view of it on any runtime: TypedArray.set()
 * is 2 to 11 ns ahead of Buffer.copy(), up to 4 KiB.
 */
export function copyFromBuffer(core: Core, address: number, buffer: Uint8Array, offset: number, length: number): void {
  if (length >= core.maxSetBytes) copyInOtherwise(core, address, buffer, offset, length);
  else if (offset === 0 && byteLengthOf(buffer) === length) core.u8.set(buffer, address);
  else copyRangeIn(core, address, buffer, offset, length);
}

function copyInOtherwise(core: Core, address: number, buffer: Uint8Array, offset: number, length: number): void {
  const copy = core.shared ? copyInShared : copyRangeIn;
  if (length < LARGE_COPY_BYTES) copy(core, address, buffer, offset, length);
  else inTurn(core, length, (start, n) => copy(core, address + start, buffer, offset + start, n));
}

/** As copyRangeIn(). The last byte goes alone, since Node 22 and 24 take the copy of a whole buffer for a set(). */
function copyInShared(core: Core, address: number, buffer: Uint8Array, offset: number, length: number): void {
  const last = length - 1;
  copyRangeIn(core, address, buffer, offset, last);
  core.u8[address + last] = buffer[offset + last];
}

/**
 * A first byte goes alone. Where a buffer says that it ends with the range, Buffer.copy() of Node 22 and 24 makes a set()
 * of all that the buffer truly has, over whatever lies behind in memory; it never does for a range with something before.
 */
function copyRangeIn(core: Core, address: number, buffer: Uint8Array, offset: number, length: number): void {
  if (!core.hasFastBuffer) copyPartIn(core, address, buffer, offset, length);
  else if (offset > 0) copyNatively(core, address, buffer, offset, length);
  else if (length > 0) {
    core.u8[address] = buffer[0];
    copyNatively(core, address + 1, buffer, 1, length - 1);
  }
}

function copyNatively(core: Core, address: number, buffer: Uint8Array, offset: number, length: number): void {
  if (isCopied(core.buffer as BufferLike, address, buffer, offset, length)) return;
  copyPartIn(core, address, buffer, offset, length);
}

function copyPartIn(core: Core, address: number, buffer: Uint8Array, offset: number, length: number): void {
  core.u8.set(partOf(buffer, offset, length), address);
}

/** Tries Buffer.copy(). What the file's size covers must be copied, so a source that throws when it is asked is none. */
function isCopied(memory: BufferLike, address: number, buffer: Uint8Array, offset: number, length: number): boolean {
  try {
    return memory.copy.call(buffer, memory, address, offset, offset + length) === length;
  } catch {
    return false;
  }
}

/**
 * Copies a large piece, every other one backwards, in steps: a program uses its buffer again and again, as a rule, and
 * what is in the processor's cache of it is where the copy before ended. With 2 MiB of second-level cache writes of 1 MiB
 * gain 3%, and those of 2 MiB 14% (bench/micro/copy-large.ts).
 */
function inTurn(core: Core, length: number, copy: (start: number, n: number) => void): void {
  core.copiesBackwards = !core.copiesBackwards;
  const step = core.copiesBackwards ? STEP_BYTES : length;
  for (let end = length; end > 0; end -= step) {
    const start = Math.max(0, end - step);
    copy(start, end - start);
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

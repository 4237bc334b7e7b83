/**
 * Reads and writes of cached files: the loops around the core's pieces (assembly/fs/read-write.ts).
 *
 * Each piece is one run of contiguous frames and one copy. The first piece is prepared together with the checks of the
 * whole call, so that most calls are two crossings into Wasm for a write and one for a read.
 *
 * Does not own: the pages, checks and times (assembly/fs/read-write.ts), the copy itself (user-copy.ts).
 *
 * @see Linux mm/filemap.c filemap_read(), generic_perform_write()
 */
import { EFAULT } from "../base/errno.ts";
import type { FileHandle } from "../base/handles.ts";
import { byteLengthOf, hasBytes } from "../base/views.ts";
import { type Core, RESULT } from "../wasm/core.ts";
import { RESULT_ADDRESS } from "../wasm/layout.ts";
import { copyFromBuffer, copyToBuffer, copyWhatFits, encodeStart } from "./user-copy.ts";

const ADDRESS = RESULT + RESULT_ADDRESS;
/** Longer texts are encoded without being measured first, UTF-16 units. */
const MAX_MEASURED_UNITS = 1024;

/**
 * Reads from an open file.
 *
 * @param position bytes from the start; -1 = at the file's position, which moves
 * @returns bytes read, 0 at the end; -EBADF when it is not open for reading, -EISDIR, -EFAULT (no such place in the buffer)
 */
export function filemapRead(
  core: Core,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  const n = core.readBegin(file, position, length);
  if (n <= 0) return n;
  try {
    copyToBuffer(core, core.f64[ADDRESS], buffer, offset, n);
  } catch {
    // It was long enough when it was asked; but the core may have asked the clock since, which may have done anything.
    return readShort(core, file, buffer, offset, n, position);
  }
  if (n === length) return n;
  return readRest(core, file, buffer, offset, length, position, n);
}

/** Copies as much of the first piece as the buffer has room for; the position moves so far. */
function readShort(
  core: Core,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  first: number,
  position: number,
): number {
  const room = copyWhatFits(core, core.f64[ADDRESS], buffer, offset, first);
  if (position < 0) core.setFilePos(file, core.filePos(file) - (first - room));
  return room === 0 ? -EFAULT : room;
}

function readRest(
  core: Core,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
  first: number,
): number {
  const advance = position < 0 ? 1 : 0;
  const start = advance ? core.filePos(file) - first : position;
  const end = Math.min(length, byteLengthOf(buffer) - offset);
  let done = first;
  while (done < end) {
    const n = core.x.readNext(file, start + done, end - done, advance);
    if (n <= 0) break; // the end; or the rest must wait, and the count is short
    copyToBuffer(core, core.f64[ADDRESS], buffer, offset + done, n);
    done += n;
  }
  return done;
}

/**
 * Writes to an open file. From here on nobody else is asked anything, so the buffer stays as long as it is: the copy
 * cannot fail.
 *
 * @param position as in filemapRead; O_APPEND writes at the end
 * @returns bytes written, short when memory ran out on the way or the buffer ends before; -EBADF, -EFBIG, -ENOSPC, -ENOMEM,
 *   -EFAULT (no such place in the buffer)
 */
export function filemapWrite(
  core: Core,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
  nowMs: number,
): number {
  // An array with the prototype of one is no Uint8Array, whatever elements it has.
  if (!ArrayBuffer.isView(buffer) || !hasBytes(buffer, offset + length))
    return writeShort(core, file, buffer, offset, length, position, nowMs);
  const early = core.shared === true ? 0 : 1; // compared: V8 looks up the type of what is asked for its truth
  const n = core.writeBegin(file, position, length, nowMs, early);
  if (n !== length || early === 0) return n < 0 ? n : writePieces(core, buffer, offset, length, n);
  copyFromBuffer(core, core.f64[ADDRESS], buffer, offset, length);
  return n;
}

function writeShort(
  core: Core,
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
  nowMs: number,
): number {
  const room = Math.min(length, byteLengthOf(buffer) - offset);
  // It has them all and has them not: elements of another size, under the prototype of Uint8Array.
  if (room <= 0 || room === length) return core.x.mayWrite(file) || -EFAULT;
  return filemapWrite(core, file, buffer, offset, room, position, nowMs);
}

/** Copies the pieces of a write under way, of which the first has `first` bytes. @returns bytes written */
function writePieces(core: Core, buffer: Uint8Array, offset: number, length: number, first: number): number {
  let done = 0;
  for (let n = first; n > 0; n = done < length ? core.x.writeNext(length - done) : 0) {
    copyFromBuffer(core, core.f64[ADDRESS], buffer, offset + done, n);
    core.x.writeEnd(n);
    done += n;
  }
  return done;
}

/**
 * Writes a text's UTF-8 to the file's position, encoded where it stays as far as one piece goes.
 *
 * A short text as long in bytes as in characters is ASCII, and copied: 1 KiB in 70 instead of 160 ns on Node 20. Long
 * ones are not measured: slices, and whatever has just been put together, Node 20 takes three times as long to measure as
 * to encode (bench/micro/text-encode.ts).
 *
 * @param text not empty
 * @returns 0 when all is written; errors as filemapWrite(), also where some has been written
 */
export function filemapWriteText(core: Core, file: FileHandle, text: string, nowMs: number): number {
  const { length } = text;
  const measured = length <= MAX_MEASURED_UNITS ? core.buffer?.constructor.byteLength(text) : undefined;
  const size = measured ?? length;
  const n = core.writeBegin(file, -1, size, nowMs, 1);
  if (n < 0) return n;
  const at = core.f64[ADDRESS];
  let rest: Uint8Array | undefined;
  if (measured === length && n === length) core.buffer?.latin1Write(text, at, n);
  else rest = encodeStart(text, core.u8.subarray(at, at + n));
  if (n !== size) core.x.writeEnd(n);
  return rest ? writeAll(core, file, rest, nowMs) : 0;
}

function writeAll(core: Core, file: FileHandle, bytes: Uint8Array, nowMs: number): number {
  for (let done = 0; done < bytes.length; ) {
    const n = filemapWrite(core, file, bytes, done, bytes.length - done, -1, nowMs);
    if (n < 0) return n;
    done += n;
  }
  return 0;
}
